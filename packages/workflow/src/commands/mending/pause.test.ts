import { expect, test } from "vitest";
import { NOTHING, StateLog } from "../../testing/state-log.ts";

test("a run that continues as new before its owner holds still is paused before the next generation begins", () => {
  const log = new StateLog();
  log.register(1);
  log.start("r", 1);
  const asked = { kind: "Pause", runId: "r", reason: "wait", isNow: false, atMs: log.at, owner: 0, epoch: 0 } as const;
  expect(log.apply(asked)).toMatchObject({ changed: true });
  const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
  expect(log.apply({ kind: "ContinueAsNew", ...owned, input: NOTHING })).toMatchObject({ ok: true, generation: 2 });
  expect(log.state.summary("r")).toMatchObject({ status: "paused", owner: 0, generation: 2, pauseReason: "wait" });
  const listed = () =>
    (["running", "paused", "stuck"] as const).map((each) => log.state.list({ statuses: [each] }).runs.length);
  expect(listed()).toEqual([0, 1, 0]);
  expect(log.state.list({ owner: 0 }).runs).toHaveLength(1);
  expect(log.apply({ ...asked, owner: 1, epoch: owned.epoch })).toMatchObject({ ok: false, code: "STALE_OWNER" });
  log.apply({ kind: "Resume", runId: "r", atMs: log.at });
  expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1, generation: 2, pauseReason: undefined });
  expect(listed()).toEqual([1, 0, 0]);
});
