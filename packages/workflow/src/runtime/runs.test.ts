import { describe, expect, test } from "vitest";
import { TerminalError } from "../author/errors/errors.ts";
import type { StandardSchemaV1 } from "../author/values/schema.ts";
import { workflow } from "../author/workflow.ts";
import { Latch, world } from "../testing/workflow-world.ts";

describe("a run", () => {
  test("gives its result on every node", async () => {
    const w = world();
    const greet = workflow("greet", { version: 1 }, async (ctx, name: string) => {
      const greeting = await ctx.step("compose", () => `hello ${name}`);
      return { greeting, at: ctx.runId };
    });
    await w.startAll([greet]);
    const run = await w.runtime(2).startWorkflow(greet, "ada", { id: "g1" });
    expect(await run.result()).toEqual({ greeting: "hello ada", at: "g1" });
    expect(await w.runtime(3).result("g1")).toEqual({ greeting: "hello ada", at: "g1" });
    expect(await w.runtime(1).handle("g1").status()).toMatchObject({ status: "completed", owner: 2 });
  });

  test("starts once however often it is asked for", async () => {
    const w = world();
    let bodies = 0;
    const count = workflow("count", { version: 1 }, async () => ++bodies);
    await w.startAll([count]);
    const [first, second] = await Promise.all([
      w.runtime(1).startWorkflow(count, 1, { id: "same" }),
      w.runtime(2).startWorkflow(count, 1, { id: "same" }),
    ]);
    expect([first.created, second.created].toSorted()).toEqual([false, true]);
    expect([await first.result(), await second.result()]).toEqual([1, 1]);
    await expect(w.runtime(3).startWorkflow(count, 2, { id: "same" })).rejects.toMatchObject({
      code: "WORKFLOW_ID_CONFLICT",
    });
  });

  test("is executed by a node that has its type, when the one that starts it has not", async () => {
    const w = world([1, 2]);
    const there = workflow("there", { version: 1 }, async (ctx) => ctx.nodeId);
    w.start(1, []);
    w.start(2, [there]);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    const run = await w.runtime(1).startWorkflow("there", undefined);
    expect(await run.result()).toBe(2);
    await expect(w.runtime(1).startWorkflow("nowhere", undefined)).rejects.toMatchObject({
      code: "WORKFLOW_TYPE_UNKNOWN",
      details: { known: ["there@1"] },
    });
  });

  test("fails with what its body threw, on every node", async () => {
    const w = world();
    const broken = workflow("broken", { version: 1 }, async () => {
      throw new TerminalError("card refused", { code: "CARD_REFUSED" });
    });
    await w.startAll([broken]);
    const run = await w.runtime(1).startWorkflow(broken, undefined);
    await expect(w.runtime(2).result(run.id)).rejects.toMatchObject({
      code: "WORKFLOW_FAILED",
      failure: { name: "TerminalError", message: "card refused", code: "CARD_REFUSED" },
    });
  });

  test("is executed by the version it began with", async () => {
    const w = world([1]);
    const v1 = workflow("v", { version: 1 }, async () => "one");
    const v2 = workflow("v", { version: 2 }, async () => "two");
    await w.startAll([v1, v2]);
    expect(await (await w.runtime(1).startWorkflow("v", undefined)).result()).toBe("two");
    expect(await (await w.runtime(1).startWorkflow(v1, undefined)).result()).toBe("one");
  });

  test("fails when its input is not what its schema takes", async () => {
    const w = world([1]);
    const schema: StandardSchemaV1<number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "not a number", path: ["n"] }] },
      },
    };
    const double = workflow("double", { version: 1, input: schema }, async (_, n) => n);
    await w.startAll([double]);
    const unfit = await w.runtime(1).startWorkflow("double", "x");
    await expect(unfit.result()).rejects.toMatchObject({ failure: { code: "INPUT_INVALID" } });
    expect(await (await w.runtime(1).startWorkflow(double, 4)).result()).toBe(8);
  });

  test("is not found when it was never started", async () => {
    const w = world([1]);
    await w.startAll([]);
    await expect(w.runtime(1).result("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).signal("nothing", "go")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).cancel("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).handle("nothing").status()).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  });

  test("runs beyond the bound wait, and sleeping ones do not count", async () => {
    const w = world([1]);
    const gate = new Latch();
    let running = 0;
    let most = 0;
    const busy = workflow("busy", { version: 1 }, async (ctx) => {
      await ctx.step("work", async () => {
        running += 1;
        most = Math.max(most, running);
        await gate.opened;
        running -= 1;
      });
    });
    const lazy = workflow("lazy", { version: 1 }, async (ctx) => ctx.waitFor("go"));
    await w.startAll([busy, lazy], { limits: { maxRunningBodies: 2 } });
    const waiting = await Promise.all([1, 2, 3].map(() => w.runtime(1).startWorkflow(lazy, undefined)));
    const runs = await Promise.all([1, 2, 3, 4, 5].map(() => w.runtime(1).startWorkflow(busy, undefined)));
    expect(running).toBe(2);
    gate.open();
    await Promise.all(runs.map((run) => run.result()));
    expect(most).toBe(2);
    await Promise.all(waiting.map((run) => run.signal("go", 1)));
    expect(await Promise.all(waiting.map((run) => run.result()))).toEqual([1, 1, 1]);
  });
});

describe("retention", () => {
  test("the leader prunes what is over the number", async () => {
    const w = world([1]);
    const quick = workflow("quick", { version: 1 }, async () => 1);
    await w.startAll([quick], { limits: { maxFinishedRuns: 3 } });
    const runs = await Promise.all(Array.from({ length: 8 }, () => w.runtime(1).startWorkflow(quick, undefined)));
    await Promise.all(runs.map((run) => run.result()));
    expect(await w.next("runs-pruned")).toMatchObject({ runIds: { length: 5 } });
    expect((await w.cluster.node(1).engine.list({})).runs).toHaveLength(3);
  });
});

describe("a stopped runtime", () => {
  test("ends the bodies here and says so to who drains it", async () => {
    const w = world([1]);
    const ended = new Latch();
    const idle = workflow("idle", { version: 1 }, async (ctx) => {
      ctx.signal.addEventListener("abort", () => ended.open());
      await ctx.waitFor("never");
    });
    await w.startAll([idle]);
    await w.runtime(1).startWorkflow(idle, undefined);
    w.runtime(1).stop();
    await ended.opened;
    await expect(w.runtime(1).drain()).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });
});
