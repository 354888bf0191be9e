import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowCommand } from "../commands/registry.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";

/** The commands about runs that node 1 proposes from now on. */
function proposals(w: World): WorkflowCommand[] {
  const made: WorkflowCommand[] = [];
  w.cluster.node(1).fault = (command) => {
    if ("runId" in command) made.push(command);
    return "none";
  };
  return made;
}

const paths = (command: WorkflowCommand | undefined): readonly string[] => {
  if (command?.kind === "Records") return command.records.map(({ path }) => path);
  return command?.kind === "Checkpoint" ? [command.path] : [];
};

describe("the rounds of a run", () => {
  test.each([0, 1, 2, 10])("of %i steps are one more than its steps", async (steps) => {
    const w = world([1]);
    const chain = workflow("chain", { version: 1 }, async (ctx) => {
      for (let step = 0; step < steps; step++) await ctx.step("step", () => step);
    });
    await w.startAll([chain]);
    const made = proposals(w);
    await (await w.runtime(1).startWorkflow(chain, undefined)).result();
    expect(made).toHaveLength(Math.max(steps, 1) + 1);
  });

  test("are not more for variables, times and nested scopes", async () => {
    const w = world([1]);
    const rich = workflow("rich", { version: 1 }, async (ctx) => {
      const status = await ctx.variable("status", "new");
      await ctx.step("first", () => 1);
      await status.set("busy");
      await status.update((text) => `${text}!`);
      await ctx.scope("inner", async (inner) => {
        await (await inner.variable("depth", 1)).set(2);
        await inner.step("second", () => 2);
      });
      const endedAtMs = await ctx.now();
      await status.set("done");
      return endedAtMs;
    });
    await w.startAll([rich]);
    const made = proposals(w);
    await (await w.runtime(1).startWorkflow(rich, undefined)).result();
    expect(made.slice(1).map(paths)).toEqual([
      ["status#0", "first#0", "status#0/set0", "status#0/set1", "inner/depth#0", "inner/depth#0/set0"],
      ["inner/second#0", "now#0", "status#0/set2"],
    ]);
    expect(made.at(-1)).toMatchObject({ kind: "Records", end: { status: "completed" } });
  });
});

describe("a step's function", () => {
  test("begins only when every answer before it that cannot be recomputed is committed", async () => {
    const w = world([1]);
    const begun = new Latch();
    const committed: string[] = [];
    const body = workflow("body", { version: 1 }, async (ctx) => {
      await ctx.step("first", () => 1);
      const drawn = await ctx.variable("drawn", () => Math.random());
      await ctx.step("second", () => {
        begun.open();
        return [...committed, String(drawn.value === drawn.get())];
      });
    });
    await w.startAll([body]);
    w.runtime(1).events.subscribe((event) => {
      if (event.type === "record-committed") committed.push(event.path);
    });
    // The record of the first step is lost once: the second step waits for the next attempt.
    let attempts = 0;
    w.cluster.node(1).fault = (command) => (paths(command).includes("first#0") && attempts++ === 0 ? "lost" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await begun.opened;
    expect(committed).toEqual(["first#0", "drawn#0"]);
    await run.result();
  });

  test("does not wait for a variable that was set to a computed value", async () => {
    const w = world([1]);
    const begun = new Latch();
    const body = workflow("body", { version: 1 }, async (ctx) => {
      const status = await ctx.variable("status", "new");
      await status.set("busy");
      await ctx.step("work", () => begun.open());
    });
    await w.startAll([body]);
    w.cluster.node(1).fault = (command) => (paths(command).includes("status#0/set0") ? "lost" : "none");
    await w.runtime(1).startWorkflow(body, undefined);
    await begun.opened;
    w.cluster.node(1).fault = () => "none";
  });

  test("runs again after a crash before its record, and the run takes the course of that result", async () => {
    const w = world();
    const results = ["left", "right"];
    const acted: string[] = [];
    const body = workflow("body", { version: 1 }, async (ctx) => {
      const way = await ctx.step("choose", () => results.shift() ?? "none");
      await ctx.step(`go-${way}`, () => acted.push(way));
      return way;
    });
    await w.startAll([body]);
    const asked = new Latch();
    w.cluster.node(2).fault = (command) => {
      if (!paths(command).includes("choose#0")) return "none";
      asked.open();
      return "lost";
    };
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await asked.opened;
    w.kill(2);
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("r")).toBe("right");
    expect(acted).toEqual(["right"]);
  });
});

describe("a variable", () => {
  test("that is set before a long step is seen outside while the step runs", async () => {
    const w = world([1]);
    const release = new Latch();
    const body = workflow("body", { version: 1 }, async (ctx) => {
      const status = await ctx.variable("status", "new");
      await status.set("busy");
      await ctx.step("long", () => release.opened);
    });
    await w.startAll([body]);
    const seen = w.next("record-committed", (event) => event.path === "status#0/set0");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await seen;
    release.open();
    await run.result();
  });
});

describe("a record that the log refuses after its answer was given", () => {
  test("fails the run with the log's reason", async () => {
    const w = world([1]);
    const body = workflow("body", { version: 1 }, async (ctx) => {
      await ctx.step("large", () => 1);
      await ctx.waitFor("never");
    });
    await w.startAll([body]);
    w.cluster.node(1).fault = (command) => (paths(command).includes("large#0") ? "refused" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
  });
});
