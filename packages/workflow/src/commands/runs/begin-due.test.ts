import { describe, expect, test } from "vitest";
import type { WorkflowCommand } from "../../commands/registry.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { MAX_BEGUN_AT_ONCE } from "./begin-due.ts";

const HOUR_MS = 3_600_000;

function delayed(log: StateLog, runId: string, more: Partial<Extract<WorkflowCommand, { kind: "WorkflowStart" }>>) {
  return log.start(runId, 1, more);
}

function begin(log: StateLog, untilMs: number, delaysUntilMs = untilMs) {
  return log.apply({ kind: "BeginDue", untilMs, delaysUntilMs, atMs: log.at });
}

function fresh(): StateLog {
  const log = new StateLog();
  log.register(1);
  return log;
}

describe("a delayed run", () => {
  test("is there at once, on no seat, and begins when it is due", () => {
    const log = fresh();
    expect(delayed(log, "r", { delayMs: HOUR_MS })).toMatchObject({ ok: true, created: true, owner: 0 });
    expect(log.state.summary("r")).toMatchObject({ status: "delayed", owner: 0, startAtMs: log.at + HOUR_MS });
    expect(log.state.agenda()).toEqual({ beginsAtMs: Number.POSITIVE_INFINITY, delayEndsMs: log.at + HOUR_MS });
    expect(log.state.size).toMatchObject({ running: 1, delayed: 1, stuck: 0, toMove: 0 });
    expect(log.state.list({ statuses: ["delayed"] }).runs).toHaveLength(1);
    expect(log.state.list({ owner: 0 }).runs).toHaveLength(1);
    expect(begin(log, log.at + HOUR_MS - 1)).toMatchObject({ begun: 0, more: false });
    expect(begin(log, log.at + HOUR_MS)).toMatchObject({ begun: 1, more: false });
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1, attempt: 1 });
    expect(begin(log, log.at + HOUR_MS)).toMatchObject({ begun: 0, more: false });
    expect(log.state.agenda().delayEndsMs).toBe(Number.POSITIVE_INFINITY);
    expect(log.state.checkIndex()).toMatchObject({ missing: 0, surplus: 0, miscounted: [] });
  });

  test("of a time of day goes by the time of day, and of a delay by the time of delays", () => {
    const log = fresh();
    delayed(log, "length", { delayMs: HOUR_MS });
    delayed(log, "moment", { startAtMs: log.at + HOUR_MS });
    expect(begin(log, log.at + HOUR_MS, log.at)).toMatchObject({ begun: 1 });
    expect(log.state.summary("length")?.status).toBe("delayed");
    expect(log.state.summary("moment")?.status).toBe("running");
    expect(begin(log, 0, log.at + HOUR_MS)).toMatchObject({ begun: 1 });
  });

  test("of a time that has passed begins with its start", () => {
    const log = fresh();
    delayed(log, "r", { startAtMs: log.at });
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1 });
  });

  test("counts its time limit from its beginning, by the log's clock", () => {
    const log = fresh();
    delayed(log, "r", { delayMs: 10, runTimeoutMs: 500 });
    log.at += HOUR_MS;
    begin(log, 2000);
    expect(log.state.summary("r")?.deadlineAtMs).toBe(log.at + 500);
    delayed(log, "s", { delayMs: 10 });
    begin(log, log.at + 10);
    expect(log.state.summary("s")?.deadlineAtMs).toBe(0);
  });

  test("ends at once when it is cancelled, and as failed when it is terminated", () => {
    const log = fresh();
    delayed(log, "a", { delayMs: HOUR_MS });
    delayed(log, "b", { delayMs: HOUR_MS });
    log.apply({ kind: "Cancel", runId: "a", reason: "not needed", atMs: log.at });
    log.apply({ kind: "Terminate", runId: "b", reason: "not needed", requestId: "", atMs: log.at });
    expect(log.state.summary("a")).toMatchObject({ status: "cancelled" });
    expect(log.state.summary("b")).toMatchObject({ status: "failed" });
    expect(begin(log, 2 * HOUR_MS)).toMatchObject({ begun: 0 });
    expect(log.state.checkIndex()).toMatchObject({ missing: 0, surplus: 0, miscounted: [] });
  });

  test("begins at once when it is resumed; one that was paused waits for its time again", () => {
    const log = fresh();
    delayed(log, "r", { delayMs: HOUR_MS });
    const pause = {
      kind: "Pause",
      runId: "r",
      reason: "wait",
      isNow: false,
      atMs: log.at,
      owner: 0,
      epoch: 0,
    } as const;
    log.apply(pause);
    expect(log.state.summary("r")?.status).toBe("paused");
    expect(begin(log, log.at + HOUR_MS)).toMatchObject({ begun: 0 });
    log.apply({ kind: "Resume", runId: "r", atMs: log.at });
    expect(log.state.summary("r")).toMatchObject({ status: "delayed", pauseReason: undefined });
    log.apply(pause);
    log.apply({ kind: "Resume", runId: "r", atMs: log.at + HOUR_MS });
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1 });
    delayed(log, "s", { delayMs: HOUR_MS });
    log.apply({ kind: "Resume", runId: "s", atMs: log.at });
    expect(log.state.summary("s")).toMatchObject({ status: "running", owner: 1, attempt: 1 });
  });

  test("outlives a snapshot, and a loss of every node", () => {
    const log = fresh();
    delayed(log, "r", { delayMs: HOUR_MS });
    log.lost(1);
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    expect(restored.state.summary("r")).toEqual(log.state.summary("r"));
    expect(restored.state.size).toEqual(log.state.size);
    expect(restored.state.agenda()).toEqual(log.state.agenda());
    begin(restored, 2 * HOUR_MS);
    expect(restored.state.summary("r")).toMatchObject({ status: "running", owner: 0 });
    restored.register(2);
    restored.moveAll();
    expect(restored.state.summary("r")).toMatchObject({ owner: 2 });
  });

  test("begins in pieces, those that are due first", () => {
    const log = fresh();
    for (let at = 0; at < MAX_BEGUN_AT_ONCE + 2; at++) delayed(log, `r${at}`, { delayMs: 1000 - at });
    expect(begin(log, HOUR_MS)).toMatchObject({ begun: MAX_BEGUN_AT_ONCE, more: true });
    expect([log.state.summary("r0")?.status, log.state.summary("r1")?.status]).toEqual(["delayed", "delayed"]);
    expect(begin(log, HOUR_MS)).toMatchObject({ begun: 2, more: false });
  });
});
