import { describe, expect, test } from "vitest";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";

const TYPES = [
  { type: "order", version: 1 },
  { type: "mail", version: 1 },
];

function world(): StateLog {
  const log = new StateLog();
  for (const nodeId of [1, 2]) log.register(nodeId, TYPES);
  return log;
}

function pauseType(log: StateLog, isPaused = true): void {
  log.apply({ kind: "PauseType", workflowType: "mail", isPaused, reason: "the post rests", atMs: log.at });
}

function through(log: StateLog): readonly string[] {
  const { runs } = log.state.list({ statuses: ["running"], limit: 1_000, isAscending: true });
  return runs.map(({ runId }) => runId);
}

function mail(log: StateLog, runId: string): void {
  log.enqueue(runId, "q", {}, { workflowType: "mail" });
}

describe("a paused type in a queue", () => {
  test("is passed over, takes no place of others, and has its turn once it is resumed", () => {
    const log = world();
    log.queue("q", { concurrency: 2 });
    pauseType(log);
    for (const runId of ["mail-1", "mail-2"]) mail(log, runId);
    for (const runId of ["a", "b", "c"]) log.enqueue(runId, "q");
    expect(through(log)).toEqual(["a", "b"]);
    expect(log.state.summary("mail-1")).toMatchObject({
      status: "queued",
      pauseReason: expect.stringContaining("post"),
    });
    expect(log.state.size).toMatchObject({ running: 5, queued: 3, resting: 0, orphaned: 0, toMove: 0 });
    pauseType(log, false);
    expect(through(log)).toEqual(["a", "b"]);
    for (const runId of ["a", "b"]) log.end(runId, log.owner(runId) ?? 0, log.epoch(runId));
    expect(through(log)).toEqual(["mail-1", "mail-2"]);
    expect(log.state.checkQueues()).toEqual([]);
  });

  test("begins at once when it is resumed and there is room", () => {
    const log = world();
    log.queue("q", { concurrency: 2 });
    pauseType(log);
    for (const runId of ["mail-1", "mail-2", "mail-3"]) mail(log, runId);
    expect(through(log)).toEqual([]);
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    for (const each of [log, restored]) {
      pauseType(each, false);
      expect(through(each)).toEqual(["mail-1", "mail-2"]);
      expect(each.state.checkQueues()).toEqual([]);
    }
  });

  test("that was let through waits in its queue again once its owner holds still, and keeps its place when its owner is lost", () => {
    const log = world();
    log.queue("q", { concurrency: 2 });
    for (const runId of ["mail-1", "mail-2"]) mail(log, runId);
    pauseType(log);
    const owner = log.owner("mail-1") ?? 0;
    const epoch = log.epoch("mail-1");
    log.apply({ kind: "Pause", runId: "mail-1", reason: "", isNow: false, atMs: log.at, owner, epoch });
    expect(log.state.summary("mail-1")).toMatchObject({ status: "queued", owner: 0 });
    log.lost(log.owner("mail-2") ?? 0);
    log.moveAll();
    expect(log.state.summary("mail-2")).toMatchObject({ status: "running", owner: 0 });
    expect(log.state.size).toMatchObject({ running: 2, queued: 1, resting: 1, orphaned: 0, toMove: 0 });
    pauseType(log, false);
    expect(through(log)).toEqual(["mail-1", "mail-2"]);
    expect(log.state.size).toMatchObject({ running: 2, queued: 0, resting: 0, orphaned: 0 });
    expect(log.state.checkQueues()).toEqual([]);
  });

  test("ends a run at once that is to cancel and that no node has had", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    pauseType(log);
    mail(log, "mail-1");
    log.apply({ kind: "Cancel", runId: "mail-1", reason: "enough", atMs: log.at });
    expect(log.state.summary("mail-1")).toMatchObject({ status: "cancelled" });
    expect(log.state.checkQueues()).toEqual([]);
  });

  test("keeps a run that is to cancel, so that its code cleans up afterwards", () => {
    const log = world();
    log.queue("q", { concurrency: 1 });
    mail(log, "mail-1");
    pauseType(log);
    const [owner, epoch] = [log.owner("mail-1") ?? 0, log.epoch("mail-1")];
    log.apply({ kind: "Pause", runId: "mail-1", reason: "", isNow: false, atMs: log.at, owner, epoch });
    log.apply({ kind: "Cancel", runId: "mail-1", reason: "enough", atMs: log.at });
    expect(log.state.summary("mail-1")).toMatchObject({ status: "queued", cancelReason: "enough" });
    pauseType(log, false);
    expect(log.state.summary("mail-1")).toMatchObject({ status: "running", cancelReason: "enough" });
    expect(log.owner("mail-1")).not.toBe(0);
  });
});
