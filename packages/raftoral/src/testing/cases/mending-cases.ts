/** What every implementation of `Workflows` does alike where operators mend runs: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { RunStatus } from "../../api/runs.ts";
import type { Run, Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { fragile, go, idle, laborious } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function mendingCases(subject: () => { readonly workflows: Workflows }): void {
  const hasStatus = (run: Run<unknown>, status: RunStatus): Promise<void> =>
    expect.poll(async () => (await run.describe()).status, { timeout: 10_000 }).toBe(status);

  test("a paused run begins nothing more until it is resumed", async () => {
    const { workflows } = subject();
    const run = await workflows.start(idle, undefined, { runId: "mend-paused" });
    await run.pause({ reason: "the bank is closed" });
    await hasStatus(run, "paused");
    expect(await run.describe()).toMatchObject({ owner: 0, pauseReason: "the bank is closed", stuckReason: undefined });
    const paused = await Array.fromAsync(workflows.list({ status: "paused" }));
    expect(paused.map(({ runId }) => runId)).toEqual([run.runId]);
    await run.signal(go);
    await run.pause({ now: true });
    await run.resume();
    expect(await run.result()).toBe("gone");
    await expectAlike("a pause too late", run.pause(), { name: "WorkflowError", code: "WORKFLOW_FINISHED" });
  });

  test("a terminated run has failed, once per request, and can be deleted", async () => {
    const { workflows } = subject();
    const run = await workflows.start(idle, undefined, { runId: "mend-terminated" });
    await expectAlike("deleting a running run", run.delete(), { name: "WorkflowError", code: "WORKFLOW_RUNNING" });
    await run.terminate({ reason: "wrong customer", requestId: "once" });
    await run.terminate({ requestId: "once" });
    const ended = await run.wait();
    expect(ended).toMatchObject({ status: "failed", error: { code: "RUN_TERMINATED" } });
    expect(ended.status === "failed" && ended.error.message).toContain("wrong customer");
    await expectAlike("a second end", run.terminate(), { name: "WorkflowError", code: "WORKFLOW_FINISHED" });
    await run.delete();
    const gone = { name: "WorkflowError", code: "WORKFLOW_NOT_FOUND" };
    await expectAlike("describing a deleted run", run.describe(), gone);
    await run.delete();
    const again = await workflows.start(idle, undefined, { runId: "mend-terminated" });
    expect(again.created).toBe(true);
    await again.terminate();
  });

  test("a failed run goes on from the step that failed", async () => {
    const { workflows } = subject();
    const run = await workflows.start(fragile, undefined, { runId: "mend-retried" });
    expect((await run.wait()).status).toBe("failed");
    await expectAlike("a step that is not recorded", run.retry({ from: "none" }), { code: "STEP_NOT_RECORDED" });
    await run.retry({ requestId: "a" });
    await run.retry({ requestId: "a" });
    expect(await run.result()).toBe("whole");
    const history = await Array.fromAsync(run.history());
    expect(history.map(({ path, kind }) => `${path} ${kind}`)).toEqual(["prepare#0 step", "handle#0 step"]);
    expect((await run.describe()).recordCount).toBe(2);
    await expectAlike("a completed run", run.retry(), { name: "WorkflowError", code: "WORKFLOW_FINISHED" });
    const other = await workflows.start(fragile, undefined, { runId: "mend-retried-from" });
    await other.wait();
    await other.retry({ from: "prepare" });
    expect(await other.result()).toBe("whole");
  });

  test("a fork begins with the record of another run, which is left as it is", async () => {
    const { workflows } = subject();
    const run = await workflows.start(fragile, undefined, { runId: "mend-forked" });
    expect((await run.wait()).status).toBe("failed");
    const fork = await run.fork({ runId: "mend-fork", requestId: "a", reason: "to try" });
    expect((await run.fork({ runId: "mend-fork", requestId: "a" })).runId).toBe(fork.runId);
    const conflict = { name: "WorkflowError", code: "WORKFLOW_ID_CONFLICT" };
    await expectAlike("a fork under an id that is taken", run.fork({ runId: "mend-fork" }), conflict);
    // Its first owner: the step fails there, too.
    expect((await fork.wait()).status).toBe("failed");
    await fork.retry();
    expect(await fork.result()).toBe("whole");
    const history = await Array.fromAsync(fork.history());
    expect(history.map(({ path }) => path)).toEqual(["prepare#0", "handle#0"]);
    expect((await run.describe()).status).toBe("failed");
    const again = await fork.fork({ from: "prepare", input: { other: 1 } });
    expect((await again.input()).value()).toEqual({ other: 1 });
    await again.terminate().catch(() => {});
    await expectAlike("a fork from nowhere", run.fork({ from: "none" }), { code: "STEP_NOT_RECORDED" });
    await expectAlike("a fork of no run", workflows.fork("none"), {
      name: "WorkflowError",
      code: "WORKFLOW_NOT_FOUND",
    });
    await expectAlike("a fork with a bad input", run.fork({ input: 1n }), { code: "VALUE_NOT_SERIALIZABLE" });
  });

  test("steps are answered in the place of their functions, under way or tried for ever", async () => {
    const { workflows } = subject();
    const run = await workflows.start(laborious, undefined, { runId: "mend-answered" });
    await expect.poll(async () => (await run.describe()).stepsInProgress.length, { timeout: 10_000 }).toBe(2);
    await run.completeStep("dig", { metres: 7 });
    await run.completeStep("dig#0", { metres: 7 });
    const recorded = { name: "WorkflowError", code: "STEP_RECORDED" };
    await expectAlike("another answer of a step", run.completeStep("dig", 8), recorded);
    expect((await run.describe()).status).toBe("running");
    await run.completeStep("haul");
    expect((await run.wait()).status).toBe("completed");
    const history = await Array.fromAsync(run.history());
    expect(history.map(({ path, kind, value }) => [path, kind, value.value()])).toEqual([
      ["dig#0/edited", "edited", { metres: 7 }],
      ["haul#0/edited", "edited", undefined],
    ]);
  });

  const absent = "WORKFLOW_NOT_FOUND";
  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["pausing a run that is not there", (w) => w.pause("none"), absent],
    ["terminating a run that is not there", (w) => w.terminate("none"), absent],
    ["retrying a run that is not there", (w) => w.retry("none"), absent],
    ["answering a step of a run that is not there", (w) => w.completeStep("none", "a"), absent],
    ["deleting a run without id", (w) => w.delete(""), "WORKFLOW_ID_INVALID"],
    ["a step without a path", (w) => w.completeStep("a", ""), "NAME_INVALID"],
    ["a step's path that is a number", (w) => w.completeStep("a", 7 as never), "NAME_INVALID"],
    ["a step's value that JSON does not carry", (w) => w.completeStep("a", "b", 1n), "VALUE_NOT_SERIALIZABLE"],
    ["a step's value that is too large", (w) => w.completeStep("a", "b", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
    ["a retry from nothing", (w) => w.retry("a", { from: "" }), "REQUEST_INVALID"],
    ["a reason that is a number", (w) => w.terminate("a", { reason: 7 as never }), "REQUEST_INVALID"],
    ["an empty request id", (w) => w.terminate("a", { requestId: "" }), "REQUEST_INVALID"],
    ["a pause now or never", (w) => w.pause("a", { now: "never" as never }), "REQUEST_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
