import { platformClock } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import type { StreamPart } from "../../commands/history/stream-append.ts";
import { StreamWrites } from "./stream-writes.ts";

const BODY = { place: "", attempt: 0 };
const BOUNDS = { maxStreamChunkBytes: 100, maxStreamBufferBytes: 100, maxStreamChunks: 100, maxStreamBytes: 10_000 };

test("an entry has what was written before the answers were settled that it waited for, and nothing else", async () => {
  const committed: number[][] = [];
  const settling = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const writes = new StreamWrites({
    runId: "r",
    clock: platformClock,
    bounds: BOUNDS,
    maxPayloadBytes: 1_000,
    recorded: [],
    settled: () => {
      asked.resolve();
      return settling.promise;
    },
    commit: async (parts: readonly StreamPart[]) => {
      committed.push(parts.flatMap(({ spans }) => spans.flatMap(({ values }) => values.map(([value = 0]) => value))));
    },
    onRefused: (error) => {
      throw error;
    },
  });
  await writes.write("out", BODY, Uint8Array.of(1));
  await asked.promise;
  await writes.write("out", BODY, Uint8Array.of(2));
  settling.resolve();
  await writes.close();
  expect(committed).toEqual([[1], [2]]);
});
