import { describe, expect, test } from "vitest";
import { decodeValue } from "../author/values/json-value.ts";
import { workflow } from "../author/workflow.ts";
import type { StreamPage } from "../state/streams/stream-view.ts";
import { type World, world } from "../testing/workflow-world.ts";
import { RunRequests } from "./run-requests.ts";

const FOLLOW = { startIndex: undefined, follow: true };
const limit = { timeoutMs: 5_000 };

/** Writes `count` numbers, and as many with each signal `more`. */
const counting = workflow("counting", { version: 1 }, async (ctx, count: number) => {
  const out = ctx.stream<number>("out");
  for (let n = 0; ; ) {
    for (const end = n + count; n < end; n++) await out.write(n);
    await ctx.waitFor("more");
  }
});

const valuesOf = (page: StreamPage | undefined) => page?.chunks.map(({ value }) => decodeValue(value, "a chunk"));

async function started(w: World, count: number): Promise<RunRequests> {
  await w.startAll([counting], { limits: { maxStreamChunks: 10 } });
  await w.runtime(1).startWorkflow(counting, count, { id: "r" });
  return new RunRequests(w.cluster.node(2).engine);
}

describe("a read of a stream", () => {
  test("waits for chunks without asking again, and is woken by them", async () => {
    const w = world([1, 2]);
    const requests = await started(w, 3);
    expect(valuesOf(await requests.chunks({ runId: "r", stream: "out" }, FOLLOW, limit))).toEqual([0, 1, 2]);
    const { engine } = w.cluster.node(2);
    let asked = 0;
    const stream = engine.stream.bind(engine);
    engine.stream = (query) => {
      asked += 1;
      return stream(query);
    };
    const next = requests.chunks({ runId: "r", stream: "out", from: 3 }, FOLLOW, limit);
    await expect.poll(() => requests.waits).toBe(1);
    await w.runtime(1).signal("r", "more");
    expect(valuesOf(await next)).toEqual([3, 4, 5]);
    expect(asked).toBe(2);
    expect(requests.waits).toBe(0);
    requests.close();
  });

  test("of chunks that are not kept any more is refused with the first one that is", async () => {
    const w = world([1, 2]);
    const requests = await started(w, 8);
    await requests.chunks({ runId: "r", stream: "out" }, FOLLOW, limit);
    const behind = requests.chunks({ runId: "r", stream: "out", from: 8 }, FOLLOW, limit);
    await w.runtime(1).signal("r", "more");
    await behind;
    const trimmed = { code: "STREAM_TRIMMED", details: { runId: "r", stream: "out", firstOffset: 8 } };
    await expect(requests.chunks({ runId: "r", stream: "out", from: 7 }, FOLLOW, limit)).rejects.toMatchObject(trimmed);
    expect(await requests.chunks({ runId: "r", stream: "out" }, FOLLOW, limit)).toMatchObject({ firstOffset: 8 });
    requests.close();
  });

  test("tells another run of the same id from the one that it began with", async () => {
    const w = world([1, 2]);
    const requests = await started(w, 1);
    const page = await requests.chunks({ runId: "r", stream: "out" }, FOLLOW, limit);
    const other = { startIndex: (page?.startIndex ?? 0) + 1, follow: true };
    const read = requests.chunks({ runId: "r", stream: "out", from: 0 }, other, limit);
    await expect(read).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    requests.close();
  });

  test("ends at its time, at its signal, with its node, and with a snapshot that has more", async () => {
    const w = world([1, 2]);
    const requests = await started(w, 1);
    const query = { runId: "r", stream: "out", from: 1 };
    expect(await requests.chunks(query, FOLLOW, { timeoutMs: 10 })).toBeUndefined();
    const stop = new AbortController();
    const aborted = requests.chunks(query, FOLLOW, { ...limit, signal: stop.signal });
    stop.abort();
    expect(await aborted).toBeUndefined();
    w.cluster.node(2).connected = false;
    const next = requests.chunks(query, FOLLOW, limit);
    await w.runtime(1).signal("r", "more");
    await expect.poll(async () => (await w.cluster.node(1).engine.stream(query))?.chunks.length).toBe(1);
    await w.cluster.installSnapshot(2, 1);
    expect(valuesOf(await next)).toEqual([1]);
    const last = requests.chunks({ ...query, from: 2 }, FOLLOW, limit);
    requests.close();
    await expect(last).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });
});
