import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { ID_POLICIES, type IdPolicy, type StartDecision, startDecision } from "../../model/runs/id-policy.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

const [ONE, OTHER] = [Uint8Array.of(49), Uint8Array.of(50)];
const SEEDS = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const;

describe("a start whose id a run has", () => {
  test.each<[policy: IdPolicy, decisions: readonly StartDecision[]]>([
    ["use-existing", ["existing", "existing", "existing", "conflict", "conflict"]],
    ["reject", ["conflict", "conflict", "conflict", "conflict", "conflict"]],
    ["replace-failed", ["existing", "existing", "replace", "conflict", "replace"]],
    ["replace", ["replace", "replace", "replace", "replace", "replace"]],
  ])("%s decides by the run's state", (policy, decisions) => {
    const cases = [
      ["running", true],
      ["completed", true],
      ["failed", true],
      ["stuck", false],
      ["cancelled", false],
    ] as const;
    const made = cases.map(([status, isSame]) => startDecision(policy, { status, isSame, isOwn: false }));
    expect(made).toEqual(decisions);
    expect(startDecision(policy, { status: "running", isSame: true, isOwn: true })).toBe("own");
  });

  test("is refused with what the run is", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a", 1, { input: ONE });
    const conflict = { ok: false, code: "WORKFLOW_ID_CONFLICT" };
    const details = { runId: "a", workflowType: "order", version: 1, status: "running" };
    expect(log.start("a", 1, { input: ONE, idPolicy: "reject" })).toMatchObject({
      ...conflict,
      details,
      message: "Run a exists and is running. Choose another id, or another id policy.",
    });
    log.end("a", 1, log.epoch("a"));
    expect(log.start("a", 1, { input: OTHER })).toMatchObject({
      ...conflict,
      details: { ...details, status: "completed" },
      message: "Run a exists and is completed, with another input. Choose another id, or repeat the same start.",
    });
  });

  test("and that is repeated finds what it made, whatever its policy", () => {
    for (const idPolicy of ID_POLICIES) {
      const log = new StateLog();
      log.register(1);
      const start = { seed: SEEDS[0], input: ONE, idPolicy } as const;
      expect(log.start("a", 1, start)).toMatchObject({ ok: true, created: true });
      const { startIndex } = log.state.summary("a") ?? {};
      expect(log.start("a", 1, start)).toMatchObject({ ok: true, created: true });
      // Another node, which draws another seed, is asked again under the same start id.
      const named = { ...start, startId: "mine" };
      log.start("b", 1, named);
      expect(log.start("b", 1, { ...named, seed: SEEDS[1] })).toMatchObject({ ok: true, created: true });
      const restored = new StateLog(restoredFrom(log.state));
      restored.index = log.index;
      expect(restored.start("b", 1, { ...named, seed: SEEDS[2] })).toMatchObject({ ok: true, created: true });
      expect(log.state.summary("a")).toMatchObject({ startIndex });
    }
  });

  test("replaces it: nothing of the old run is left, and the new one has a higher epoch", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a", 1, { input: ONE, seed: SEEDS[0], attributes: new TextEncoder().encode('{"x":1}') });
    const epoch = log.epoch("a");
    log.checkpoint("a", "step#0", 1, 1, epoch);
    log.state.takeEvents();
    const replace = { input: OTHER, seed: SEEDS[1], idPolicy: "replace" } as const;
    expect(log.start("a", 1, replace)).toMatchObject({ ok: true, created: true });
    const events = log.state.takeEvents().map((event) => event.type);
    expect(events).toEqual(["run-ended", "runs-pruned", "run-started"]);
    expect(log.state.run("a")).toMatchObject({ status: "running", history: [], input: OTHER });
    expect(log.epoch("a")).toBeGreaterThan(epoch);
    expect(log.state.list({ attributes: [{ name: "x" }] }).runs).toEqual([]);
    expect(log.state.counts()).toEqual([{ workflowType: "order", status: "running", runs: 1 }]);
    expect(log.checkpoint("a", "step#1", 1, 1, epoch)).toMatchObject({ ok: false, code: "STALE_OWNER" });
    expect(restoredFrom(log.state).run("a")?.history).toEqual([]);
  });

  test("replaces a failed run alone, if that is what is asked for", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a", 1, { input: ONE, seed: SEEDS[0] });
    const again = (seed: Uint8Array) => log.start("a", 1, { input: ONE, seed, idPolicy: "replace-failed" });
    expect(again(SEEDS[1])).toMatchObject({ ok: true, created: false });
    const by = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
    log.apply({ kind: "WorkflowEnd", ...by, outcome: { status: "failed", error: { name: "Error", message: "no" } } });
    expect(again(SEEDS[1])).toMatchObject({ ok: true, created: true });
    expect(again(SEEDS[2])).toMatchObject({ ok: true, created: false });
    expect(log.state.summary("a")).toMatchObject({ status: "running" });
  });

  test("does not replace a child whose parent is to hear of its end, nor where it is refused for its type", () => {
    const log = new StateLog();
    log.register(1);
    log.start("p");
    const { startIndex = 0, epoch = 0 } = log.state.summary("p") ?? {};
    log.start("c", 1, { parent: { runId: "p", startIndex, path: "c#0", closePolicy: "cancel", epoch } });
    const replace = { idPolicy: "replace", seed: SEEDS[1] } as const;
    expect(log.start("c", 1, replace)).toMatchObject({
      ok: false,
      message: expect.stringContaining("its parent is to hear"),
    });
    log.end("c", 1, log.epoch("c"));
    expect(log.start("c", 1, replace)).toMatchObject({ ok: false, code: "WORKFLOW_ID_CONFLICT" });
    expect(log.start("p", 1, { ...replace, workflowType: "nowhere" })).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
    expect(log.state.summary("p")).toMatchObject({ status: "running" });
  });
});

test("a run is not replaced by a child of its own", () => {
  const log = new StateLog();
  log.register(1);
  log.start("p");
  const { startIndex = 0, epoch = 0 } = log.state.summary("p") ?? {};
  const parent = { runId: "p", startIndex, path: "c#0", closePolicy: "cancel", epoch } as const;
  for (const idPolicy of ["replace", "replace-failed", "reject", "use-existing"] as const)
    expect(log.start("p", 1, { parent, idPolicy, seed: SEEDS[1] })).toMatchObject({
      ok: false,
      code: "WORKFLOW_ID_CONFLICT",
    });
  expect(log.state.summary("p")).toMatchObject({ status: "running", epoch });
});

test("a body whose run is replaced is told to stop, and the new one gives the result", async () => {
  const w = world();
  const [begun, stopped] = [new Latch(), new Latch()];
  const order = workflow("order", { version: 1 }, async (ctx, input: number) => {
    if (input === 2) return "second";
    ctx.signal.addEventListener("abort", () => stopped.open());
    begun.open();
    await ctx.step("wait", () => new Promise<never>(() => {}));
    return "first";
  });
  await w.startAll([order]);
  await w.runtime(2).startWorkflow(order, 1, { id: "a" });
  await begun.opened;
  // The leader dies as the start is proposed; the one that follows commits it.
  w.cluster.kill(1);
  w.runtime(1).stop();
  w.cluster.lead(3);
  const run = await w.runtime(3).startWorkflow(order, 2, { id: "a", idPolicy: "replace" });
  await stopped.opened;
  expect(run.created).toBe(true);
  expect(await w.runtime(2).result("a")).toBe("second");
});
