import { describe, expect, test } from "vitest";
import { ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";

const MISMATCH = { path: "pay#0", expected: "step", recorded: "sleep pay#0" };

function started(nodes: readonly number[]): StateLog {
  const log = new StateLog();
  for (const nodeId of nodes) log.register(nodeId);
  log.start("r", 1);
  log.state.takeEvents();
  return log;
}

function hold(log: StateLog, runId = "r") {
  const [owner = 0, epoch] = [log.owner(runId), log.epoch(runId)];
  return log.apply({ kind: "Hold", runId, ...MISMATCH, atMs: log.at, owner, epoch });
}

describe("a run whose code does not fit", () => {
  test("goes to each live process that has not tried it, and is then stuck with what differs", () => {
    const log = started([1, 2, 3]);
    const tried = new Set<number>();
    for (const _ of [1, 2, 3]) {
      expect(log.state.summary("r")?.status).toBe("running");
      tried.add(log.owner("r") ?? 0);
      expect(hold(log)).toMatchObject({ ok: true });
    }
    expect(tried).toEqual(new Set([1, 2, 3]));
    expect(log.state.summary("r")).toMatchObject({
      status: "stuck",
      stuckReason: "code-mismatch",
      owner: 0,
      mismatch: MISMATCH,
    });
    expect(log.state.size).toMatchObject({ running: 1, stuck: 1, toMove: 0 });
    expect(log.state.takeEvents().filter(({ type }) => type === "run-stuck")).toEqual([
      expect.objectContaining({ runId: "r", reason: "code-mismatch", mismatch: expect.objectContaining(MISMATCH) }),
    ]);
  });

  test("goes on when a process registers its type, once for each registration, also after a snapshot", () => {
    const log = started([1]);
    hold(log);
    expect(log.register(2, [{ type: "other", version: 1 }])).toMatchObject({ ok: true, moved: 0 });
    expect(log.state.summary("r")?.status).toBe("stuck");
    const restored = restoredFrom(log.state);
    expect(restored.summary("r")).toEqual(log.state.summary("r"));
    expect(restored.size).toEqual(log.state.size);
    log.register(1, [ORDER], "1+");
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1 });
    hold(log);
    expect(log.state.summary("r")?.status).toBe("stuck");
    expect(log.apply({ kind: "MoveRuns", atMs: log.at })).toMatchObject({ ok: true, moved: 0, left: 0 });
    log.register(3, [ORDER]);
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 3 });
  });

  test("is cancelled where somebody has asked for it, before or after it is held", () => {
    const log = started([1, 2]);
    log.apply({ kind: "Cancel", runId: "r", reason: "enough", atMs: log.at });
    hold(log);
    expect(log.state.summary("r")).toMatchObject({ status: "cancelled" });
    const late = started([1]);
    hold(late);
    late.apply({ kind: "Cancel", runId: "r", reason: "enough", atMs: late.at });
    expect(late.state.summary("r")).toMatchObject({ status: "cancelled" });
  });

  test("is given to any process by resume, and refused to an owner that is not its own", () => {
    const log = started([1]);
    hold(log);
    expect(log.apply({ kind: "Resume", runId: "r", atMs: log.at })).toMatchObject({ changed: true });
    expect(log.state.summary("r")).toMatchObject({ status: "running", owner: 1 });
    const epoch = log.epoch("r");
    expect(log.apply({ kind: "Hold", runId: "r", ...MISMATCH, atMs: log.at, owner: 2, epoch })).toMatchObject({
      ok: false,
      code: "STALE_OWNER",
    });
  });

  test("of thousands move in pieces, and texts of any length leave the run's record small", () => {
    const log = started([1]);
    for (let at = 0; at < 1000; at++) {
      log.start(`r${at}`, 1);
      hold(log, `r${at}`);
    }
    const [owner = 0, epoch] = [log.owner("r"), log.epoch("r")];
    log.apply({
      kind: "Hold",
      runId: "r",
      path: "p",
      expected: "e".repeat(1_000_000),
      recorded: "",
      atMs: log.at,
      owner,
      epoch,
    });
    const held = log.state.summary("r");
    expect(held?.status === "stuck" && (held.mismatch?.expected.length ?? 0) < 2000).toBe(true);
    expect(log.register(2, [ORDER])).toMatchObject({ moved: 256 });
    expect(log.state.size.toMove).toBeGreaterThan(0);
    let pieces = 0;
    while (log.state.size.toMove > 0) {
      log.apply({ kind: "MoveRuns", atMs: log.at });
      pieces += 1;
    }
    expect(pieces).toBe(3);
    expect(log.state.size).toMatchObject({ stuck: 0, running: 1001 });
  });
});
