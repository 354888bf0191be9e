import { describe, expect, test } from "vitest";
import { ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";

describe("losing a node", () => {
  test("one command spreads all of its runs evenly over the live nodes that can take them", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.register(3);
    log.register(4, []);
    for (let run = 0; run < 10; run++) log.start(`run-${run}`, 1);
    expect(log.lost(1)).toMatchObject({ ok: true, moved: 10, orphaned: 0 });
    expect(log.state.nodes().map(({ nodeId, running }) => [nodeId, running])).toEqual([
      [1, 0],
      [2, 5],
      [3, 5],
      [4, 0],
    ]);
    const events = log.state.takeEvents().filter((event) => event.type === "owner-changed");
    expect(events).toHaveLength(10);
    expect(events[0]).toMatchObject({ from: 1, to: 2, reason: "node-failure" });
  });

  test("hands them on in the order of their start, also on a node restored from a snapshot (move-runs.ts MR1)", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.register(3);
    for (const runId of ["a", "b", "c"]) log.start(runId, 1);
    const move = { kind: "OwnerChange", runId: "a", reason: "load-balancing", atMs: 0, epoch: 0 } as const;
    log.apply({ ...move, oldOwner: 1, newOwner: 2 });
    log.apply({ ...move, oldOwner: 2, newOwner: 1 });
    const copy = restoredFrom(log.state);
    log.lost(1);
    copy.apply(log.index, { kind: "NodeLost", nodeId: 1, incarnation: "process-1", atMs: 0, forget: false });
    const owners = ["a", "b", "c"].map((runId) => copy.summary(runId)?.owner);
    expect(owners).toEqual([2, 3, 2]);
    expect(["a", "b", "c"].map((runId) => log.owner(runId))).toEqual(owners);
  });

  test("leaves runs that no node can take as orphans, until a node that can registers", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2, []);
    log.start("a", 1);
    expect(log.lost(1)).toMatchObject({ moved: 1, orphaned: 1 });
    expect(log.state.size).toMatchObject({ running: 1, orphaned: 1 });
    expect(log.register(3)).toMatchObject({ moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 3, reason: "adoption", attempt: 2 });
  });

  test("is refused when the node has registered another process meanwhile", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    log.register(1, [ORDER], "restarted");
    expect(log.lost(1, "process-1")).toMatchObject({ code: "NODE_NOT_REGISTERED" });
    expect(log.owner("a")).toBe(1);
  });

  test("a node that left for good is forgotten, with the types only it had", () => {
    const log = new StateLog();
    log.register(1, [ORDER, { type: "mail", version: 1 }]);
    log.register(2);
    log.lost(1, "process-1", true);
    expect(log.state.nodes().map((node) => node.nodeId)).toEqual([2]);
    expect(log.start("a", 2, { workflowType: "mail" })).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
  });

  test("a node that drains hands over its runs and takes no others", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    expect(log.apply({ kind: "NodeDrain", nodeId: 1, incarnation: "process-1", atMs: 0 })).toMatchObject({ moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 2, reason: "drain" });
    expect(log.start("b", 1)).toMatchObject({ owner: 2 });
  });
});

describe("registering", () => {
  test("again, the same process changes nothing", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    expect(log.register(1)).toMatchObject({ moved: 0 });
    expect(log.epoch("a")).toBe(epoch);
  });

  test("a new process of a node keeps its runs, under new epochs (move-runs.ts MR3)", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    expect(log.register(1, [ORDER], "restarted")).toMatchObject({ moved: 1, orphaned: 0 });
    expect(log.state.summary("a")).toMatchObject({ owner: 1, reason: "restart", attempt: 2 });
    expect(log.epoch("a")).toBeGreaterThan(epoch);
  });

  test("a new process without a run's type gives the run up (tables.ts O2)", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    log.register(1, [], "restarted");
    expect(log.owner("a")).toBe(2);
  });
});

describe("changing the owner of one run", () => {
  test("moves it to a node that can take it", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    const move = { kind: "OwnerChange", runId: "a", reason: "load-balancing", atMs: 0, epoch: 0 } as const;
    expect(log.apply({ ...move, oldOwner: 2, newOwner: 1 })).toMatchObject({ code: "STALE_OWNER" });
    expect(log.apply({ ...move, oldOwner: 1, newOwner: 3 })).toMatchObject({ code: "OWNER_INCAPABLE" });
    expect(log.apply({ ...move, oldOwner: 1, newOwner: 2 })).toMatchObject({ ok: true, moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 2, reason: "load-balancing" });
  });
});
