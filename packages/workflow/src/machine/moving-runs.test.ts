import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_MOVED_AT_ONCE } from "../commands/runs/move-runs.ts";
import { CountingStore } from "../testing/counting-store.ts";
import { ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

const PIECES = 4;
const MANY = PIECES * MAX_MOVED_AT_ONCE;

function withRuns(count: number, nodes: readonly number[] = [1, 2, 3], state?: WorkflowState): StateLog {
  const log = new StateLog(state);
  for (const nodeId of nodes) log.register(nodeId);
  for (let run = 0; run < count; run++) log.start(`run-${run}`, 1);
  log.state.takeEvents();
  return log;
}

function moves(log: StateLog) {
  return log.state.takeEvents().filter((event) => event.type === "owner-changed");
}

describe("the runs of a node that is gone", () => {
  test.each([
    ["lost", (log: StateLog) => log.lost(1)],
    ["drained", (log: StateLog) => log.drain(1)],
    ["forgotten", (log: StateLog) => log.lost(1, "process-1", true)],
  ])("are moved in pieces, evenly, each once: %s", (_, leave) => {
    const log = withRuns(MANY);
    expect(leave(log)).toMatchObject({ moved: MAX_MOVED_AT_ONCE, orphaned: 0, left: MANY - MAX_MOVED_AT_ONCE });
    expect(log.moveAll()).toBe(PIECES - 1);
    const moved = moves(log);
    expect(moved).toHaveLength(MANY);
    expect(new Set(moved.map(({ runId }) => runId)).size).toBe(MANY);
    const running = new Map(log.state.nodes().map((node) => [node.nodeId, node.running]));
    expect([running.get(2), running.get(3)]).toEqual([MANY / 2, MANY / 2]);
    expect(log.move()).toMatchObject({ moved: 0, left: 0 });
  });

  test("have no owner until they are moved, and take nothing from the one before (tables.ts O1)", () => {
    const log = withRuns(MANY);
    const last = `run-${MANY - 1}`;
    const before = log.epoch(last);
    log.lost(1);
    expect(log.state.summary(last)).toMatchObject({ status: "running", owner: 0, epoch: before });
    expect(log.checkpoint(last, "x#0", 1, 1, before)).toMatchObject({ code: "STALE_OWNER", details: { owner: 0 } });
    expect(log.end(last, 1, before)).toMatchObject({ code: "STALE_OWNER" });
    expect(log.state.ownedBy(1)).toEqual([]);
    expect(log.state.list({ statuses: ["running"], owner: 1 }).runs).toEqual([]);
    expect(log.state.list({ statuses: ["running"], owner: 0 }).runs[0]?.runId).toBe(last);
    // The process before comes back: it has a seat, and these runs are not on it.
    log.register(1, [ORDER], "restarted");
    expect(log.checkpoint(last, "x#0", 1, 1, before)).toMatchObject({ code: "STALE_OWNER" });
    log.moveAll();
    expect(log.owner(last)).toBeGreaterThan(0);
    expect(log.epoch(last)).toBeGreaterThan(before);
  });

  test("take signals and cancellations while they wait for their move", () => {
    const log = withRuns(MANY);
    const last = `run-${MANY - 1}`;
    log.lost(1);
    log.apply({ kind: "Signal", runId: last, name: "go", payload: new Uint8Array(0), signalId: "s", atMs: 0 });
    expect(log.apply({ kind: "Cancel", runId: last, reason: "enough", atMs: 0 })).toMatchObject({ changed: true });
    log.moveAll();
    expect(log.state.summary(last)).toMatchObject({ status: "running", cancelReason: "enough", signals: ["go"] });
  });

  test("are moved also when another node is lost meanwhile, and when the state comes from a snapshot", () => {
    const log = withRuns(MANY);
    log.lost(1);
    log.lost(2);
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    for (const each of [log, restored]) {
      each.moveAll();
      expect(each.state.size).toMatchObject({ running: MANY, orphaned: 0, toMove: 0 });
      expect(each.state.ownedBy(3)).toHaveLength(MANY);
    }
    const bytes = (state: WorkflowState) => Buffer.concat([...state.capture(5000)]).toString("hex");
    expect(bytes(restored.state)).toBe(bytes(log.state));
  });

  test("stay with the node when a new process of it registers, under new epochs", () => {
    const log = withRuns(MANY);
    const epoch = log.epoch("run-0");
    log.register(1, [ORDER], "restarted");
    log.moveAll();
    expect(log.state.ownedBy(1)).toHaveLength(MANY);
    expect(log.epoch("run-0")).toBeGreaterThan(epoch);
  });

  test("wait for a node that can execute them, which takes them in pieces", () => {
    const log = withRuns(MANY, [1]);
    log.register(2, []);
    log.lost(1);
    log.moveAll();
    expect(log.state.size).toMatchObject({ orphaned: MANY, toMove: 0 });
    expect(log.register(3)).toMatchObject({ moved: MAX_MOVED_AT_ONCE, left: MANY - MAX_MOVED_AT_ONCE });
    log.moveAll();
    expect(log.state.ownedBy(3)).toHaveLength(MANY);
  });

  test("do not hold up those of another type that a node can execute", () => {
    const log = withRuns(MANY, [1]);
    log.register(2, [{ type: "mail", version: 1 }]);
    log.start("mail", 2, { workflowType: "mail" });
    log.lost(1);
    log.lost(2);
    log.moveAll();
    log.register(3, [{ type: "mail", version: 1 }]);
    expect(log.owner("mail")).toBe(3);
    expect(log.state.size).toMatchObject({ orphaned: MANY, toMove: 0 });
  });

  test("end instead of waiting when their cancellation was asked for, fewer of them at a time (tables.ts O4)", () => {
    const log = withRuns(MANY, [1]);
    for (let run = 0; run < MANY; run++) log.apply({ kind: "Cancel", runId: `run-${run}`, reason: "stop", atMs: 0 });
    const first = log.lost(1);
    expect(first.ok && first.kind === "Moved" ? first.moved : 0).toBeLessThan(MAX_MOVED_AT_ONCE / 4);
    log.moveAll();
    expect(log.state.size).toMatchObject({ running: 0, finished: MANY });
  });
});

describe("any order of losses, drains, registrations, pieces and starts", () => {
  const nodeId = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant("lose" as const), nodeId }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const), nodeId }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), nodeId }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("register" as const), nodeId }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("move" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("restore" as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("start" as const), nodeId, count: fc.nat({ max: 300 }) }) },
  );

  test("ends with every run on a living node, moved once for each loss, and no command touches more than its share", () => {
    const property = fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const store = new CountingStore();
      const log = withRuns(400, [1, 2, 3], new WorkflowState(store));
      let processes = 3;
      let started = 400;
      const current = new Map([1, 2, 3].map((id) => [id, `process-${id}`]));
      const epochs = new Map<string, number>();
      const lookAt = (): void => {
        for (const event of log.state.takeEvents()) {
          if (event.type !== "owner-changed") continue;
          // Each move is a new ownership, and nothing goes back to an earlier one.
          expect(event.epoch).toBeGreaterThan(epochs.get(event.runId) ?? 0);
          epochs.set(event.runId, event.epoch);
        }
      };
      const bounded = (apply: () => unknown): void => {
        store.reset();
        apply();
        expect(store.touched).toBeLessThan(8 * MAX_MOVED_AT_ONCE);
        lookAt();
      };
      const incarnation = (id: number): string => current.get(id) ?? "";
      for (const each of steps) {
        if (each.do === "lose") bounded(() => log.lost(each.nodeId, incarnation(each.nodeId)));
        else if (each.do === "forget") bounded(() => log.lost(each.nodeId, incarnation(each.nodeId), true));
        else if (each.do === "drain") bounded(() => log.drain(each.nodeId, incarnation(each.nodeId)));
        else if (each.do === "move") bounded(() => log.move());
        else if (each.do === "restore") {
          const bytes = Buffer.concat([...log.state.capture(5000)]);
          expect(Buffer.concat([...restoredFrom(log.state, 5000).capture(5000)]).equals(bytes)).toBe(true);
        } else if (each.do === "register") {
          processes += 1;
          current.set(each.nodeId, `process-${processes}`);
          bounded(() => log.register(each.nodeId, [ORDER], incarnation(each.nodeId)));
        } else {
          for (let run = 0; run < each.count; run++) {
            const result = log.start(`run-${started}`, each.nodeId);
            if (result.ok) started += 1;
          }
          lookAt();
        }
      }
      const pieces = log.moveAll();
      expect(pieces).toBeLessThanOrEqual(Math.ceil(started / MAX_MOVED_AT_ONCE) + 1);
      log.register(1, [ORDER], "last");
      log.moveAll();
      const { running, orphaned, toMove } = log.state.size;
      expect({ running, orphaned, toMove }).toEqual({ running: started, orphaned: 0, toMove: 0 });
      const live = log.state.nodes().filter(({ status }) => status === "live");
      const owned = live.flatMap((node) => log.state.ownedBy(node.nodeId).map(({ runId }) => runId));
      expect(new Set(owned).size).toBe(started);
      expect(owned).toHaveLength(started);
    });
    fc.assert(property, { numRuns: 30 });
  });
});
