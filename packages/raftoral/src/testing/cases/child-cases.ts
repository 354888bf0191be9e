/** Cases of the conformance suite of `Workflows`: parents and children, generations, and runs whose time is limited. */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { counting, go, guardian, idle } from "../conformance-workflows.ts";

/** The cases. To be called among the others. */
export function childCases(subject: () => { readonly workflows: Workflows }): void {
  test("a description names the parent of a run, and the running children", async () => {
    const { workflows } = subject();
    const runId = `guardian-${crypto.randomUUID()}`;
    const run = await workflows.start(guardian, undefined, { runId });
    const child = { runId: `${runId}/idle#0`, workflowType: "idle", path: "idle#0" };
    await expect.poll(async () => (await run.describe()).children, { timeout: 10_000 }).toEqual([child]);
    const described = await workflows.describe(child.runId);
    expect(described).toMatchObject({ parent: { runId, path: "idle#0" }, generation: 1, children: [] });
    const listed = await Array.fromAsync(workflows.list({ workflowType: "idle" }));
    expect(listed.find((each) => each.runId === child.runId)).toMatchObject({ parent: { runId, path: "idle#0" } });
    await workflows.signal(child.runId, go);
    expect(await run.result()).toBe("over");
    expect((await run.describe()).children).toEqual([]);
  });

  test("a run that continues as new gives the result of its last generation", async () => {
    const { workflows } = subject();
    const run = await workflows.start(counting, 3, { runId: `counting-${crypto.randomUUID()}` });
    expect(await run.result()).toBe("counted");
    expect(await run.describe()).toMatchObject({ generation: 4 });
  });

  test("a run whose time is over has failed with RUN_TIMED_OUT", async () => {
    const { workflows } = subject();
    const runId = `limited-${crypto.randomUUID()}`;
    const run = await workflows.start(idle, undefined, { runId, runTimeoutMs: 30 });
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED", failure: { code: "RUN_TIMED_OUT" } });
    for (const runTimeoutMs of [0, -1, Number.NaN, 1e300]) {
      const start = workflows.start(idle, undefined, { runId: `${runId}-again`, runTimeoutMs });
      await expect(start).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    }
  });
}
