import { describe, expect, test } from "vitest";
import { update } from "../author/update.ts";
import { type WorkflowDefinition, workflow } from "../author/workflow.ts";
import { isEncoded } from "../model/payload-envelope.ts";
import type { WorkflowRuntimeOptions } from "../runtime/runtime-options.ts";
import { FlippingCodec } from "../testing/test-codecs.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";
import { PayloadCoder } from "./payload-coder.ts";

const order = workflow("order", { version: 1 }, async (ctx, item: string) => {
  const price = await ctx.step("price", () => item.length);
  const paid = await ctx.waitFor<string>("paid");
  return `${item}: ${price} ${paid}`;
});

const add = update<number, number>("add");
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const keys = (active: string, ...known: readonly string[]): Partial<WorkflowRuntimeOptions> => ({
  payloadCodec: new FlippingCodec(active, ...known),
});

/** Encoded by a client with this key. */
function encodedWith(key: string, value: unknown): Promise<Uint8Array> {
  return PayloadCoder.of(new FlippingCodec(key)).encode(bytesOf(value), { kind: "signal", runId: "r", what: "it" });
}

async function signal(w: World, payload: Uint8Array): Promise<void> {
  await w.cluster.node(1).engine.propose({ kind: "Signal", runId: "r", name: "paid", payload, signalId: "s", atMs: 1 });
}

/** Registers another process of node 1: with these keys. */
async function restart(
  w: World,
  options: Partial<WorkflowRuntimeOptions>,
  body: WorkflowDefinition = order,
): Promise<void> {
  w.runtime(1).stop();
  await w.start(1, [body], options).registered;
}

describe("a value that its node cannot decode", () => {
  test.each<[string, Partial<WorkflowRuntimeOptions>]>([
    ["with another key", keys("k2")],
    ["without a codec", {}],
  ])("holds its run on a node %s, and the run goes on when one comes that can", async (_, options) => {
    const w = world([1]);
    await w.startAll([order], keys("k1"));
    await w.runtime(1).startWorkflow(order, "tea", { id: "r" });
    await expect.poll(async () => (await w.runtime(1).getRun("r"))?.recordCount).toBe(1);
    const view = await w.cluster.node(1).engine.run("r");
    // The first value is the node's own.
    expect(view?.history.map(([path, { value }]) => [path, isEncoded(value)])).toEqual([["price#0", true]]);
    const stuck = w.next("run-stuck");
    await restart(w, options);
    expect(await stuck).toMatchObject({
      runId: "r",
      reason: "code-mismatch",
      mismatch: {
        path: "price#0",
        expected: expect.stringContaining("payload codecs"),
        recorded: expect.stringContaining("flip (keyId k1)"),
      },
    });
    await signal(w, await encodedWith("k1", "in cash"));
    await restart(w, keys("k2", "k1"));
    expect(await w.runtime(1).result("r")).toBe("tea: 3 in cash");
  });

  test("moves its run to a node that can", async () => {
    const w = world([1, 2]);
    await w.start(1, [order], keys("k2")).registered;
    await w.start(2, [order], keys("k2", "k1")).registered;
    w.cluster.lead(1);
    const input = await encodedWith("k1", "tea");
    const start = { runId: "r", workflowType: "order", version: 1, input, owner: 1, atMs: 1, seed: new Uint8Array(16) };
    await w.cluster.node(1).engine.propose({ kind: "WorkflowStart", ...start });
    await signal(w, await encodedWith("k2", "in cash"));
    expect(await w.runtime(2).result("r")).toBe("tea: 3 in cash");
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ owner: 2 });
  });

  test("is no error of the call that gets it while the body runs: nothing is recorded of the body after it", async () => {
    const w = world([1]);
    const caught: unknown[] = [];
    const careful = workflow("order", { version: 1 }, async (ctx) => {
      try {
        return await ctx.waitFor<string>("paid");
      } catch (error) {
        caught.push(error);
        return "unpaid";
      }
    });
    await w.start(1, [careful], keys("k1")).registered;
    w.cluster.lead(1);
    await w.runtime(1).startWorkflow(careful, undefined, { id: "r" });
    const stuck = w.next("run-stuck");
    await signal(w, await encodedWith("k2", "in cash"));
    expect(await stuck).toMatchObject({ mismatch: { path: "paid#0", recorded: expect.stringContaining("k2") } });
    expect(caught).toEqual([]);
    await restart(w, keys("k1", "k2"), careful);
    expect(await w.runtime(1).result("r")).toBe("in cash");
  });

  test("does not keep its run from being cancelled", async () => {
    const w = world([1]);
    await w.startAll([order], keys("k1"));
    await w.runtime(1).startWorkflow(order, "tea", { id: "r" });
    await expect.poll(async () => (await w.runtime(1).getRun("r"))?.recordCount).toBe(1);
    const stuck = w.next("run-stuck");
    await restart(w, keys("k2"));
    await stuck;
    await w.runtime(1).cancel("r", "not wanted");
    await expect(w.runtime(1).result("r")).rejects.toThrow("not wanted");
  });

  test("in an update refuses the update, and its run goes on", async () => {
    const w = world([1]);
    const counting = workflow("order", { version: 1 }, async (ctx) => {
      ctx.onUpdate(add, (_own, n) => n + 1);
      await ctx.waitFor("paid");
    });
    await w.startAll([counting], keys("k1"));
    await w.runtime(1).startWorkflow(counting, undefined, { id: "r" });
    const refused = w.next("update-answered");
    const given = { updateId: "u", name: "add", input: await encodedWith("k2", 1) };
    await w.cluster.node(1).engine.propose({ kind: "Update", runId: "r", ...given, atMs: 1 });
    const { verdict, value } = await refused;
    expect([verdict, new TextDecoder().decode(value)]).toEqual(["rejected", expect.stringContaining("k2")]);
    expect(await w.runtime(1).update("r", "add", 1)).toBe(2);
  });

  test("refuses a query of its run, and of a node without the codec any", async () => {
    const w = world([1]);
    await w.startAll([order], keys("k1"));
    await w.runtime(1).startWorkflow(order, "tea", { id: "r" });
    await signal(w, bytesOf("in cash"));
    await w.runtime(1).result("r");
    await restart(w, keys("k2"));
    await expect(w.runtime(1).query("r", "any")).rejects.toMatchObject({ code: "PAYLOAD_UNREADABLE" });
  });
});

describe("a codec that is away", () => {
  const away = Object.assign(new Error("the key service is away"), { retryable: true });

  test("holds up what is to be encoded, and what the step did is done once", async () => {
    const w = world([1]);
    const codec = new FlippingCodec("k");
    let calls = 0;
    const begun = new Latch();
    const once = workflow("once", { version: 1 }, async (ctx) =>
      ctx.step("s", () => {
        calls += 1;
        codec.failure = away;
        begun.open();
        return calls;
      }),
    );
    const warned: unknown[] = [];
    const warn = (fields: unknown): void => void warned.push(fields);
    const logger = { debug() {}, info() {}, warn, error() {} };
    await w.startAll([once], { payloadCodec: codec, logger });
    await w.runtime(1).startWorkflow(once, undefined, { id: "r" });
    await begun.opened;
    await expect.poll(() => warned.length).toBeGreaterThan(0);
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "running", recordCount: 0 });
    codec.failure = undefined;
    expect(await w.runtime(1).result("r")).toBe(1);
    expect(calls).toBe(1);
  });

  test("holds up a body whose record is to be decoded, and the run is no less well for it", async () => {
    const w = world([1]);
    await w.startAll([order], keys("k1"));
    await w.runtime(1).startWorkflow(order, "tea", { id: "r" });
    await expect.poll(async () => (await w.runtime(1).getRun("r"))?.recordCount).toBe(1);
    const codec = new FlippingCodec("k1");
    codec.failure = away;
    await restart(w, { payloadCodec: codec });
    await signal(w, bytesOf("in cash"));
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "running" });
    codec.failure = undefined;
    expect(await w.runtime(1).result("r")).toBe("tea: 3 in cash");
  });
});

test("what a body has just recorded is not decoded again", async () => {
  const w = world([1]);
  const codec = new FlippingCodec("k");
  const both = workflow("both", { version: 1 }, async (ctx) =>
    Promise.all(["a", "b", "c"].map((name) => ctx.step(name, () => name))),
  );
  await w.startAll([both], { payloadCodec: codec });
  const run = await w.runtime(1).startWorkflow(both, undefined);
  await w.next("run-ended");
  // Three steps and the result.
  expect([codec.encoded, codec.decoded]).toEqual([4, 0]);
  await run.result();
});
