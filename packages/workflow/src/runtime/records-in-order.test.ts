import { describe, expect, test } from "vitest";
import { signal } from "../author/signal.ts";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import type { WorkflowCommand } from "../commands/registry.ts";
import { world } from "../testing/workflow-world.ts";

/** What a body does after it has set a variable, with several calls open. `go` is sent to each run. */
const CONTINUATIONS: readonly (readonly [name: string, go: (ctx: WorkflowContext) => Promise<unknown>])[] = [
  ["steps beside each other", (ctx) => Promise.all([ctx.step("a", () => 1), ctx.step("b", () => 2)])],
  ["a map", (ctx) => ctx.map([1, 2, 3], (item, value) => item.step("a", () => value))],
  ["a wait beside a step", (ctx) => Promise.all([ctx.waitFor(signal("go")), ctx.step("a", () => 1)])],
  ["a sleep beside a step", (ctx) => Promise.all([ctx.sleep("1ms"), ctx.step("a", () => 1)])],
  ["a token beside a step", (ctx) => Promise.all([ctx.token("approval"), ctx.step("a", () => 1)])],
  ["times beside each other", (ctx) => Promise.all([ctx.now(), ctx.now()])],
  ["a race", (ctx) => ctx.race({ one: (own) => own.step("a", () => 1), two: (own) => own.waitFor("never") })],
];

/** Ways to come by a record that a replay can make again, which may wait for company. */
const BEGINNINGS: readonly (readonly [
  name: string,
  path: string,
  begin: (ctx: WorkflowContext) => Promise<unknown>,
])[] = [
  ["a variable", "count#0", (ctx) => ctx.variable("count", 0)],
  ["a change of a variable", "count#0/set0", async (ctx) => (await ctx.variable("count", 0)).set(1)],
];

/** Whether a command brings the record at a path. */
function brings(command: WorkflowCommand, path: string): boolean {
  if (command.kind === "Records") return command.records.some((record) => record.path === path);
  return command.kind === "Checkpoint" && command.path === path;
}

const cases = BEGINNINGS.flatMap(([first, path, begin]) =>
  CONTINUATIONS.map(([then, go]) => ({ first, then, path, begin, go })),
);

describe("no record stands in the log without one that the body had before it (staged-records.ts SR1)", () => {
  test.each(cases)("$first, then $then", async ({ path, begin, go }) => {
    const w = world([1, 2]);
    const body = workflow("ordered", { version: 1 }, async (ctx) => {
      await begin(ctx);
      await go(ctx);
      return "done";
    });
    await w.startAll([body]);
    const node = w.cluster.node(2);
    let losses = 0;
    const enough = Promise.withResolvers<void>();
    // The network loses each proposal of the first record, and no other.
    node.fault = (command) => {
      if (!brings(command, path)) return "none";
      losses += 1;
      if (losses === 3) enough.resolve();
      return "lost";
    };
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await w.runtime(2).signal("r", "go");
    await enough.promise;
    const recorded = (await w.runtime(1).getRun("r"))?.history.map(([at]) => at) ?? [];
    expect(recorded.filter((at) => at !== "count#0")).toEqual([]);
    w.kill(2);
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("r")).toBe("done");
  });
});
