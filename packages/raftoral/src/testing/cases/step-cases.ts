/** Cases of the conformance suite of `Workflows`: what is shown of steps that have no record yet. */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { idle, laborious } from "../conformance-workflows.ts";

/** The cases. To be called among the others. */
export function stepCases(subject: () => { readonly workflows: Workflows }): void {
  test("a description shows the steps that have failed an attempt or given heartbeat details, and a run says what it waits for", async () => {
    const { workflows } = subject();
    const run = await workflows.start(laborious, undefined, { runId: `laborious-${crypto.randomUUID()}` });
    await expect.poll(async () => (await run.describe()).stepsInProgress.length, { timeout: 10_000 }).toBe(2);
    const [dug, hauled] = (await run.describe()).stepsInProgress.toSorted((a, b) => a.path.localeCompare(b.path));
    expect(dug).toMatchObject({ path: "dig#0", failedAttempts: 0, error: undefined, nextAttemptAtMs: undefined });
    expect(dug?.heartbeat.value()).toEqual({ metres: 3 });
    expect(hauled).toMatchObject({ path: "haul#0", failedAttempts: 1, error: { message: "too heavy" } });
    expect(hauled?.nextAttemptAtMs).toBeGreaterThan(hauled?.beganAtMs ?? Number.NaN);
    const pending = (await run.pending()).toSorted((a, b) => a.path.localeCompare(b.path));
    expect(pending).toMatchObject([
      { kind: "step", path: "dig#0", untilMs: undefined, step: { failedAttempts: 0 } },
      { kind: "step", path: "haul#0", untilMs: undefined, step: { error: { message: "too heavy" } } },
    ]);
    await run.cancel();
    await run.wait();
    expect((await run.describe()).stepsInProgress).toEqual([]);
    expect(await run.pending()).toEqual([]);
    const idler = await workflows.start(idle, undefined, { runId: `idle-${crypto.randomUUID()}` });
    const waits = [{ kind: "signal", path: "go#0", untilMs: undefined, step: undefined }];
    await expect.poll(() => idler.pending(), { timeout: 10_000 }).toEqual(waits);
    await idler.cancel();
    const absent = { name: "WorkflowError", code: "WORKFLOW_NOT_FOUND" };
    await expectAlike("what no run waits for", workflows.pending("none"), absent);
  });
}
