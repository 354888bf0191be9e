/** Cases of the conformance suite of `Workflows`: what is shown of steps that have no record yet. */
import { expect, test } from "vitest";
import type { Workflows } from "../api/workflows.ts";
import { laborious } from "./conformance-workflows.ts";

/** The cases. To be called among the others. */
export function stepCases(subject: () => { readonly workflows: Workflows }): void {
  test("a description shows the steps that have failed an attempt or given heartbeat details", async () => {
    const { workflows } = subject();
    const run = await workflows.start(laborious, undefined, { runId: `laborious-${crypto.randomUUID()}` });
    await expect.poll(async () => (await run.describe()).stepsInProgress.length, { timeout: 10_000 }).toBe(2);
    const [dug, hauled] = (await run.describe()).stepsInProgress.toSorted((a, b) => a.path.localeCompare(b.path));
    expect(dug).toMatchObject({ path: "dig#0", failedAttempts: 0, error: undefined, nextAttemptAtMs: undefined });
    expect(dug?.heartbeat.value()).toEqual({ metres: 3 });
    expect(hauled).toMatchObject({ path: "haul#0", failedAttempts: 1, error: { message: "too heavy" } });
    expect(hauled?.nextAttemptAtMs).toBeGreaterThan(hauled?.beganAtMs ?? Number.NaN);
    await run.cancel();
    await run.wait();
    expect((await run.describe()).stepsInProgress).toEqual([]);
  });
}
