import { describe, expect, test } from "vitest";
import { signal } from "../../author/signal.ts";
import { workflow } from "../../author/workflow.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

const add = signal<number>("add");

describe("a handler of signals", () => {
  test("is begun by each signal, in their order, and several are under way at once", async () => {
    const w = world([1]);
    const latch = new Latch();
    const summing = workflow("summing", { version: 1 }, async (ctx) => {
      const begun: number[] = [];
      let ended = 0;
      ctx.on(add, async (own, amount) => {
        begun.push(amount);
        await own.step("book", () => (amount === 1 ? latch.opened : undefined));
        ended += 1;
      });
      await ctx.condition(() => ended === 2);
      await ctx.condition(() => begun.length === 3);
      return [...begun, ended];
    });
    await w.startAll([summing]);
    const run = await w.runtime(1).startWorkflow(summing, undefined, { id: "r" });
    for (const amount of [1, 2, 3]) await run.signal("add", amount);
    await w.next("record-committed", ({ path }) => path === "add#s2/book#0");
    latch.open();
    expect(await run.result()).toEqual([1, 2, 3, 2]);
    const { history = [] } = (await w.runtime(1).getRun("r")) ?? {};
    expect(history.map(([path, { kind }]) => [path, kind])).toContainEqual(["add#s0", "signal"]);
  });

  test("gets what came before it was there, and not what an open wait of the name takes", async () => {
    const w = world([1]);
    const both = workflow("both", { version: 1 }, async (ctx) => {
      await ctx.waitFor("begin");
      const handled: number[] = [];
      const first = ctx.waitFor(add);
      ctx.on(add, (_own, amount) => void handled.push(amount));
      const waited = await first;
      await ctx.condition(() => handled.length === 2);
      return { waited, handled };
    });
    await w.startAll([both]);
    const run = await w.runtime(1).startWorkflow(both, undefined, { id: "r" });
    for (const amount of [1, 2]) await run.signal("add", amount);
    await run.signal("begin");
    await run.signal("add", 3);
    expect(await run.result()).toEqual({ waited: 1, handled: [2, 3] });
  });

  test("fails its run with what it throws", async () => {
    const w = world([1]);
    const failing = workflow("failing", { version: 1 }, async (ctx) => {
      ctx.on("bad", () => {
        throw new RangeError("not that");
      });
      await ctx.waitFor("never");
    });
    await w.startAll([failing]);
    const run = await w.runtime(1).startWorkflow(failing, undefined, { id: "r" });
    await run.signal("bad");
    await expect(run.result()).rejects.toMatchObject({ failure: { name: "RangeError", message: "not that" } });
  });

  test("checks payloads with the schema of its signal", async () => {
    const w = world([1]);
    const even = signal("even", {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) =>
          Number(value) % 2 === 0
            ? { value: new Map([["half", Number(value) / 2]]) }
            : { issues: [{ message: "odd" }] },
      },
    });
    const halving = workflow("halving", { version: 1 }, async (ctx) => {
      const halves: number[] = [];
      ctx.on(even, (_own, map) => void halves.push(map.get("half") ?? 0));
      await ctx.waitFor("stop");
      return halves;
    });
    await w.startAll([halving]);
    const run = await w.runtime(1).startWorkflow(halving, undefined, { id: "r" });
    const parsed = w.next("record-committed", ({ path }) => path === "even#s0/parsed");
    await run.signal("even", 8);
    await parsed;
    await run.signal("even", 3);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "SIGNAL_INVALID" } });
  });
});

// Messages begin handlers at any time, so that the end of each sleep must have a place in the record.
test("a handler begins at the same place on a replay, after a sleep that the body was alone with", async () => {
  const w = world();
  const latch = new Latch();
  const napping = workflow("napping", { version: 1 }, async (ctx) => {
    const seen: string[] = [];
    ctx.on("note", (_own, text) => void seen.push(String(text)));
    seen.push("first");
    await ctx.sleep(5);
    seen.push("second");
    await ctx.variable("nap", 1);
    await ctx.sleep(5);
    seen.push("third");
    await ctx.variable("slept", 1);
    await ctx.waitFor("go");
    await ctx.step("end", () => (ctx.nodeId === 1 ? new Promise<never>(() => {}) : latch.opened));
    return seen;
  });
  await w.startAll([napping]);
  await w.runtime(1).startWorkflow(napping, undefined, { id: "r" });
  await w.next("record-committed", ({ path }) => path === "slept#0");
  await w.runtime(2).signal("r", "note", "a note");
  await w.next("record-committed", ({ path }) => path === "note#s0");
  await w.runtime(2).signal("r", "go");
  await w.next("record-committed", ({ path }) => path === "go#0");
  w.kill(1);
  w.cluster.lead(2);
  w.cluster.reportLost(1);
  latch.open();
  expect(await w.runtime(2).result("r")).toEqual(["first", "second", "third", "a note"]);
});
