import { MemoryStateStore } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { WorkflowState } from "../../machine/workflow-state.ts";
import {
  MAX_CHUNK_BYTES_PER_ENTRY,
  MAX_CHUNKS_PER_ENTRY,
  MAX_STREAMS_PER_RUN,
  type StreamSpan,
} from "../../model/stream.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import type { StreamPage } from "../../state/streams/stream-view.ts";
import { StateLog } from "../../testing/state-log.ts";
import type { CommandResult } from "../registry.ts";
import type { StreamAppend, StreamPart } from "./stream-append.ts";

const UNBOUNDED = { keepChunks: 1_000_000, keepBytes: 1_000_000_000 };

const span = (values: readonly number[], place = "", attempt = 0): StreamSpan => {
  return { place, attempt, values: values.map((value) => Uint8Array.of(value)) };
};

const part = (offset: number, values: readonly number[], more: Partial<StreamPart> = {}): StreamPart => {
  return { name: "out", offset, spans: values.length === 0 ? [] : [span(values)], ends: false, ...more };
};

/** A run of node 1, and the command that appends for it. */
function running(store = new MemoryStateStore()) {
  const log = new StateLog(new WorkflowState(store));
  log.register(1);
  log.start("r");
  const owner = { owner: 1, epoch: log.epoch("r") };
  const append = (parts: readonly StreamPart[], more: Partial<StreamAppend> = {}): CommandResult =>
    log.apply({ kind: "StreamAppend", runId: "r", parts, ...UNBOUNDED, atMs: log.at, ...owner, ...more });
  const read = (from?: number, stream = "out") => log.state.stream({ runId: "r", stream, from });
  return { log, owner, append, read };
}

const valuesOf = (page: StreamPage | undefined) => page?.chunks.map(({ offset, value }) => [offset, value[0]]);

describe("an append to streams", () => {
  test("gives chunks offsets without gaps, with the code that wrote them", () => {
    const { append, read, owner } = running();
    expect(append([part(0, [1, 2])])).toEqual({ ok: true, kind: "Done", changed: true });
    append([part(2, [], { spans: [span([3], "think#0", 2), span([4], "s/")] })]);
    const { epoch } = owner;
    const ofBody = { step: undefined, attempt: undefined, epoch };
    expect(read()?.chunks).toEqual([
      { offset: 0, value: Uint8Array.of(1), ...ofBody },
      { offset: 1, value: Uint8Array.of(2), ...ofBody },
      { offset: 2, value: Uint8Array.of(3), step: "think#0", attempt: 2, epoch },
      { offset: 3, value: Uint8Array.of(4), ...ofBody },
    ]);
    expect(read(1)).toMatchObject({ firstOffset: 0, nextOffset: 4, hasMore: false, isOver: false });
    expect(valuesOf(read(1))).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expect(read(4)).toMatchObject({ chunks: [], nextOffset: 4, hasMore: false });
  });

  test("tells the owner what the body has written in each scope, and not what steps have", () => {
    const { log, append } = running();
    append([part(0, [], { spans: [span([1], "a/"), span([2], "x#0", 1), span([3]), span([4], "a/")] })]);
    append([part(4, [5]), part(0, [6], { name: "other", ends: true })]);
    expect(log.state.run("r")?.streams).toEqual([
      { name: "other", nextOffset: 1, hasEnded: true, scopes: [["", 1]] },
      {
        name: "out",
        nextOffset: 5,
        hasEnded: false,
        scopes: expect.arrayContaining([
          ["a/", 2],
          ["", 2],
        ]),
      },
    ]);
  });

  test("applied twice appends once, also with the end", () => {
    const { log, append, read } = running();
    const parts = [part(0, [1, 2], { ends: true }), part(0, [3], { name: "other" })];
    append(parts);
    log.state.takeEvents();
    expect(append(parts)).toEqual({ ok: true, kind: "Done", changed: false });
    expect(valuesOf(read())).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(log.state.takeEvents()).toEqual([]);
  });

  test("of one part that does not fit appends nothing of the others", () => {
    const { append, read } = running();
    append([part(0, [1, 2])]);
    const fitting = part(0, [7], { name: "other" });
    for (const offset of [1, 3]) {
      expect(append([fitting, part(offset, [9, 9])])).toMatchObject({ ok: false, code: "STREAM_CONFLICT" });
    }
    expect(read(undefined, "other")).toMatchObject({ chunks: [], nextOffset: 0 });
  });

  test("ends a stream once, and nothing follows", () => {
    const { log, append, read } = running();
    append([part(0, [1])]);
    expect(append([part(1, [], { ends: true })])).toMatchObject({ changed: true });
    expect(append([part(1, [], { ends: true })])).toMatchObject({ changed: false });
    expect(append([part(1, [2])])).toMatchObject({ ok: false, code: "STREAM_ENDED" });
    expect(read()).toMatchObject({ isOver: true, nextOffset: 1 });
    const ended = log.state.takeEvents().filter(({ type }) => type === "stream-appended");
    expect(ended).toMatchObject([
      { stream: "out", nextOffset: 1, hasEnded: false },
      { stream: "out", nextOffset: 1, hasEnded: true },
    ]);
  });

  test("of an owner that has lost the run, and to a run that has ended, is refused", () => {
    const { log, owner, append, read } = running();
    expect(append([part(0, [1])], { epoch: owner.epoch + 1 })).toMatchObject({ ok: false, code: "STALE_OWNER" });
    append([part(0, [1])]);
    log.end("r", 1, owner.epoch);
    expect(append([part(1, [2])])).toMatchObject({ ok: false, code: "WORKFLOW_FINISHED" });
    expect(read()).toMatchObject({ isOver: true, nextOffset: 1 });
  });

  test.each<[what: string, parts: readonly StreamPart[]]>([
    ["no stream", []],
    ["a stream twice", [part(0, [1]), part(0, [1])]],
    ["too many streams", Array.from({ length: MAX_STREAMS_PER_RUN + 1 }, (_, n) => part(0, [1], { name: `s${n}` }))],
    ["a part without anything", [part(0, [])]],
    ["a span without chunks", [part(0, [], { spans: [span([])] })]],
    ["an empty name", [part(0, [1], { name: "" })]],
    ["a long name", [part(0, [1], { name: "n".repeat(201) })]],
    [
      "too many chunks",
      [
        part(
          0,
          Array.from({ length: MAX_CHUNKS_PER_ENTRY + 1 }, () => 1),
        ),
      ],
    ],
    [
      "too many bytes",
      [part(0, [], { spans: [{ place: "", attempt: 0, values: [new Uint8Array(MAX_CHUNK_BYTES_PER_ENTRY + 1)] }] })],
    ],
  ])("with %s is refused", (_what, parts) => {
    const { append, log } = running();
    expect(append(parts)).toMatchObject({ ok: false, code: "COMMAND_INVALID" });
    expect(log.state.run("r")?.streams).toEqual([]);
  });

  test("to more streams than a run may have is refused", () => {
    const { append } = running();
    append(Array.from({ length: MAX_STREAMS_PER_RUN }, (_, n) => part(0, [1], { name: `s${n}` })));
    expect(append([part(0, [1])])).toMatchObject({ ok: false, code: "STREAM_LIMIT_REACHED" });
    expect(append([part(1, [1], { name: "s0" })])).toMatchObject({ ok: true });
  });
});

describe("what a stream keeps", () => {
  test("is bounded in chunks and in bytes, whole batches at a time, the newest always", () => {
    const { append, read } = running();
    for (let n = 0; n < 5; n++) append([part(n * 2, [n, n])], { keepChunks: 5, keepBytes: 1_000_000 });
    expect(read()).toMatchObject({ firstOffset: 6, nextOffset: 10 });
    expect(read(3)).toMatchObject({ chunks: [], firstOffset: 6 });
    append([part(10, [1, 2, 3])], { keepChunks: 100, keepBytes: 1 });
    expect(read()).toMatchObject({ firstOffset: 10, nextOffset: 13 });
  });

  test("goes with the run, piece by piece, and not before", () => {
    const store = new MemoryStateStore();
    const { log, owner, append, read } = running(store);
    for (let n = 0; n < 100; n++) append([part(n, [1]), part(n, [2], { name: "other" })]);
    log.end("r", 1, owner.epoch);
    expect(valuesOf(read(98))).toEqual([
      [98, 1],
      [99, 1],
    ]);
    log.prune({ keepAtMost: 0 });
    expect(read()).toBeUndefined();
    // Another run of the id has streams of its own.
    log.start("r");
    expect(read()).toMatchObject({ chunks: [], nextOffset: 0 });
    for (let n = 0; n < 7; n++) log.register(2);
    const left = [KEY_PREFIX.stream, KEY_PREFIX.streamBatch, KEY_PREFIX.streamScope].flatMap((kind) => [
      ...store.scan(...kindRange(kind)),
    ]);
    expect(left).toEqual([]);
  });
});
