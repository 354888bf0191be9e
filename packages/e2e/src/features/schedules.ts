import { expect } from "vitest";
import { feature, until, WAIT_MS } from "./feature.ts";

/** More than the kill takes. */
const OCCURRENCES = 12;

export const schedules = feature({
  title: "a schedule has one run for each occurrence, before and after the kill, and each run ends once",
  begin: async ({ workflows }) => {
    await workflows.schedules.create("ticks", { workflow: "delayed", input: "tick", everyMs: 1000, catchUp: "all" });
    await until("the first ticks", async () => (await workflows.schedules.get("ticks")).started >= 2);
  },
  end: async ({ workflows }) => {
    const { schedules: all } = workflows;
    const ticked = await until("more ticks", async () => {
      const found = await all.get("ticks", { timeoutMs: WAIT_MS });
      return found.started >= OCCURRENCES && found;
    });
    expect(ticked).toMatchObject({ missed: 0, failed: 0 });
    await all.pause("ticks", { timeoutMs: WAIT_MS });
    const { started, skipped } = await all.get("ticks");
    const runs = await until("all ticks to end", async () => {
      const found = await Array.fromAsync(workflows.list({ attributes: { scheduleId: "ticks" }, order: "ascending" }));
      return found.every(({ status }) => status === "completed") && found;
    });
    expect(runs).toHaveLength(started);
    // Without a gap, but for what the overlap policy dropped.
    const seconds = runs.map(({ runId }) => Date.parse(runId.slice("ticks/".length)) / 1000).sort((a, b) => a - b);
    expect(new Set(seconds).size).toBe(started);
    expect((seconds.at(-1) ?? 0) - (seconds[0] ?? 0) + 1).toBe(started + skipped);
  },
});
