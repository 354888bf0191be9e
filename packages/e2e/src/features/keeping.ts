import { expect } from "vitest";
import { bounded, limit, resting, wake } from "../programs/kept.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

const MANY = Array.from({ length: 40 }, (_, at) => `kept-many-${at}`);

export const keeping = feature({
  title:
    "a paused type rests, a variable is set once, and many runs are mended with their audit, over the death of a node",
  begin: async ({ workflows }) => {
    const run = await workflows.start(resting, undefined, { runId: "kept-before" });
    for (const runId of MANY) await workflows.start(resting, undefined, { runId });
    await workflows.start(bounded, undefined, { runId: "kept-bounded" });
    await workflows.setVariable("kept-bounded", limit, 3, { requestId: "three", timeoutMs: WAIT_MS });
    await workflows.pauseType("kept-resting", { reason: "stock-taking" });
    await until("the runs of a paused type rest", async () => (await run.describe()).owner === 0);
    const fitting = workflows.mendAll({ runIdPrefix: "kept-many-" }, "terminate", { pieceSize: 8, reason: "too many" });
    for await (const { position } of fitting) return position;
    return undefined;
  },
  end: async ({ workflows }, position) => {
    const after = await workflows.start(resting, undefined, { runId: "kept-after" });
    expect(await after.describe()).toMatchObject({ status: "running", owner: 0 });
    await workflows.setVariable("kept-bounded", limit, 9, { requestId: "three", timeoutMs: WAIT_MS });
    expect(await workflows.variable("kept-bounded", limit)).toBe(3);
    await workflows.setVariable("kept-bounded", limit, 10, { timeoutMs: WAIT_MS });
    expect(await workflows.result("kept-bounded", { timeoutMs: WAIT_MS })).toEqual([3, 10]);

    const filter = { runIdPrefix: "kept-many-" };
    const given = { reason: "too many", ...(position === undefined ? {} : { position }) };
    const rest = await Array.fromAsync(workflows.mendAll(filter, "terminate", given));
    expect(rest.flatMap(({ runs }) => runs).every(({ outcome }) => outcome === "done")).toBe(true);
    const ended = await Array.fromAsync(workflows.list({ ...filter, status: "failed" }));
    expect(ended).toHaveLength(MANY.length);

    for (const runId of ["kept-before", "kept-after"]) await workflows.signal(runId, wake);
    await workflows.resumeType("kept-resting", { reason: "counted" });
    for (const runId of ["kept-before", "kept-after"])
      expect(await workflows.result(runId, { timeoutMs: WAIT_MS })).toBe("rested");
    const { deleted, position: at } = await workflows.delete("kept-after", { reason: "a test" });
    expect([deleted, at > 0]).toEqual([true, true]);
    const audit = await Array.fromAsync(workflows.audit({ subject: "kept-resting" }));
    expect(audit.map(({ action, reason, by }) => [action, reason, by])).toEqual([
      ["resume-type", "counted", "unnamed"],
      ["pause-type", "stock-taking", "unnamed"],
    ]);
  },
});
