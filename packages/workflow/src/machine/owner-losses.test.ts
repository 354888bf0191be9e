import { describe, expect, test } from "vitest";
import { LOSS_WINDOW_MS, STUCK_LOSSES, SUSPECT_LOSSES } from "../model/runs/owner-losses.ts";
import { ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";

const RUN = "poison";

function started(nodes = [1, 2, 3]): StateLog {
  const log = new StateLog();
  for (const nodeId of nodes) log.register(nodeId);
  log.start(RUN, 1);
  log.state.takeEvents();
  return log;
}

function losses(log: StateLog, runId = RUN): number {
  const run = log.state.summary(runId);
  return run?.status === "running" || run?.status === "stuck" ? run.ownerLosses : Number.NaN;
}

/** The process that executes the run dies, and the node comes back. */
function loseOwner(log: StateLog, runId = RUN, afterMs = 1): void {
  const owner = log.owner(runId) ?? 0;
  const process = log.state.nodes().find(({ nodeId }) => nodeId === owner)?.incarnation ?? "";
  log.at += afterMs;
  expect(log.lost(owner, process)).toMatchObject({ ok: true });
  log.register(owner, [ORDER], `${process}+`);
}

function tell(log: StateLog, isOver: boolean, runId = RUN) {
  const [owner = 0, epoch] = [log.owner(runId), log.epoch(runId)];
  return log.apply({ kind: "Trial", runId, isOver, atMs: log.at, owner, epoch });
}

function suspected(): StateLog {
  const log = started();
  for (let loss = 0; loss < SUSPECT_LOSSES; loss++) loseOwner(log);
  return log;
}

function stuck(): StateLog {
  const log = suspected();
  for (let loss = SUSPECT_LOSSES; loss < STUCK_LOSSES; loss++) {
    tell(log, false);
    loseOwner(log);
  }
  return log;
}

function resume(log: StateLog) {
  return log.apply({ kind: "Resume", runId: RUN, atMs: log.at });
}

describe("a run whose owners end one after the other", () => {
  test("is stuck after five of them, on no node, with the reason, and an event says so", () => {
    const log = started();
    for (let loss = 1; loss <= STUCK_LOSSES; loss++) {
      expect(log.state.summary(RUN)).toMatchObject({ status: "running", ownerLosses: loss - 1 });
      tell(log, false);
      log.state.takeEvents();
      loseOwner(log);
    }
    const events = log.state.takeEvents();
    expect(events.find(({ type }) => type === "owner-changed")).toMatchObject({ to: 0, reason: "stuck" });
    expect(events.find(({ type }) => type === "run-stuck")).toMatchObject({ runId: RUN, reason: "owner-losses" });
    expect(log.state.summary(RUN)).toMatchObject({ status: "stuck", stuckReason: "owner-losses", owner: 0 });
    expect(log.state.size).toMatchObject({
      running: 1,
      stuck: 1,
      paused: 0,
      delayed: 0,
      orphaned: 0,
      toMove: 0,
      finished: 0,
      queued: 0,
    });
    expect(log.state.list({ statuses: ["stuck"] }).runs.map(({ runId }) => runId)).toEqual([RUN]);
    expect(log.state.list({ statuses: ["running"] }).runs).toEqual([]);
    expect([1, 2, 3].flatMap((nodeId) => log.state.ownedBy(nodeId))).toEqual([]);
    // A node that registers does not take it.
    expect(log.register(4)).toMatchObject({ moved: 0, left: 0 });
  });

  test("counts every owner that was lost as long as it is no suspect, whether restarted or taken for dead", () => {
    const log = started([1]);
    log.register(1, [ORDER], "again");
    expect(losses(log)).toBe(1);
    log.lost(1, "again");
    expect(losses(log)).toBe(2);
    log.register(1, [ORDER], "third");
    expect(losses(log)).toBe(2);
  });

  test("forgets them with its next record", () => {
    const log = suspected();
    tell(log, false);
    log.checkpoint(RUN, "a#0", 1, log.owner(RUN) ?? 0, log.epoch(RUN));
    expect(losses(log)).toBe(0);
    // The trial ended with it.
    loseOwner(log);
    expect(losses(log)).toBe(1);
  });

  test("forgets none with a record that it had before", () => {
    const log = started();
    log.checkpoint(RUN, "a#0", 1, 1, log.epoch(RUN));
    loseOwner(log);
    log.checkpoint(RUN, "a#0", 2, log.owner(RUN) ?? 0, log.epoch(RUN));
    expect(losses(log)).toBe(1);
  });

  test("loses none by a drain, and none in a row after a long time", () => {
    const log = started();
    loseOwner(log);
    const [owner = 0] = [log.owner(RUN)];
    log.drain(owner);
    expect(losses(log)).toBe(1);
    loseOwner(log, RUN, LOSS_WINDOW_MS + 1);
    expect(losses(log)).toBe(1);
    loseOwner(log, RUN, LOSS_WINDOW_MS);
    expect(losses(log)).toBe(2);
  });

  test("counts none as a suspect that is not on trial", () => {
    const log = suspected();
    for (let loss = 0; loss < 10; loss++) loseOwner(log);
    expect(losses(log)).toBe(SUSPECT_LOSSES);
    expect(log.state.summary(RUN)).toMatchObject({ status: "running" });
  });

  test("is no suspect any more once it has come through its trial", () => {
    const log = suspected();
    expect(tell(log, true)).toMatchObject({ changed: false });
    expect(tell(log, false)).toMatchObject({ changed: true });
    expect(tell(log, false)).toMatchObject({ changed: false });
    expect(tell(log, true)).toMatchObject({ changed: true });
    expect(losses(log)).toBe(0);
    // Only a suspect is tried.
    expect(tell(log, false)).toMatchObject({ changed: false });
  });

  test("is on trial by the word of its owner alone", () => {
    const log = suspected();
    const stale = { owner: log.owner(RUN) ?? 0, epoch: log.epoch(RUN) - 1 };
    expect(log.apply({ kind: "Trial", runId: RUN, isOver: false, atMs: 0, ...stale })).toMatchObject({
      code: "STALE_OWNER",
    });
  });

  test("is not on trial any more when it was handed over in good order", () => {
    const log = suspected();
    tell(log, false);
    log.drain(log.owner(RUN) ?? 0, log.state.nodes().find(({ nodeId }) => nodeId === log.owner(RUN))?.incarnation);
    loseOwner(log);
    expect(losses(log)).toBe(SUSPECT_LOSSES);
  });
});

describe("a stuck run", () => {
  test("goes on when it is resumed, as if it had lost no owner", () => {
    const log = stuck();
    const before = log.epoch(RUN);
    expect(resume(log)).toMatchObject({ changed: true });
    expect(log.state.summary(RUN)).toMatchObject({ status: "running", ownerLosses: 0, reason: "resume" });
    expect(log.owner(RUN)).toBeGreaterThan(0);
    expect(log.epoch(RUN)).toBeGreaterThan(before);
    expect(resume(log)).toMatchObject({ changed: false });
    expect(log.state.size).toMatchObject({ running: 1, stuck: 0 });
  });

  test("waits for a node that can execute it when there is none at that time", () => {
    const log = stuck();
    for (const { nodeId, incarnation } of log.state.nodes()) log.lost(nodeId, incarnation);
    resume(log);
    expect(log.state.size).toMatchObject({ running: 1, stuck: 0, orphaned: 1 });
    log.register(4);
    expect(log.owner(RUN)).toBe(4);
  });

  test("is cancelled without a body", () => {
    const log = stuck();
    log.apply({ kind: "Cancel", runId: RUN, reason: "enough", atMs: 0 });
    expect(log.state.end(RUN)?.ended?.outcome).toEqual({ status: "cancelled", reason: "enough" });
    expect(log.state.size).toMatchObject({ running: 0, stuck: 0, finished: 1 });
    expect(resume(log)).toMatchObject({ code: "WORKFLOW_FINISHED" });
  });

  test("is cancelled instead when somebody had asked for that", () => {
    const log = suspected();
    log.apply({ kind: "Cancel", runId: RUN, reason: "enough", atMs: 0 });
    for (let loss = SUSPECT_LOSSES; loss < STUCK_LOSSES; loss++) {
      tell(log, false);
      loseOwner(log);
    }
    expect(log.state.end(RUN)?.ended?.outcome).toEqual({ status: "cancelled", reason: "enough" });
  });

  test("keeps the signals that come for it", () => {
    const log = stuck();
    log.apply({ kind: "Signal", runId: RUN, name: "go", payload: new Uint8Array(0), signalId: "s", atMs: 0 });
    resume(log);
    expect(log.state.summary(RUN)).toMatchObject({ signals: ["go"] });
  });

  test.each([
    [
      "a suspect on trial",
      () => {
        const log = suspected();
        tell(log, false);
        return log;
      },
    ],
    ["a stuck run", stuck],
  ])("is in snapshots: %s", (_, made) => {
    const log = made();
    const copy = restoredFrom(log.state, 100);
    expect(copy.summary(RUN)).toEqual(log.state.summary(RUN));
    expect(copy.size).toEqual(log.state.size);
    const bytes = (state: typeof copy) => Buffer.concat([...state.capture(5000)]).toString("hex");
    expect(bytes(copy)).toBe(bytes(log.state));
  });
});

test("of fifty runs that share their owners with one that ends them, that one alone is stuck, after five losses", () => {
  const log = started();
  for (let run = 0; run < 50; run++) log.start(`innocent-${run}`, 1 + (run % 3));
  let lost = 0;
  while (log.state.summary(RUN)?.status === "running") {
    // Each node tries its suspects in the order of their start; what is no suspect comes to rest.
    const owner = log.owner(RUN) ?? 0;
    for (const { runId, startIndex } of log.state.ownedBy(owner)) {
      const isBefore = startIndex < (log.state.summary(RUN)?.startIndex ?? 0);
      if (runId !== RUN && isBefore && losses(log, runId) >= SUSPECT_LOSSES) {
        tell(log, false, runId);
        tell(log, true, runId);
      }
    }
    tell(log, false);
    loseOwner(log);
    lost += 1;
  }
  expect(lost).toBe(STUCK_LOSSES);
  expect(log.state.list({ statuses: ["stuck"] }).runs.map(({ runId }) => runId)).toEqual([RUN]);
  expect(log.state.size).toMatchObject({ running: 51, stuck: 1, toMove: 0 });
});
