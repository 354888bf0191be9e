/** Which behaviours of the engine a run has, and which nodes may execute it (node-table.ts NT5). */
import { describe, expect, test } from "vitest";
import { NOTHING, ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";

/** A log with nodes of these levels, from node 1 on. */
function withNodes(...levels: readonly number[]): StateLog {
  const log = new StateLog();
  for (const [at, level] of levels.entries()) join(log, at + 1, level);
  return log;
}

function join(log: StateLog, nodeId: number, level: number, incarnation = `process-${nodeId}`) {
  return log.register(nodeId, [ORDER], incarnation, level);
}

function levelOf(log: StateLog, runId: string): number | undefined {
  return log.state.summary(runId)?.behaviourLevel;
}

describe("a run that begins", () => {
  test("has the behaviours that all registered nodes have, lost ones included, until those are forgotten", () => {
    const log = withNodes(3, 2, 1);
    log.start("mixed");
    log.lost(3);
    log.start("one lost");
    log.lost(3, "process-3", true);
    log.start("one forgotten");
    join(log, 2, 3, "upgraded");
    log.start("upgraded");
    join(log, 4, 0);
    log.start("an old one joined");
    const runs = ["mixed", "one lost", "one forgotten", "upgraded", "an old one joined"];
    expect(runs.map((runId) => levelOf(log, runId))).toEqual([1, 1, 2, 3, 0]);
    const restored = restoredFrom(log.state);
    expect(runs.map((runId) => restored.summary(runId)?.behaviourLevel)).toEqual([1, 1, 2, 3, 0]);
    expect(restored.nodes()).toEqual(log.state.nodes());
  });

  test("keeps them over its owners, and gets those of the moment with its next generation", () => {
    const log = withNodes(1, 1);
    log.start("r", 1);
    join(log, 1, 2, "upgraded");
    join(log, 2, 2, "upgraded");
    log.moveAll();
    expect(levelOf(log, "r")).toBe(1);
    const { owner = 0, epoch = 0 } = log.state.summary("r") ?? {};
    const continued = { kind: "ContinueAsNew", runId: "r", input: NOTHING, atMs: log.at, owner, epoch } as const;
    expect(log.apply(continued)).toMatchObject({ ok: true, generation: 2 });
    expect(levelOf(log, "r")).toBe(2);
    expect(log.state.takeEvents().at(-1)).toMatchObject({ type: "run-continued", behaviourLevel: 2 });
  });
});

describe("a node that lacks a behaviour of a run", () => {
  test("does not get the run, whose turn comes when one registers that has it", () => {
    const log = withNodes(2);
    log.start("new", 1);
    join(log, 2, 1);
    log.start("old", 1);
    log.lost(1);
    log.moveAll();
    expect([log.owner("new"), log.owner("old")]).toEqual([0, 2]);
    expect(log.state.summary("new")?.status).toBe("running");
    expect(log.state.size).toMatchObject({ orphaned: 1, toMove: 0 });
    expect(log.state.waiting()).toEqual([{ ...ORDER, behaviourLevel: 2, runs: 1 }]);
    const restored = restoredFrom(log.state);
    expect([restored.waiting(), restored.size]).toEqual([log.state.waiting(), log.state.size]);
    expect(join(log, 3, 1)).toMatchObject({ moved: 0, left: 0 });
    join(log, 4, 3);
    expect(log.owner("new")).toBe(4);
    expect(log.state.size).toMatchObject({ orphaned: 0, toMove: 0 });
  });

  test("does not get it back when it was the owner, and restarts as an earlier release", () => {
    const log = withNodes(1, 1);
    log.start("r", 1);
    join(log, 1, 0, "rolled back");
    expect(log.owner("r")).toBe(2);
    const { epoch = 0 } = log.state.summary("r") ?? {};
    const toOld = { kind: "OwnerChange", runId: "r", oldOwner: 2, newOwner: 1, epoch, atMs: log.at } as const;
    expect(log.apply({ ...toOld, reason: "load-balancing" })).toMatchObject({ code: "OWNER_INCAPABLE" });
    expect(log.owner("r")).toBe(2);
  });

  test("registers again when its process has other behaviours, and changes nothing when it has the same", () => {
    const log = withNodes(1);
    log.state.takeEvents();
    join(log, 1, 1);
    expect(log.state.takeEvents()).toEqual([]);
    join(log, 1, 2);
    expect(log.state.takeEvents()).toHaveLength(1);
  });

  test("does not get a held run; one that has the behaviours gets held runs of all of its levels", () => {
    const log = withNodes(0);
    const hold = (runId: string): void => {
      const { owner = 0, epoch = 0 } = log.state.summary(runId) ?? {};
      const mismatch = { path: "a#0", expected: "a step", recorded: "a sleep" };
      expect(log.apply({ kind: "Hold", runId, ...mismatch, atMs: log.at, owner, epoch })).toMatchObject({ ok: true });
      expect(log.state.summary(runId)?.status).toBe("stuck");
    };
    for (const level of [0, 2, 5]) {
      join(log, 1, level, `level ${level}`);
      log.start(`of ${level}`, 1);
      // Its process is the only one, and has tried it.
      hold(`of ${level}`);
    }
    const statuses = () => ["of 0", "of 2", "of 5"].map((runId) => log.state.summary(runId)?.status);
    // What a process of a higher level brought back is held again by then.
    for (const runId of ["of 0", "of 2"]) if (log.state.summary(runId)?.status === "running") hold(runId);
    expect(statuses()).toEqual(["stuck", "stuck", "stuck"]);
    expect(join(log, 2, 1)).toMatchObject({ moved: 1, left: 0 });
    expect(statuses()).toEqual(["running", "stuck", "stuck"]);
    expect(join(log, 3, 4)).toMatchObject({ moved: 1, left: 0 });
    expect(statuses()).toEqual(["running", "running", "stuck"]);
    expect(log.state.size.toMove).toBe(0);
    expect(join(log, 4, 5)).toMatchObject({ moved: 1, left: 0 });
    expect(statuses()).toEqual(["running", "running", "running"]);
  });
});
