import { MemoryStateStore } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import type { Retry } from "../commands/mending/retry.ts";
import { NOTHING, restoredFrom, StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

const MIB = 1024 * 1024;

function logWith(...runIds: readonly string[]): StateLog {
  const log = new StateLog();
  log.register(1);
  for (const runId of runIds) ended(log, runId);
  return log;
}

function ended(log: StateLog, runId: string, inputBytes = 0): void {
  const inputDigest = Uint8Array.of(runId.length, inputBytes % 251);
  log.start(runId, 1, { input: new Uint8Array(inputBytes), inputDigest, startId: `start of ${runId}` });
  log.end(runId, 1, log.epoch(runId));
}

function retry(log: StateLog, runId: string): void {
  const command: Retry = { kind: "Retry", runId, from: "", reason: "", requestId: "again", atMs: log.at };
  expect(log.apply(command)).toMatchObject({ ok: true });
}

function handOver(log: StateLog, runId: string, endIndex = log.state.summary(runId)): unknown {
  const run = typeof endIndex === "object" ? endIndex : undefined;
  if (run === undefined || !("endIndex" in run)) throw new Error(`run ${runId} has not ended`);
  const { startIndex } = run;
  return log.apply({ kind: "HandOver", runs: [{ runId, startIndex, endIndex: run.endIndex }], atMs: log.at });
}

/** What the sizes of all runs that have ended must add up to, by counting. */
function sizeAlone(build: (log: StateLog) => void): number {
  const log = logWith();
  build(log);
  // Whatever is measured in pieces is measured by now.
  for (let command = 0; command < 500; command++) log.move();
  return log.state.size.finishedBytes;
}

describe("bytes of finished runs", () => {
  test("are those of input, history, result and streams, however long, and none once the runs are gone", () => {
    const log = logWith();
    const before = log.state.size.finishedBytes;
    ended(log, "small", 1000);
    const small = log.state.size.finishedBytes - before;
    expect(small).toBeGreaterThan(1000);
    expect(small).toBeLessThan(2000);
    log.start("long");
    for (let step = 0; step < 400; step++) log.checkpoint("long", `step#${step}`, 1, 1, log.epoch("long"));
    log.end("long", 1, log.epoch("long"));
    expect(log.state.size.finishedBytes - small).toBeLessThan(2000);
    for (let command = 0; command < 20; command++) log.move();
    const all = log.state.size.finishedBytes;
    expect(all).toBeGreaterThan(small + 400 * 20);
    expect(restoredFrom(log.state).size.finishedBytes).toBe(all);
    log.prune({ keepAtMost: 0 });
    expect(log.state.size.finishedBytes).toBe(0);
  });

  test("are measured alike by a node that was restored in between", () => {
    const log = logWith();
    log.start("long");
    for (let step = 0; step < 400; step++) log.checkpoint("long", `step#${step}`, 1, 1, log.epoch("long"));
    log.end("long", 1, log.epoch("long"));
    for (let command = 0; command < 3; command++) log.move();
    const other = new StateLog(restoredFrom(log.state));
    other.index = log.index;
    for (let command = 0; command < 30; command++) {
      log.move();
      other.move();
      expect(other.state.size.finishedBytes).toBe(log.state.size.finishedBytes);
    }
    expect([...other.state.capture(4096)]).toEqual([...log.state.capture(4096)]);
  });

  test("of a run that goes on again, or is deleted while it is measured, do not count", () => {
    const long = (log: StateLog, runId: string): void => {
      log.start(runId);
      for (let step = 0; step < 300; step++) log.checkpoint(runId, `step#${step}`, 1, 1, log.epoch(runId));
      const outcome = { status: "failed", error: { name: "Error", message: "no" } } as const;
      log.apply({ kind: "WorkflowEnd", runId, outcome, atMs: log.at, owner: 1, epoch: log.epoch(runId) });
    };
    const log = logWith("kept");
    const kept = log.state.size.finishedBytes;
    long(log, "a");
    log.move();
    retry(log, "a");
    expect(log.state.size.finishedBytes).toBe(kept);
    long(log, "b");
    log.move();
    log.apply({ kind: "Delete", runId: "b", atMs: log.at });
    for (let command = 0; command < 40; command++) log.move();
    expect(log.state.size.finishedBytes).toBe(kept);
    expect(sizeAlone((one) => ended(one, "kept"))).toBe(kept);
  });

  test("above the bound cost the oldest runs, and as few of them as needed", () => {
    const log = logWith();
    for (const runId of ["a", "b", "c", "d"]) ended(log, runId, MIB);
    expect(log.prune({ keepBytes: 2.5 * MIB })).toMatchObject({ pruned: 2, more: false });
    expect(["a", "b", "c", "d"].filter((runId) => log.state.summary(runId) !== undefined)).toEqual(["c", "d"]);
  });

  test("are kept by the store, so that a restart goes on with them", () => {
    const store = new MemoryStateStore();
    const log = new StateLog(new WorkflowState(store));
    log.register(1);
    ended(log, "a", 500);
    log.state.commit();
    const bytes = log.state.size.finishedBytes;
    expect(bytes).toBeGreaterThan(500);
    expect(new WorkflowState(store).size.finishedBytes).toBe(bytes);
  });
});

describe("the id of a run that was pruned", () => {
  const pruned = (): StateLog => {
    const log = logWith("a");
    log.prune({ keepAtMost: 0, maxIds: 10, keepIdsMs: 1000 });
    expect(log.state.summary("a")).toBeUndefined();
    return log;
  };
  const digest = Uint8Array.of(1, 0);

  test("is kept: the same start is the same run, and does not run again", () => {
    for (const log of [pruned(), pruned()]) {
      expect(log.start("a", 1, { inputDigest: digest })).toMatchObject({ ok: true, created: false });
      expect(log.start("a", 1, { inputDigest: digest, startId: "start of a" })).toMatchObject({ created: true });
      expect(log.state.size).toMatchObject({ running: 0, tombstones: 1 });
      expect(log.state.pruned("a")).toMatchObject({ status: "completed", workflowType: "order" });
    }
  });

  test("is refused to a start of something else, and to one that wants no run to have had it", () => {
    const log = pruned();
    const refusal = { ok: false, code: "WORKFLOW_ID_CONFLICT" };
    expect(log.start("a", 1, { inputDigest: Uint8Array.of(9, 9) })).toMatchObject(refusal);
    expect(log.start("a", 1, { inputDigest: digest, idPolicy: "reject" })).toMatchObject(refusal);
    expect(log.start("a", 1, { inputDigest: digest, idPolicy: "replace-failed" })).toMatchObject({ created: false });
  });

  test("is given to a start that replaces it, and to a message for the run that follows", () => {
    const log = pruned();
    expect(log.start("a", 1, { idPolicy: "replace" })).toMatchObject({ ok: true, created: true });
    expect(log.state.size).toMatchObject({ running: 1, tombstones: 0 });
    const other = pruned();
    const start = { runId: "a", workflowType: "order", version: 1, input: NOTHING, owner: 1, atMs: 0, seed: NOTHING };
    const signal = { name: "go", payload: NOTHING, signalId: "s" };
    const message = { kind: "StartWith", start, signal, atMs: other.at } as const;
    expect(other.apply({ ...message, afterEnd: false })).toMatchObject({ ok: false, code: "WORKFLOW_FINISHED" });
    expect(other.apply({ ...message, afterEnd: true })).toMatchObject({ ok: true });
    expect(other.state.size).toMatchObject({ running: 1, tombstones: 0 });
  });

  test("says that the run has ended, to callers that want something of it", () => {
    const log = pruned();
    const refusal = { ok: false, code: "WORKFLOW_FINISHED", details: { pruned: true, status: "completed" } };
    expect(
      log.apply({ kind: "Signal", runId: "a", name: "go", payload: NOTHING, signalId: "s", atMs: log.at }),
    ).toMatchObject(refusal);
    expect(log.apply({ kind: "Cancel", runId: "a", reason: "", atMs: log.at })).toMatchObject(refusal);
  });

  test("is free once it is deleted, or old, or beyond the number that is kept", () => {
    const deleted = pruned();
    expect(deleted.apply({ kind: "Delete", runId: "a", atMs: deleted.at })).toMatchObject({ changed: true });
    expect(deleted.state.pruned("a")).toBeUndefined();
    const old = pruned();
    const { uptimeMs } = old.state;
    old.prune({ uptimeFromMs: uptimeMs, uptimeMs: uptimeMs + 999, maxIds: 10, keepIdsMs: 1000 });
    expect(old.state.pruned("a")).toBeDefined();
    old.prune({ uptimeFromMs: uptimeMs + 999, uptimeMs: uptimeMs + 1001, maxIds: 10, keepIdsMs: 1000 });
    expect(old.state.pruned("a")).toBeUndefined();
    const many = logWith("a", "b", "c");
    many.prune({ keepAtMost: 0, maxIds: 2, keepIdsMs: 1000 });
    expect(["a", "b", "c"].filter((runId) => many.state.pruned(runId) !== undefined)).toEqual(["b", "c"]);
  });

  test("is free once it is deleted, but not for the start of the run that was deleted, which comes late", () => {
    const start = { runId: "a", workflowType: "order", version: 1, input: NOTHING, owner: 1, atMs: 0, seed: NOTHING };
    for (const log of [logWith("a"), pruned()]) {
      expect(log.apply({ kind: "Delete", runId: "a", atMs: log.at })).toMatchObject({ changed: true });
      expect(log.apply({ kind: "Delete", runId: "a", atMs: log.at })).toMatchObject({ changed: false });
      const restored = new StateLog(restoredFrom(log.state));
      restored.index = log.index;
      for (const each of [log, restored]) {
        const late = { startId: "start of a" };
        expect(each.start("a", 1, { inputDigest: digest, ...late })).toMatchObject({ ok: true, created: true });
        const signal = { name: "go", payload: NOTHING, signalId: "s" };
        const message = { kind: "StartWith", start: { ...start, ...late }, signal, afterEnd: true } as const;
        expect(each.apply({ ...message, atMs: each.at })).toMatchObject({ ok: false, code: "WORKFLOW_NOT_FOUND" });
        expect(each.state.summary("a")).toBeUndefined();
        expect(each.state.pruned("a")).toBeUndefined();
        expect(each.start("a", 1, { startId: "another" })).toMatchObject({ ok: true, created: true });
        expect(each.state.size).toMatchObject({ running: 1, tombstones: 0 });
      }
    }
  });

  test("is in a snapshot, with its age", () => {
    const log = pruned();
    const other = new StateLog(restoredFrom(log.state));
    other.index = log.index;
    expect(other.state.size.tombstones).toBe(1);
    expect(other.start("a", 1, { inputDigest: digest })).toMatchObject({ created: false });
    const { uptimeMs } = other.state;
    other.prune({ uptimeFromMs: uptimeMs, uptimeMs: uptimeMs + 1001, maxIds: 10, keepIdsMs: 1000 });
    expect(other.state.size.tombstones).toBe(0);
  });

  test("goes in pieces, whatever there is", () => {
    const log = logWith();
    for (let run = 0; run < 2500; run++) ended(log, `run-${run}`);
    while (log.state.size.finished > 0) log.prune({ keepAtMost: 0, maxIds: 10_000, keepIdsMs: 1 });
    expect(log.state.size.tombstones).toBe(2500);
    const { uptimeMs } = log.state;
    const command = { uptimeFromMs: uptimeMs, uptimeMs: uptimeMs + 10, maxIds: 10_000, keepIdsMs: 1 };
    expect(log.prune(command)).toMatchObject({ more: true });
    expect(log.state.size.tombstones).toBe(1500);
    while ((log.prune({ maxIds: 10_000, keepIdsMs: 1 }) as { more: boolean }).more);
    expect(log.state.size.tombstones).toBe(0);
  });
});

describe("a run that the archive hook is to take", () => {
  test("is not dropped before, and holds up no other", () => {
    const log = logWith("a", "b");
    handOver(log, "b");
    expect(log.prune({ keepAtMost: 0, onlyHandedOver: true })).toMatchObject({ pruned: 1, more: false });
    expect(log.state.summary("a")).toBeDefined();
    expect(log.state.summary("b")).toBeUndefined();
    handOver(log, "a");
    expect(log.prune({ keepAtMost: 0, onlyHandedOver: true })).toMatchObject({ pruned: 1 });
  });

  test("is not dropped while any node has the hook, whichever node leads, lost or not", () => {
    const log = logWith("a", "b");
    const node = { kind: "NodeRegister", nodeId: 7, types: [], atMs: log.at } as const;
    log.apply({ ...node, incarnation: "with", archives: true });
    // The leader has no hook: its command does not ask for it.
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 0 });
    log.apply({ kind: "NodeLost", nodeId: 7, incarnation: "with", forget: false, atMs: log.at });
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 0 });
    const restored = new StateLog(restoredFrom(log.state));
    restored.index = log.index;
    expect(restored.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 0 });
    handOver(log, "b");
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 1 });
    // The node comes back without the hook.
    log.apply({ ...node, incarnation: "without" });
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 1 });
  });

  test("is dropped once the only node with the hook was removed", () => {
    const log = logWith("a");
    log.apply({ kind: "NodeRegister", nodeId: 7, types: [], atMs: log.at, incarnation: "with", archives: true });
    log.apply({ kind: "NodeLost", nodeId: 7, incarnation: "with", forget: true, atMs: log.at });
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 1 });
  });

  test("is found page by page, and not again once it was taken", () => {
    const log = logWith("a", "b", "c");
    const first = log.state.toHandOver("", 2);
    expect(first.runs.map(({ runId }) => runId)).toEqual(["a", "b"]);
    const rest = log.state.toHandOver(first.next, 2);
    expect(rest.runs.map(({ runId }) => runId)).toEqual(["c"]);
    expect(log.state.toHandOver(rest.next, 2)).toEqual({ runs: [], next: rest.next, more: false });
    ended(log, "d");
    expect(log.state.toHandOver(rest.next, 2).runs.map(({ runId }) => runId)).toEqual(["d"]);
    expect(log.apply({ kind: "HandOver", runs: first.runs, atMs: log.at })).toMatchObject({ marked: 2 });
    expect(log.apply({ kind: "HandOver", runs: first.runs, atMs: log.at })).toMatchObject({ marked: 0 });
    expect(log.state.toHandOver("", 9).runs.map(({ runId }) => runId)).toEqual(["c", "d"]);
    expect(
      restoredFrom(log.state)
        .toHandOver("", 9)
        .runs.map(({ runId }) => runId),
    ).toEqual(["c", "d"]);
  });

  test("is to be taken again when it has gone on since, or when another run has its id", () => {
    const log = logWith();
    log.start("a");
    const outcome = { status: "failed", error: { name: "Error", message: "no" } } as const;
    log.apply({ kind: "WorkflowEnd", runId: "a", outcome, atMs: log.at, owner: 1, epoch: log.epoch("a") });
    const [asItEnded] = log.state.toHandOver("", 1).runs;
    retry(log, "a");
    log.end("a", 1, log.epoch("a"));
    expect(
      log.apply({ kind: "HandOver", runs: asItEnded === undefined ? [] : [asItEnded], atMs: log.at }),
    ).toMatchObject({ marked: 0 });
    expect(log.state.toHandOver("", 1).runs).toHaveLength(1);
  });
});
