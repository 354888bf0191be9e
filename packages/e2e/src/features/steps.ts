import { expect } from "vitest";
import { DEPTH, LOADED_FIRST, LOADS, type labor, ROCK } from "../programs/labor.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

export const steps = feature({
  title: "attempts of steps are counted on, a heartbeat's details are received, and a bounded map carries out the rest",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof labor>("labor", undefined, { runId: "labor" });
    await until("a failed attempt, a heartbeat at the rock, and the first loads", async () => {
      const { stepsInProgress, recordCount } = await run.describe();
      const stepOf = (path: string) => stepsInProgress.find((step) => step.path === path);
      const hasFailed = stepOf("haul#0")?.failedAttempts === 1;
      return hasFailed && stepOf("dig#0")?.heartbeat.value() === ROCK && recordCount === LOADED_FIRST;
    });
  },
  end: async ({ workflows, killed }) => {
    const failed = await until("the next owner's attempt to fail", async () => {
      const { stepsInProgress } = await workflows.describe("labor");
      return stepsInProgress.find(({ path, failedAttempts }) => path === "haul#0" && failedAttempts === 2);
    });
    expect(failed.error?.message).toMatch(/^attempt 2 on node \d$/);
    expect(failed.error?.message).not.toContain(`node ${killed}`);
    const { hauled, dug, loaded } = await workflows.run<typeof labor>("labor").result({ timeoutMs: WAIT_MS });
    expect(hauled).toMatchObject({ attempt: 3 });
    expect(dug).toMatchObject({ attempt: 1, from: ROCK });
    expect(dug.node).not.toBe(killed);
    expect(DEPTH).toBeGreaterThan(ROCK);
    expect(loaded.map(({ load }) => load)).toEqual(Array.from({ length: LOADS }, (_, at) => at));
    // What was recorded before the kill was not carried out again.
    expect(loaded.filter(({ node }) => node === killed)).toHaveLength(LOADED_FIRST);
  },
});
