import { seededRng } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a replay (answers.ts Q1)", () => {
  test("lets the sleep win the race that it won before, though the step has a record by now", async () => {
    const w = world();
    const slow = new Latch();
    const courses: string[] = [];
    const race = workflow("race", { version: 1 }, async (ctx) => {
      const first = await Promise.race([
        ctx.step("slow", () => slow.opened.then(() => "step")),
        ctx.sleep("5ms").then(() => "sleep"),
      ]);
      await ctx.step(`after ${first}`, () => undefined);
      courses.push(`${ctx.nodeId}: ${first}`);
      await ctx.waitFor("go");
      return first;
    });
    await w.startAll([race]);
    const late = w.next("record-committed", (event) => event.path === "after sleep#0");
    await w.runtime(2).startWorkflow(race, undefined, { id: "r" });
    await late;
    const recorded = w.next("record-committed", (event) => event.path === "slow#0");
    slow.open();
    await recorded;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal("r", "go");
    expect(await w.runtime(1).result("r")).toBe("sleep");
    expect(courses.at(-1)).toBe("1: sleep");
    const run = await w.runtime(1).getRun("r");
    expect(run?.history.map(([key]) => key).toSorted()).toEqual([
      "after sleep#0",
      "go#0",
      "sleep#0",
      "sleep#0/woke",
      "slow#0",
    ]);
  });

  test("is prepared for: what is committed is answered before its successors, though its outcome has to be asked for again", async () => {
    for (const bySnapshot of [false, true]) {
      const w = world();
      const node = w.cluster.node(2);
      const latch = new Latch();
      let proposals = 0;
      node.fault = (command) => {
        if (command.kind !== "Checkpoint" || command.path !== "a#0" || proposals++ > 0) return "none";
        // In the log, but this node hears of it by a snapshot only, without an event.
        if (bySnapshot) node.connected = false;
        return "applied-but-unknown";
      };
      const both = workflow("both", { version: 1 }, async (ctx) => {
        const order: string[] = [];
        const a = ctx.step("a", () => 1).then(() => order.push("a"));
        const b = ctx.step("b", () => latch.opened).then(() => order.push("b"));
        await Promise.all([a, b]);
        return order;
      });
      await w.startAll([both]);
      const committed = w.next("record-committed", (event) => event.path === "a#0");
      await w.runtime(2).startWorkflow(both, undefined, { id: "both" });
      await committed;
      if (bySnapshot) {
        await w.cluster.installSnapshot(2, 1);
        w.cluster.reconnect(2);
      }
      latch.open();
      expect(await w.runtime(2).result("both")).toEqual(["a", "b"]);
      expect(proposals).toBe(2);
    }
  });

  test("records when a sleep ended only where something else could have been first", async () => {
    const w = world([1]);
    const alone = workflow("alone", { version: 1 }, async (ctx) => {
      await Promise.all([ctx.step("quick", () => 1), ctx.sleep("3ms")]);
      await ctx.sleep("1ms", { name: "nap" });
    });
    await w.startAll([alone]);
    const run = await w.runtime(1).startWorkflow(alone, undefined);
    await run.result();
    const keys = (await w.runtime(1).getRun(run.id))?.history.map(([key]) => key) ?? [];
    expect(keys.toSorted()).toEqual(["nap#0", "quick#0", "sleep#0"]);
  });

  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    "answers branches in the order of before (seed %i)",
    async (seed) => {
      const w = world();
      const rng = seededRng(seed);
      const plan = Array.from({ length: 4 }, () =>
        Array.from({ length: 8 }, () => [rng.below(6), rng.below(6)] as const),
      );
      const traces = new Map<number, string[]>();
      const branches = workflow("branches", { version: 1 }, async (ctx) => {
        const trace: string[] = [];
        traces.set(ctx.nodeId, trace);
        const shared = await ctx.variable("shared", 0);
        const operate = async (branch: WorkflowContext, kind: number, ms: number): Promise<unknown> => {
          if (kind === 0) return await branch.now();
          if (kind === 1) return await branch.sleep(ms);
          if (kind === 2) return await shared.update((value) => value + 1);
          if (kind === 3) return ctx.random();
          if (kind === 4) return (await branch.waitFor("none", { timeout: ms })).timedOut;
          return await branch.step("work", () => after(ms).then(() => ms));
        };
        await Promise.all(
          plan.map((operations, number) =>
            ctx.scope("branch", async (branch) => {
              for (const [kind, ms] of operations) trace.push(`${number} ${kind} ${await operate(branch, kind, ms)}`);
            }),
          ),
        );
        return trace;
      });
      await w.startAll([branches]);
      let committed = 0;
      const crashAt = 4 + rng.below(20);
      const crash = w.next("record-committed", () => ++committed === crashAt);
      await w.runtime(2).startWorkflow(branches, undefined, { id: "b" });
      await crash;
      w.kill(2);
      const before = [...(traces.get(2) ?? [])];
      w.cluster.reportLost(2);
      const whole = await w.runtime(1).result("b");
      expect((whole as string[]).slice(0, before.length)).toEqual(before);
      expect(before.length).toBeGreaterThan(0);
      expect(whole).toHaveLength(32);
    },
  );
});

describe("a variable", () => {
  test("loses no update of branches that run at once, and keeps the last value set", async () => {
    const w = world([1]);
    const { engine } = w.cluster.node(1);
    const node = w.cluster.node(1);
    let changes = 0;
    // The first change has to be proposed twice; the second one must not overtake it.
    node.fault = (command) =>
      command.kind === "Checkpoint" && command.path === "v#0/set0" && changes++ === 0 ? "lost" : "none";
    const sum = workflow("sum", { version: 1 }, async (ctx) => {
      const v = await ctx.variable("v", 0);
      const returned = await Promise.all([v.update((x) => x + 1), v.update((x) => x + 10), v.update((x) => x + 100)]);
      void v.set(5);
      await v.set(6);
      return { returned, value: v.value };
    });
    w.start(1, [sum], { engine });
    await w.runtime(1).registered;
    const run = await w.runtime(1).startWorkflow(sum, undefined);
    expect(await run.result()).toEqual({ returned: [1, 11, 111], value: 6 });
  });

  test("has places that no scope of its name shares", async () => {
    const w = world([1]);
    const both = workflow("both", { version: 1 }, async (ctx) => {
      await ctx.step("x", () => 0);
      const x = await ctx.variable("x", 1);
      await x.set(2);
      await ctx.scope("x", () => undefined);
      return await ctx.scope("x", async (scope) => (await scope.variable("set", 3)).value);
    });
    await w.startAll([both]);
    expect(await (await w.runtime(1).startWorkflow(both, undefined)).result()).toBe(3);
  });
});
