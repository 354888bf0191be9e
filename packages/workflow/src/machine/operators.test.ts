import { describe, expect, test } from "vitest";
import type { BulkAction, MendedRunName } from "../commands/operators/mend-runs.ts";
import { NO_LIMITS } from "../model/runs/run-queue.ts";
import { NO_SETTINGS } from "../model/schedule.ts";
import { encodeConditions } from "../state/lists/conditions-codec.ts";
import type { RunConditions } from "../state/lists/run-query.ts";
import { NOTHING, restoredFrom, StateLog } from "../testing/state-log.ts";

const MAIL = { type: "mail", version: 1 };

function pauseType(log: StateLog, workflowType: string, isPaused = true) {
  return log.apply({ kind: "PauseType", workflowType, isPaused, reason: "the bank is closed", atMs: log.at });
}

/** What the owner of a run says once it holds still. */
function holdsStill(log: StateLog, runId: string) {
  const owner = log.owner(runId) ?? 0;
  const epoch = log.epoch(runId);
  return log.apply({ kind: "Pause", runId, reason: "", isNow: false, atMs: log.at, owner, epoch });
}

function begun(): StateLog {
  const log = new StateLog();
  log.register(1, [{ type: "order", version: 1 }, MAIL]);
  log.register(2);
  log.start("before");
  return log;
}

describe("a paused type", () => {
  test("takes starts, which no node executes, and its running runs rest once their owners hold still", () => {
    const log = begun();
    expect(pauseType(log, "order")).toMatchObject({ ok: true, changed: true });
    expect(pauseType(log, "order")).toMatchObject({ ok: true, changed: false });
    expect(log.start("after")).toMatchObject({ ok: true, created: true, owner: 0 });
    expect(log.state.summary("before")).toMatchObject({ owner: 1, pauseReason: expect.stringContaining("bank") });
    expect(holdsStill(log, "before")).toMatchObject({ ok: true });
    for (const runId of ["before", "after"])
      expect(log.state.summary(runId)).toMatchObject({ status: "running", owner: 0 });
    expect(log.state.size).toMatchObject({ running: 2, resting: 2, orphaned: 0, toMove: 0 });
    log.start("letter", 1, { workflowType: "mail" });
    expect(log.owner("letter")).toBe(1);
    expect(log.state.pausedTypes()).toEqual([
      { workflowType: "order", reason: "the bank is closed", by: "", atMs: log.at },
    ]);
  });

  test("outlasts the loss and the return of every node, and a snapshot", () => {
    const log = begun();
    pauseType(log, "order");
    log.lost(1);
    log.lost(2);
    log.register(1, undefined, "again");
    log.moveAll();
    expect(log.owner("before")).toBe(0);
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    expect(restored.state.pausedTypes()).toHaveLength(1);
    expect(restored.start("after")).toMatchObject({ owner: 0 });
    expect(restored.state.size).toMatchObject({ resting: 2, toMove: 0 });
  });

  test("goes on with all of its runs once it is resumed, piece by piece", () => {
    const log = begun();
    pauseType(log, "order");
    holdsStill(log, "before");
    for (let run = 0; run < 600; run++) log.start(`run-${run}`);
    expect(pauseType(log, "order", false)).toMatchObject({ changed: true });
    expect(log.state.size.toMove).toBe(601 - 256);
    log.moveAll();
    expect(log.state.size).toMatchObject({ resting: 0, orphaned: 0, toMove: 0 });
    expect(log.owner("before")).not.toBe(0);
    expect(log.state.pausedTypes()).toEqual([]);
  });

  test("gives a run back to a node that holds still for a pause which is over", () => {
    const log = begun();
    pauseType(log, "order");
    pauseType(log, "order", false);
    const epoch = log.epoch("before");
    holdsStill(log, "before");
    expect(log.owner("before")).not.toBe(0);
    expect(log.epoch("before")).toBeGreaterThan(epoch);
  });

  test("keeps a run that is to cancel, so that its code cleans up afterwards, and ends one at once that no node has had", () => {
    const log = begun();
    pauseType(log, "order");
    log.start("after");
    holdsStill(log, "before");
    for (const runId of ["before", "after"])
      expect(log.apply({ kind: "Cancel", runId, reason: "enough", atMs: log.at })).toMatchObject({ changed: true });
    log.lost(1);
    log.lost(2);
    expect(log.state.size).toMatchObject({ running: 1 });
    expect(log.state.summary("after")).toMatchObject({ status: "cancelled" });
    log.register(2, undefined, "again");
    pauseType(log, "order", false);
    expect(log.state.summary("before")).toMatchObject({ owner: 2, cancelReason: "enough" });
  });

  test("keeps a run that continues as new, and a run whose code does not fit", () => {
    const log = begun();
    log.start("held");
    const held = { owner: 1, epoch: log.epoch("held"), path: "x#0", expected: "a", recorded: "b", atMs: log.at };
    log.lost(2);
    log.apply({ kind: "Hold", runId: "held", ...held });
    pauseType(log, "order");
    const owned = { runId: "before", owner: 1, epoch: log.epoch("before"), atMs: log.at };
    expect(log.apply({ kind: "ContinueAsNew", ...owned, input: NOTHING, version: 1 })).toMatchObject({ ok: true });
    expect(log.owner("before")).toBe(0);
    log.register(2, undefined, "with other code");
    log.moveAll();
    expect(log.state.summary("held")).toMatchObject({ status: "stuck", owner: 0 });
    expect(pauseType(log, "")).toMatchObject({ ok: false, code: "NAME_INVALID" });
  });
});

describe("many runs at once", () => {
  function many(log: StateLog, action: BulkAction, conditions: RunConditions, runIds: readonly string[]) {
    const runs = runIds.map((runId): MendedRunName => {
      return { runId, startIndex: log.state.summary(runId)?.startIndex ?? 0, from: "" };
    });
    const more = { reason: "all of them", requestId: action, atMs: log.at, by: "ada" };
    return log.apply({ kind: "MendRuns", action, conditions: encodeConditions(conditions), runs, ...more });
  }

  const outcomes = (result: unknown): readonly string[] =>
    (result as { readonly runs: readonly { readonly outcome: string }[] }).runs.map(({ outcome }) => outcome);

  test("are judged again when the command is applied", () => {
    const log = begun();
    for (const runId of ["a", "b", "c"]) log.start(runId);
    const listed = log.state.summary("c")?.startIndex ?? 0;
    log.end("a", 1, log.epoch("a"));
    log.end("c", 1, log.epoch("c"));
    log.apply({ kind: "Delete", runId: "c", atMs: log.at });
    log.start("c");
    expect(log.state.summary("c")?.startIndex).toBeGreaterThan(listed);
    const conditions = encodeConditions({ statuses: ["running"] });
    const runs = ["a", "b", "c", "none"].map((runId) => {
      return { runId, startIndex: runId === "c" ? listed : (log.state.summary(runId)?.startIndex ?? 0), from: "" };
    });
    const command = { kind: "MendRuns", action: "terminate", conditions, runs, reason: "", requestId: "x" } as const;
    const result = log.apply({ ...command, atMs: log.at });
    expect(outcomes(result)).toEqual(["unchanged", "done", "unchanged", "unchanged"]);
    expect(log.state.end("b")?.ended).toMatchObject({ outcome: { status: "failed" } });
    expect(log.state.summary("c")?.status).toBe("running");
    // Sent again after its answer was lost.
    expect(outcomes(log.apply({ ...command, atMs: log.at }))).toEqual(Array.from({ length: 4 }, () => "unchanged"));
  });

  test("are cancelled, terminated, retried, paused, resumed and deleted; a refusal harms no other", () => {
    const log = begun();
    for (const runId of ["a", "b", "c"]) log.start(runId);
    expect(outcomes(many(log, "pause", {}, ["a", "b"]))).toEqual(["done", "done"]);
    expect(outcomes(many(log, "resume", {}, ["a", "c"]))).toEqual(["done", "unchanged"]);
    expect(outcomes(many(log, "cancel", { workflowType: "order" }, ["a"]))).toEqual(["done"]);
    expect(outcomes(many(log, "terminate", { statuses: ["running"] }, ["b", "c"]))).toEqual(["done", "done"]);
    expect(outcomes(many(log, "delete", {}, ["a", "b"]))).toEqual(["WORKFLOW_RUNNING", "done"]);
    expect(outcomes(many(log, "retry", { statuses: ["failed"] }, ["c"]))).toEqual(["done"]);
    expect(outcomes(many(log, "terminate", {}, ["before"]))).toEqual(["done"]);
    const broken = { kind: "MendRuns", action: "delete", runs: [], reason: "", requestId: "", atMs: 1 } as const;
    for (const text of ["", "[]", '{"statuses":["lost"]}', '{"attributes":[{"in":[{}]}]}'])
      expect(log.apply({ ...broken, conditions: new TextEncoder().encode(text) })).toMatchObject({ ok: false });
  });

  test("are at most as many as one command may change", () => {
    const log = begun();
    const runIds = Array.from({ length: 100 }, (_, run) => `run-${run}`);
    for (const runId of runIds) log.start(runId);
    expect(outcomes(many(log, "terminate", {}, runIds))).toHaveLength(32);
    expect(log.state.size.finished).toBe(32);
  });
});

describe("the audit", () => {
  test("has who did what, when and why, the latest first, and nothing of what changed nothing", () => {
    const log = begun();
    log.at = 5_000;
    log.apply({ kind: "Cancel", runId: "before", reason: "enough", atMs: log.at, by: "ada" });
    log.apply({ kind: "Cancel", runId: "before", reason: "again", atMs: log.at, by: "ada" });
    log.apply({ kind: "Cancel", runId: "none", reason: "", atMs: log.at, by: "ada" });
    log.start("unseen");
    log.apply({ kind: "Terminate", runId: "unseen", reason: "", requestId: "a", atMs: log.at });
    log.at = 6_000;
    const leave = { action: "remove-node", subject: "3", detail: "", reason: "broken", by: "bob" };
    log.apply({ kind: "Audit", ...leave, atMs: log.at });
    const { entries } = log.state.audit({ limit: 10 });
    expect(entries).toMatchObject([
      { ...leave, atMs: 6_000 },
      { by: "ada", action: "cancel", subject: "before", reason: "enough", atMs: 5_000 },
    ]);
    expect(log.state.audit({ limit: 10, subject: "before" }).entries).toHaveLength(1);
    expect(log.state.audit({ limit: 10, by: "bob" }).entries).toHaveLength(1);
    const [first] = log.state.audit({ limit: 1 }).entries;
    const page = log.state.audit({ limit: 1 });
    expect(log.state.audit({ limit: 9, ...(page.next === undefined ? {} : { before: page.next }) }).entries).toEqual(
      entries.slice(1),
    );
    expect(log.state.takeEvents().filter(({ type }) => type === "operator-acted")).toHaveLength(2);
    expect(restoredFrom(log.state).audit({ limit: 10 }).entries).toEqual([first, ...entries.slice(1)]);
  });

  test("keeps the latest 10,000 entries, and 4 MiB of them", () => {
    const log = begun();
    const act = (reason: string): void =>
      void log.apply({ kind: "Audit", action: "x", subject: "y", detail: "", reason, by: "ada", atMs: log.at });
    for (let entry = 0; entry < 10_050; entry++) act(String(entry));
    const all = (): number => {
      let [count, before]: [number, number | undefined] = [0, undefined];
      do {
        const page = log.state.audit({ limit: 1000, ...(before === undefined ? {} : { before }) });
        count += page.entries.length;
        before = page.next;
      } while (before !== undefined);
      return count;
    };
    expect(all()).toBe(10_000);
    for (let entry = 0; entry < 6_000; entry++) act("x".repeat(5_000));
    expect(all()).toBeLessThan(4_300);
    expect(all()).toBeGreaterThan(3_000);
    const restored = new StateLog(restoredFrom(log.state, 64 * 1024));
    restored.index = log.index;
    restored.apply({ kind: "Audit", action: "x", subject: "y", detail: "", reason: "", by: "ada", atMs: log.at });
    act("");
    expect([...restored.state.capture(65536)].length).toBe([...log.state.capture(65536)].length);
  });
});

describe("queues and schedules that are changed", () => {
  const audited = (log: StateLog) =>
    log.state.audit({ limit: 100 }).entries.map(({ by, action, subject, reason }) => [by, action, subject, reason]);

  test("leave an entry for each change by an operator, and none for a declaration or for what changed nothing", () => {
    const log = begun();
    const limits = { ...NO_LIMITS, concurrency: 1 };
    const asked = { by: "ada", reason: "busy", atMs: log.at };
    log.apply({ kind: "QueueDefine", name: "declared", limits, isDeclared: true, atMs: log.at });
    for (let time = 0; time < 2; time++) {
      log.apply({ kind: "QueueDefine", name: "mail", limits, isDeclared: false, ...asked });
      log.apply({ kind: "QueuePause", name: "mail", isPaused: true, ...asked });
      expect(log.apply({ kind: "QueuePause", name: "none", isPaused: true, ...asked })).toMatchObject({ ok: false });
    }
    log.apply({ kind: "QueueDelete", name: "mail", ...asked });
    expect(audited(log)).toEqual([
      ["ada", "delete-queue", "mail", "busy"],
      ["ada", "pause-queue", "mail", "busy"],
      ["ada", "define-queue", "mail", "busy"],
    ]);
    const restored = new StateLog(restoredFrom(log.state));
    expect(audited(restored)).toEqual(audited(log));
  });

  test("have the note of a pause as its reason", () => {
    const log = begun();
    const settings = { ...NO_SETTINGS, workflowType: "order" };
    const times = { nextMs: 0, nextDueMs: 0 };
    const created = { scheduleId: "s", generation: 0, settings, ...times, isPaused: false, note: "", requestId: "" };
    log.apply({ kind: "ScheduleSet", ...created, by: "ada", reason: "each hour", atMs: log.at });
    const change = { scheduleId: "s", generation: 0, ...times, by: "bob", atMs: log.at };
    log.apply({ kind: "ScheduleChange", action: "pause", note: "enough", ...change });
    log.apply({ kind: "ScheduleChange", action: "delete", note: "old", ...change });
    expect(log.apply({ kind: "ScheduleChange", action: "pause", note: "gone", ...change })).toMatchObject({
      ok: false,
    });
    expect(audited(log)).toEqual([
      ["bob", "delete-schedule", "s", "old"],
      ["bob", "pause-schedule", "s", "enough"],
      ["ada", "create-schedule", "s", "each hour"],
    ]);
  });
});
