import { describe, expect, test } from "vitest";
import { query } from "../../author/query.ts";
import { signal } from "../../author/signal.ts";
import { workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { Latch, type World, world } from "../../testing/workflow-world.ts";

const progress = query<{ readonly done: readonly string[]; readonly count: number }, { readonly from: number }>(
  "progress",
);

/** Packs items, one after each `go`, and says which. */
function packing(calls: string[] = []) {
  return workflow("packing", { version: 1 }, async (ctx, items: readonly string[]) => {
    const done: string[] = [];
    const count = await ctx.variable("count", 0);
    ctx.onQuery(progress, ({ from }) => ({ done: done.slice(from), count: count.value }));
    for (const item of items) {
      done.push(
        await ctx.step("pack", () => {
          calls.push(`${item} on ${ctx.nodeId}`);
          return item;
        }),
      );
      await count.update((before) => before + 1);
      await ctx.waitFor("go");
    }
    return done.length;
  });
}

/** A run of {@link packing} on node 2 that waits for its second `go`. */
async function underWay(w: World, calls: string[] = []) {
  const body = packing(calls);
  await w.startAll([body]);
  const run = await w.runtime(2).startWorkflow(body, ["tea", "ink"], { id: "r" });
  await w.next("record-committed", ({ path }) => path === "count#0/set0");
  const packed = w.next("record-committed", ({ path }) => path === "count#0/set1");
  await run.signal("go");
  await packed;
  return run;
}

describe("a query", () => {
  test("is answered alike by the owner and by every other node, and calls no step again", async () => {
    const w = world();
    const calls: string[] = [];
    await underWay(w, calls);
    for (const node of [1, 2, 3]) {
      const answers = [
        w.runtime(node).query("r", "progress", { from: 0 }),
        w.runtime(node).query("r", "progress", { from: 1 }),
      ];
      expect(await Promise.all(answers)).toEqual([
        { done: ["tea", "ink"], count: 2 },
        { done: ["ink"], count: 2 },
      ]);
    }
    expect(calls).toEqual(["tea on 2", "ink on 2"]);
    // Nothing of it is told, and nothing was recorded.
    expect(w.events.filter(({ type }) => type === "body-started")).toHaveLength(1);
    expect((await w.runtime(1).getRun("r"))?.history.length).toBe(6);
  });

  test("is answered while no node executes the run, and after its end", async () => {
    const w = world();
    const run = await underWay(w);
    w.kill(2);
    expect(await w.runtime(1).query("r", "progress", { from: 0 })).toEqual({ done: ["tea", "ink"], count: 2 });
    w.cluster.reportLost(2);
    await w.runtime(1).signal("r", "go");
    expect(await w.runtime(1).result(run.id)).toBe(2);
    for (const node of [1, 3])
      expect(await w.runtime(node).query("r", "progress", { from: 1 })).toEqual({ done: ["ink"], count: 2 });
  });

  test("of a step that is under way does not see its result, and holds up nothing", async () => {
    const w = world();
    const entered = new Latch();
    const latch = new Latch();
    let calls = 0;
    const body = workflow("slow", { version: 1 }, async (ctx) => {
      let seen = "nothing";
      ctx.onQuery(query<string>("seen"), () => seen);
      seen = await ctx.step("slow", async () => {
        calls += 1;
        entered.open();
        await latch.opened;
        return "a result";
      });
      await ctx.waitFor("go");
    });
    await w.startAll([body]);
    const run = await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await entered.opened;
    for (const node of [1, 2, 3]) expect(await w.runtime(node).query("r", "seen")).toBe("nothing");
    const recorded = w.next("record-committed", ({ path }) => path === "slow#0");
    latch.open();
    await recorded;
    for (const node of [1, 2, 3]) expect(await w.runtime(node).query("r", "seen")).toBe("a result");
    expect(calls).toBe(1);
    await run.signal("go");
    await run.result();
  });

  test("waits until what its answer depends on is committed", async () => {
    const w = world([1]);
    const body = workflow("quick", { version: 1 }, async (ctx) => {
      let seen = "nothing";
      ctx.onQuery(query<string>("seen"), () => seen);
      await ctx.waitFor("go");
      seen = await ctx.step("step", () => "a result");
      await ctx.waitFor("go");
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    const held = Promise.withResolvers<void>();
    const { engine } = w.cluster.node(1);
    const proposed = new Latch();
    const propose = engine.propose.bind(engine);
    engine.propose = async (command, options) => {
      if (command.kind === "Checkpoint" && command.path === "step#0") {
        proposed.open();
        await held.promise;
      }
      return propose(command, options);
    };
    await run.signal("go");
    await proposed.opened;
    // The body has gone on with the result, which the log does not have.
    let isAnswered = false;
    const answer = w
      .runtime(1)
      .query("r", "seen")
      .finally(() => (isAnswered = true));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    held.resolve();
    expect(await answer).toBe("a result");
  });

  test("of a body that is run again shows nothing that the record does not have", async () => {
    const w = world();
    w.cluster.node(2).fault = (command) =>
      command.kind === "Checkpoint" && command.path === "now#0" ? "lost" : "none";
    const body = workflow("ahead", { version: 1 }, async (ctx) => {
      let seen = "nothing";
      ctx.onQuery(query<string>("seen"), () => seen);
      seen = await ctx.waitFor(signal<string>("first"));
      await ctx.now();
      seen = "later";
      await ctx.waitFor("go");
    });
    await w.startAll([body]);
    const recorded = w.next("record-committed", ({ path }) => path === "first#0");
    const run = await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await run.signal("first", "a signal");
    await recorded;
    w.kill(2);
    expect(await w.runtime(1).query("r", "seen")).toBe("a signal");
  });

  test("of a cancelled run is answered from the place where its body heard of that", async () => {
    const w = world();
    const body = workflow("undone", { version: 1 }, async (ctx) => {
      const course: string[] = [];
      ctx.onQuery(query<readonly string[]>("course"), () => course);
      try {
        await ctx.waitFor("never");
      } catch {
        course.push("cancelled");
        await ctx.shield((own) => own.step("undo", () => course.push("undone")));
        course.push("over");
      }
    });
    await w.startAll([body]);
    const run = await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await run.cancel();
    await run.result();
    for (const node of [1, 2, 3]) expect(await w.runtime(node).query("r", "course")).toEqual(["cancelled", "over"]);
  });
});

describe("a handler", () => {
  const misuses: readonly (readonly [name: string, how: (ctx: WorkflowContext) => unknown, text: string])[] = [
    [
      "throws",
      () => {
        throw new RangeError("no such thing");
      },
      "no such thing",
    ],
    [
      "throws what is no error",
      () => {
        throw Object.create(null) as unknown;
      },
      "cannot be shown",
    ],
    ["gives a promise", async () => 1, "gives a promise"],
    [
      "gives a promise that is rejected",
      async () => {
        throw new Error("x");
      },
      "gives a promise",
    ],
    ["calls the context", (ctx) => ctx.step("s", () => 1), "gives a promise"],
    ["asks the context for something", (ctx) => ctx.random(), "was called inside of query"],
    ["gives what JSON does not carry", () => 1n, "bigint"],
    ["leaves a promise to be rejected", () => void Promise.reject(new Error("left")), ""],
  ];

  test.each(misuses)("that %s fails the query at most, and never the run", async (_name, how, text) => {
    const w = world();
    const body = workflow("misused", { version: 1 }, async (ctx) => {
      ctx.onQuery(query<unknown>("misuse") as never, () => how(ctx) as never);
      await ctx.waitFor("go");
      return await ctx.step("after", () => "done");
    });
    await w.startAll([body]);
    const run = await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    for (const node of [1, 2]) {
      const answer = w.runtime(node).query("r", "misuse");
      if (text === "") expect(await answer).toBeUndefined();
      else await expect(answer).rejects.toMatchObject({ code: "QUERY_FAILED", message: expect.stringContaining(text) });
    }
    await run.signal("go");
    expect(await run.result()).toBe("done");
    expect((await w.runtime(1).getRun("r"))?.history.map(([path]) => path)).toEqual(["go#0", "after#0"]);
  });

  test("that is not there, and a run that is not, are told", async () => {
    const w = world();
    await underWay(w);
    for (const node of [1, 2]) {
      await expect(w.runtime(node).query("r", "other")).rejects.toMatchObject({
        code: "QUERY_UNKNOWN",
        message: expect.stringContaining("It has these: progress."),
      });
    }
    await expect(w.runtime(1).query("none", "progress")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  });
});

describe("a node", () => {
  test("that has not the run's code says so", async () => {
    const w = world();
    const body = packing();
    w.start(1, []);
    w.start(2, [body]);
    await Promise.all([w.runtime(1).registered, w.runtime(2).registered]);
    w.cluster.lead(1);
    const begun = w.next("record-committed", ({ path }) => path === "count#0/set0");
    await w.runtime(2).startWorkflow(body, ["tea"], { id: "r" });
    await begun;
    await expect(w.runtime(1).query("r", "progress", { from: 0 })).rejects.toMatchObject({ code: "QUERY_UNAVAILABLE" });
    expect(await w.runtime(2).query("r", "progress", { from: 0 })).toEqual({ done: ["tea"], count: 1 });
  });

  test("whose code does not fit the record gives up at the query's limit, and answers others meanwhile and afterwards", async () => {
    const w = world();
    const body = packing();
    // On node 1, the same version is other code, which never asks for what is recorded.
    const fine = workflow("fine", { version: 1 }, async (ctx) => {
      ctx.onQuery(query<string>("how"), () => "fine");
      await ctx.waitFor("go");
    });
    w.start(1, [fine, workflow("packing", { version: 1 }, async (ctx) => void (await ctx.waitFor("other")))]);
    w.start(2, [fine, body]);
    await Promise.all([w.runtime(1).registered, w.runtime(2).registered]);
    w.cluster.lead(1);
    const begun = w.next("record-committed", ({ path }) => path === "count#0/set0");
    const started = await w.runtime(2).startWorkflow(body, ["tea"], { id: "r" });
    await begun;
    const asked = Array.from({ length: 10 }, () => w.runtime(1).query("r", "progress", { from: 0 }, 50));
    for (const settled of await Promise.allSettled(asked)) {
      expect(settled).toMatchObject({ status: "rejected", reason: { code: "DEADLINE_EXCEEDED" } });
    }
    const pending = expect(w.runtime(1).query("r", "progress", { from: 0 })).rejects.toMatchObject({
      code: "NODE_STOPPED",
    });
    await w.runtime(2).startWorkflow(fine, undefined, { id: "other" });
    expect(await w.runtime(1).query("other", "how")).toBe("fine");
    await started.signal("go");
    expect(await started.result()).toBe(1);
    w.runtime(1).stop();
    await pending;
    await expect(w.runtime(1).query("other", "how")).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });
});
