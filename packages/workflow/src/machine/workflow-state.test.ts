import { describe, expect, test } from "vitest";
import type { WorkflowCommand } from "../commands/registry.ts";
import { CountingStore } from "../testing/counting-store.ts";
import { NOTHING, ORDER, restoredFrom, StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

describe("starting", () => {
  test("gives the run to the node that asks, when it has the type", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    expect(log.start("a", 2)).toMatchObject({ ok: true, created: true, owner: 2 });
  });

  test("gives the run to the least loaded node that has the type, when the one that asks has not", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.register(3, []);
    log.start("a", 1);
    expect(log.start("b", 3)).toMatchObject({ owner: 2 });
    expect(log.start("c", 3)).toMatchObject({ owner: 1 });
  });

  test("is idempotent by id, also after the end", () => {
    const log = new StateLog();
    log.register(1);
    const first = log.start("a");
    expect(log.start("a")).toMatchObject({ ok: true, created: false, epoch: log.epoch("a") });
    log.end("a", 1, log.epoch("a"));
    expect(log.start("a", 1, { version: 0 })).toMatchObject({ ok: true, created: false });
    expect(first).toMatchObject({ created: true });
  });

  test.each([
    ["type", { workflowType: "mail" }],
    ["version, which was pinned,", { version: 2, isPinned: true }],
    ["input", { input: Uint8Array.of(1) }],
  ])("refuses another %s under the same id", (_, more) => {
    const log = new StateLog();
    log.register(1, [ORDER, { type: "order", version: 2 }, { type: "mail", version: 1 }]);
    log.start("a");
    expect(log.start("a", 1, more)).toMatchObject({ ok: false, code: "WORKFLOW_ID_CONFLICT" });
  });

  test("finds the run again after a deployment of a newer version, unless the version is pinned", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    log.register(1, [ORDER, { type: "order", version: 2 }], "deployed");
    for (const version of [0, 1, 2])
      expect(log.start("a", 1, { version })).toMatchObject({ created: false, version: 1 });
    expect(log.start("a", 1, { version: 1, isPinned: true })).toMatchObject({ created: false });
    expect(log.start("a", 1, { version: 2, isPinned: true })).toMatchObject({ code: "WORKFLOW_ID_CONFLICT" });
  });

  test("compares inputs by their digests where both starts have one, and byte by byte otherwise", () => {
    const log = new StateLog();
    log.register(1);
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    log.start("a", 1, { input: one, inputDigest: Uint8Array.of(7) });
    const again = restoredFrom(log.state);
    for (const state of [log.state, again]) {
      const other = new StateLog(state);
      other.index = log.index;
      expect(other.start("a", 1, { input: two, inputDigest: Uint8Array.of(7) })).toMatchObject({ created: false });
      expect(other.start("a", 1, { input: one, inputDigest: Uint8Array.of(8) })).toMatchObject({ ok: false });
      expect(other.start("a", 1, { input: one })).toMatchObject({ created: false });
      expect(other.start("a", 1, { input: two })).toMatchObject({ ok: false });
    }
  });

  test("takes the newest registered version when none is asked for", () => {
    const log = new StateLog();
    log.register(1, [ORDER, { type: "order", version: 3 }]);
    expect(log.start("a", 1, { version: 0 })).toMatchObject({ version: 3 });
  });

  test("refuses a type that no node has registered, and lists what is", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2, [{ type: "mail", version: 4 }]);
    expect(log.start("a", 1, { workflowType: "ordre" })).toMatchObject({
      ok: false,
      code: "WORKFLOW_TYPE_UNKNOWN",
      details: { known: ["mail@4", "order@1"] },
    });
    expect(log.start("a", 1, { version: 2 })).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
    expect(log.state.size.running).toBe(0);
  });

  test("refuses an empty and an overlong id", () => {
    const log = new StateLog();
    log.register(1);
    expect(log.start("")).toMatchObject({ code: "WORKFLOW_ID_INVALID" });
    expect(log.start("x".repeat(513))).toMatchObject({ code: "WORKFLOW_ID_INVALID" });
  });
});

describe("fencing (command.ts C3)", () => {
  test("refuses every command of an owner whose epoch is over", () => {
    const log = new StateLog();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    const old = log.epoch("a");
    log.lost(1);
    expect(log.owner("a")).toBe(2);
    expect(log.epoch("a")).toBeGreaterThan(old);
    expect(log.checkpoint("a", "x#0", 1, 1, old)).toMatchObject({ code: "STALE_OWNER", details: { owner: 2 } });
    expect(log.checkpoint("a", "x#0", 1, 1, log.epoch("a"))).toMatchObject({ code: "STALE_OWNER" });
    expect(log.checkpoint("a", "x#0", 1, 2, old)).toMatchObject({ code: "STALE_OWNER" });
    expect(log.end("a", 1, old)).toMatchObject({ code: "STALE_OWNER" });
    const receive = { kind: "SignalReceive", runId: "a", path: "w#0", name: "go", timedOut: true, atMs: 0 } as const;
    expect(log.apply({ ...receive, owner: 1, epoch: old })).toMatchObject({ code: "STALE_OWNER" });
    expect(log.state.run("a")?.history).toEqual([]);
  });

  test("refuses a command in the name of no node while the run has no owner", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a", 1);
    log.lost(1);
    expect(log.owner("a")).toBe(0);
    expect(log.checkpoint("a", "x#0", 1, 0, log.epoch("a"))).toMatchObject({ code: "STALE_OWNER" });
  });

  test("hands out higher epochs when an id is used again after pruning (S3)", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const before = log.epoch("a");
    log.end("a", 1, before);
    log.prune({ keepAtMost: 0 });
    expect(log.start("a")).toMatchObject({ created: true });
    expect(log.epoch("a")).toBeGreaterThan(before);
    expect(log.checkpoint("a", "x#0", 1, 1, before)).toMatchObject({ code: "STALE_OWNER" });
  });
});

describe("checkpoints (put-record.ts PR1)", () => {
  test("the first at a path stands and answers later ones", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    expect(log.checkpoint("a", "x#0", 1, 1, log.epoch("a"))).toMatchObject({ recorded: true });
    const second = log.checkpoint("a", "x#0", 2, 1, log.epoch("a"));
    expect(second).toMatchObject({ recorded: false, record: { value: Uint8Array.of(1) } });
    expect(log.state.summary("a")?.recordCount).toBe(1);
  });

  test("one of another kind at a path is refused as non-deterministic", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    log.checkpoint("a", "x#0", 1, 1, epoch);
    const sleep = { kind: "Checkpoint", runId: "a", path: "x#0", value: NOTHING, atMs: 0, owner: 1, epoch } as const;
    expect(log.apply({ ...sleep, recordKind: "sleep" })).toMatchObject({ code: "NON_DETERMINISM" });
  });

  test("carry the log clock, which never goes back (S2)", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    log.at = 5000;
    log.checkpoint("a", "x#0", 1, 1, log.epoch("a"));
    log.at = 10;
    const late = log.checkpoint("a", "x#1", 1, 1, log.epoch("a"));
    expect(late).toMatchObject({ record: { recordedAtMs: 5000 } });
    expect(log.state.clock).toBe(5000);
  });
});

describe("signals (signal-receive.ts SR1)", () => {
  const signal = (payload: number, signalId: string): WorkflowCommand => ({
    kind: "Signal",
    runId: "a",
    name: "go",
    payload: Uint8Array.of(payload),
    signalId,
    atMs: 0,
  });

  test("are delivered once each, in order, to the waits", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const receive = {
      kind: "SignalReceive",
      runId: "a",
      name: "go",
      atMs: 0,
      owner: 1,
      epoch: log.epoch("a"),
    } as const;
    log.apply(signal(1, "one"));
    log.apply(signal(1, "one"));
    log.apply(signal(2, "two"));
    expect(log.apply({ ...receive, path: "go#0", timedOut: true })).toMatchObject({
      record: { kind: "signal", value: Uint8Array.of(1) },
    });
    expect(log.apply({ ...receive, path: "go#0", timedOut: false })).toMatchObject({ recorded: false });
    expect(log.apply({ ...receive, path: "go#1", timedOut: false })).toMatchObject({
      record: { value: Uint8Array.of(2) },
    });
    expect(log.apply({ ...receive, path: "go#2", timedOut: false })).toMatchObject({ code: "SIGNAL_MISSING" });
    expect(log.apply({ ...receive, path: "go#2", timedOut: true })).toMatchObject({
      record: { kind: "signal-timeout" },
    });
  });

  test("are refused for runs that do not exist or have ended, and beyond the buffer", () => {
    const log = new StateLog();
    log.register(1);
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    log.start("a");
    for (let count = 0; count < 1000; count++) expect(log.apply(signal(1, ""))).toMatchObject({ ok: true });
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "SIGNAL_BUFFER_FULL" });
    log.end("a", 1, log.epoch("a"));
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "WORKFLOW_FINISHED" });
  });

  test("are refused beyond the bytes that one record of a snapshot is sure to hold", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    const large = { ...signal(1, ""), payload: new Uint8Array(1024 * 1024) } as WorkflowCommand;
    for (let count = 0; count < 16; count++) expect(log.apply(large)).toMatchObject({ ok: true });
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "SIGNAL_BUFFER_FULL" });
  });

  test("sent again, because it was not known whether they had come, are answered as taken even when the run has ended", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    log.apply(signal(1, "one"));
    log.end("a", 1, log.epoch("a"));
    const restored = restoredFrom(log.state);
    for (const state of [log.state, restored]) {
      expect(state.apply(10, signal(1, "one"))).toMatchObject({ ok: true, changed: false });
      expect(state.apply(11, signal(1, "two"))).toMatchObject({ code: "WORKFLOW_FINISHED" });
    }
  });
});

describe("cancelling", () => {
  test("asks the owner, who ends the run", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a");
    expect(log.apply({ kind: "Cancel", runId: "a", reason: "enough", atMs: 0 })).toMatchObject({ changed: true });
    expect(log.apply({ kind: "Cancel", runId: "a", reason: "again", atMs: 0 })).toMatchObject({ changed: false });
    expect(log.state.summary("a")).toMatchObject({ status: "running", cancelReason: "enough" });
  });

  test("ends an orphan at once, and a cancelled run that becomes one", () => {
    const log = new StateLog();
    log.register(1);
    log.start("a", 1);
    log.start("b", 1);
    log.apply({ kind: "Cancel", runId: "b", reason: "early", atMs: 0 });
    log.lost(1);
    log.apply({ kind: "Cancel", runId: "a", reason: "late", atMs: 0 });
    expect(log.state.summary("a")).toMatchObject({ outcome: { status: "cancelled", reason: "late" } });
    expect(log.state.summary("b")).toMatchObject({ outcome: { status: "cancelled", reason: "early" } });
  });

  test("is remembered of a run that has ended, however it did, in a snapshot too", () => {
    const log = new StateLog();
    log.register(1);
    for (const runId of ["cancelled", "completed", "orphan", "untouched"]) log.start(runId);
    for (const runId of ["cancelled", "completed"]) log.apply({ kind: "Cancel", runId, reason: runId, atMs: 0 });
    const base = { kind: "WorkflowEnd", atMs: 0, owner: 1, epoch: log.epoch("cancelled") } as const;
    log.apply({ ...base, runId: "cancelled", outcome: { status: "cancelled", reason: "cancelled" } });
    log.end("completed", 1, log.epoch("completed"));
    log.end("untouched", 1, log.epoch("untouched"));
    log.lost(1);
    log.apply({ kind: "Cancel", runId: "orphan", reason: "orphan", atMs: 0 });
    for (const state of [log.state, restoredFrom(log.state)]) {
      for (const runId of ["cancelled", "completed", "orphan"]) expect(state.summary(runId)?.cancelReason).toBe(runId);
      expect(state.summary("completed")).toMatchObject({ status: "completed" });
      expect(state.summary("untouched")).toMatchObject({ cancelReason: undefined });
    }
  });
});

describe("pruning", () => {
  function ended(runs: number, records = 0): StateLog {
    const log = new StateLog();
    log.register(1);
    for (let run = 0; run < runs; run++) {
      log.start(`run-${run}`);
      const epoch = log.epoch(`run-${run}`);
      for (let record = 0; record < records; record++) log.checkpoint(`run-${run}`, `x#${record}`, 1, 1, epoch);
      log.end(`run-${run}`, 1, epoch);
    }
    return log;
  }

  test("drops finished runs by number, a bounded number at once", () => {
    const log = ended(1500);
    expect(log.prune({ keepAtMost: 10 })).toMatchObject({ pruned: 1000, more: true });
    expect(log.prune({ keepAtMost: 10 })).toMatchObject({ pruned: 490, more: false });
    expect(log.state.list({}).runs.map((run) => run.runId)).toContain("run-1499");
    expect(log.state.size.finished).toBe(10);
  });

  test("drops them by age, measured in uptime, whatever the log clock says (prune.ts PU1)", () => {
    const log = ended(2);
    log.prune({ uptimeFromMs: 0, uptimeMs: 50, retentionMs: 100 });
    log.at = 10 ** 12;
    log.start("late");
    log.end("late", 1, log.epoch("late"));
    expect(log.prune({ uptimeFromMs: 50, uptimeMs: 99, retentionMs: 100 })).toMatchObject({ pruned: 0 });
    expect(log.prune({ uptimeFromMs: 99, uptimeMs: 100, retentionMs: 100 })).toMatchObject({ pruned: 2 });
    log.at = 0;
    expect(log.prune({ uptimeFromMs: 100, uptimeMs: 149, retentionMs: 100 })).toMatchObject({ pruned: 0 });
    expect(log.prune({ uptimeFromMs: 149, uptimeMs: 150, retentionMs: 100 })).toMatchObject({ pruned: 1 });
  });

  test("advances the uptime once, when the command comes twice or from two leaders (prune.ts PU2)", () => {
    const log = ended(1);
    for (const uptimeMs of [60, 60, 80]) log.prune({ uptimeFromMs: 0, uptimeMs, retentionMs: 100 });
    expect(log.state.uptimeMs).toBe(60);
    log.prune({ uptimeFromMs: 60, uptimeMs: 10, retentionMs: 100 });
    expect(restoredFrom(log.state).uptimeMs).toBe(60);
    expect(log.state.size.finished).toBe(1);
  });

  test("drops a run with a long history at once, and its records with the commands that follow (prune.ts PU3)", () => {
    const store = new CountingStore();
    const log = new StateLog(new WorkflowState(store, 0));
    log.register(1);
    log.start("long");
    const epoch = log.epoch("long");
    for (let record = 0; record < 2000; record++) log.checkpoint("long", `x#${record}`, 1, 1, epoch);
    log.end("long", 1, epoch);
    store.reset();
    expect(log.prune({ keepAtMost: 0 })).toMatchObject({ pruned: 1, more: false });
    expect(store.touched).toBeLessThan(200);
    expect(log.state.run("long")).toBeUndefined();
    // The id is free, and the new run has nothing of the one before.
    expect(log.start("long")).toMatchObject({ created: true });
    expect(log.state.run("long")?.history).toEqual([]);
    expect(restoredFrom(log.state).run("long")?.history).toEqual([]);
    for (let command = 0; command < 70; command++) log.register(1);
    // The run, where it is found, its seat's index, the node, and the header.
    log.state.commit();
    expect(store.size).toBeLessThan(10);
  });
});

describe("listing", () => {
  test("filters and pages, newest start first", () => {
    const log = new StateLog();
    log.register(1, [ORDER, { type: "mail", version: 1 }]);
    log.register(2);
    for (let run = 0; run < 5; run++) log.start(`run-${run}`, 1 + (run % 2));
    log.start("mail", 1, { workflowType: "mail" });
    log.end("run-0", 1, log.epoch("run-0"));
    const ids = (page: ReturnType<WorkflowState["list"]>) => page.runs.map((run) => run.runId);
    expect(ids(log.state.list({ statuses: ["completed"] }))).toEqual(["run-0"]);
    expect(ids(log.state.list({ owner: 2 }))).toEqual(["run-3", "run-1"]);
    expect(ids(log.state.list({ workflowType: "mail" }))).toEqual(["mail"]);
    const first = log.state.list({ limit: 4 });
    expect(ids(first)).toEqual(["mail", "run-4", "run-3", "run-2"]);
    expect(ids(log.state.list({ limit: 4, cursor: first.next ?? "" }))).toEqual(["run-1", "run-0"]);
  });
});
