import { MemoryStateStore } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { MAX_TOLD_AT_ONCE } from "../commands/messages/close-children.ts";
import type { CommandResult } from "../commands/registry.ts";
import { KEY_PREFIX, kindRange } from "../records/state-keys.ts";
import { NOTHING, restoredFrom, StateLog } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

/** A log with two nodes and a parent, on node 1. */
class Families extends StateLog {
  constructor() {
    super();
    this.register(1);
    this.register(2);
    this.start("p", 1);
  }

  child(
    runId: string,
    more: { readonly closePolicy?: "cancel" | "abandon"; readonly epoch?: number } = {},
  ): CommandResult {
    const { startIndex = 0, epoch = 0 } = this.state.summary("p") ?? {};
    const parent = { runId: "p", startIndex, path: `${runId}#0`, closePolicy: "cancel", epoch, ...more } as const;
    return this.start(runId, 0, { parent });
  }

  /** The child's owner ends it. */
  ends(runId: string): CommandResult {
    return this.end(runId, this.owner(runId) ?? 0, this.epoch(runId));
  }

  /** What a leader proposes for the children that have ended. */
  report(): readonly CommandResult[] {
    return this.state.unreportedEnds(100).map(({ parent, startIndex: childStart }) => {
      const { runId, startIndex, path } = parent;
      return this.apply({
        kind: "ChildEnded",
        runId,
        startIndex,
        path,
        status: "completed",
        value: NOTHING,
        childStart,
        atMs: this.at,
      });
    });
  }

  pathsOf(runId: string): readonly string[] {
    return this.state.run(runId)?.history.map(([path]) => path) ?? [];
  }
}

const changed = (does: boolean) => expect.objectContaining({ ok: true, changed: does });

describe("a child", () => {
  test("goes to the least loaded node, and is its parent's until it ends", () => {
    const log = new Families();
    log.child("c");
    expect(log.owner("c")).toBe(2);
    expect(log.state.children("p", 10)).toEqual([{ runId: "c", workflowType: "order", path: "c#0" }]);
    log.ends("c");
    expect(log.state.children("p", 10)).toEqual([]);
  });

  test("is found by the same start of another owner, and refused to an earlier one and to another parent", () => {
    const log = new Families();
    const before = log.epoch("p");
    log.child("c");
    log.lost(1);
    expect(log.child("c")).toMatchObject({ ok: true, created: false });
    expect(log.child("d", { epoch: before })).toMatchObject({ ok: false, code: "STALE_OWNER" });
    log.start("q", 2);
    const { startIndex = 0, epoch = 0 } = log.state.summary("q") ?? {};
    const parent = { runId: "q", startIndex, path: "c#0", closePolicy: "cancel", epoch } as const;
    expect(log.start("c", 0, { parent })).toMatchObject({ ok: false, code: "WORKFLOW_ID_CONFLICT" });
  });

  test("is not started for a parent that has ended", () => {
    const log = new Families();
    const epoch = log.epoch("p");
    const { startIndex = 0 } = log.state.summary("p") ?? {};
    log.ends("p");
    const parent = { runId: "p", startIndex, path: "c#0", closePolicy: "cancel", epoch } as const;
    expect(log.start("c", 0, { parent })).toMatchObject({ ok: false, code: "STALE_OWNER" });
  });
});

describe("the end of a child", () => {
  test("is recorded in its parent once, and says nothing about the parent's own progress", () => {
    const log = new Families();
    log.child("c");
    log.lost(1);
    log.register(1, undefined, "again");
    log.ends("c");
    const losses = log.state.summary("p");
    const [end] = log.state.unreportedEnds(1);
    expect(log.report()).toEqual([changed(true)]);
    expect(log.state.unreportedEnds(1)).toEqual([]);
    const { runId, startIndex, path } = end?.parent ?? { runId: "", startIndex: 0, path: "" };
    const again = {
      runId,
      startIndex,
      path,
      status: "failed",
      value: NOTHING,
      childStart: end?.startIndex ?? 0,
    } as const;
    expect(log.apply({ kind: "ChildEnded", ...again, atMs: log.at })).toEqual(changed(false));
    expect(log.state.run("p")?.history).toMatchObject([["c#0/result", { kind: "child-completed" }]]);
    expect(log.state.summary("p")).toMatchObject({ ownerLosses: 1, recordCount: 1 });
    expect(losses).toMatchObject({ ownerLosses: 1 });
  });

  test("keeps the child from being pruned until the parent has it", () => {
    const log = new Families();
    log.child("c");
    log.ends("c");
    log.prune({ keepAtMost: 0 });
    expect(log.state.summary("c")).toMatchObject({ status: "completed" });
    log.report();
    log.prune({ keepAtMost: 0 });
    expect(log.state.summary("c")).toBeUndefined();
  });

  test("is dropped for a parent that has ended, and for a later generation", () => {
    const log = new Families();
    for (const child of ["c", "d"]) log.child(child);
    log.ends("c");
    log.apply({ kind: "ContinueAsNew", runId: "p", input: NOTHING, atMs: log.at, owner: 1, epoch: log.epoch("p") });
    expect(log.report()).toEqual([changed(false)]);
    expect(log.pathsOf("p")).toEqual([]);
    log.ends("p");
    log.ends("d");
    expect(log.report()).toEqual([changed(false)]);
    expect(log.state.unreportedEnds(1)).toEqual([]);
  });
});

describe("the end of a parent", () => {
  test("is told to its children in pieces, also by a node that was restored half-way; abandoned ones go on", () => {
    const log = new Families();
    const count = MAX_TOLD_AT_ONCE + 44;
    for (let child = 0; child < count; child++)
      log.child(`c${child}`, { closePolicy: child % 2 === 0 ? "cancel" : "abandon" });
    log.ends("p");
    expect(log.state.hasClosingParents).toBe(true);
    const first = { told: MAX_TOLD_AT_ONCE, more: true };
    expect(log.apply({ kind: "CloseChildren", atMs: log.at })).toMatchObject(first);
    const copy = restoredFrom(log.state);
    const command = { kind: "CloseChildren", atMs: log.at } as const;
    for (const state of [log.state, copy]) {
      expect(state.apply(log.index + 1, command)).toMatchObject({ told: 44, more: false });
      expect(state.hasClosingParents).toBe(false);
      const asked = state
        .list({ statuses: ["running"], limit: 1000 })
        .runs.filter((run) => run.cancelReason !== undefined);
      expect(asked.every(({ runId }) => Number(runId.slice(1)) % 2 === 0)).toBe(true);
      expect(asked).toHaveLength(count / 2);
    }
  });
});

describe("another generation", () => {
  test("keeps the run's place, signals, children, limit and cancellation, and leaves what it had recorded to be swept", () => {
    const store = new MemoryStateStore();
    const log = new StateLog(new WorkflowState(store));
    log.register(1);
    log.start("r", 1, { runTimeoutMs: 500 });
    const before = log.state.summary("r");
    const owned = { runId: "r", owner: 1, epoch: log.epoch("r"), atMs: log.at };
    for (let path = 0; path < 100; path++) log.checkpoint("r", `x#${path}`, 1, 1, owned.epoch);
    log.apply({ kind: "Signal", runId: "r", name: "go", payload: NOTHING, signalId: "s", atMs: log.at });
    log.apply({ kind: "Cancel", runId: "r", reason: "enough", atMs: log.at });
    expect(log.apply({ kind: "ContinueAsNew", ...owned, input: Uint8Array.of(49) })).toMatchObject({
      ok: true,
      generation: 2,
    });
    expect(log.state.run("r")).toMatchObject({
      owner: 1,
      generation: 2,
      family: before?.family,
      deadlineAtMs: before?.deadlineAtMs,
      startedAtMs: before?.startedAtMs,
      cancelReason: "enough",
      signals: ["go"],
      history: [],
      input: Uint8Array.of(49),
    });
    expect(log.state.summary("r")?.seed).not.toEqual(before?.seed);
    expect(log.checkpoint("r", "late#0", 1, 1, owned.epoch)).toMatchObject({ ok: false, code: "STALE_OWNER" });
    expect(
      log.apply({ kind: "Signal", runId: "r", name: "go", payload: NOTHING, signalId: "s", atMs: log.at }),
    ).toEqual(changed(false));
    // Some records are swept with each command, and no snapshot has any of them.
    const restored = restoredFrom(log.state);
    expect([...restored.capture(4096)]).toEqual([...log.state.capture(4096)]);
    for (let command = 0; command < 10; command++) log.move();
    expect([...log.state.capture(4096)]).toEqual([...restored.capture(4096)]);
    const left = (kind: string) => [...store.scan(...kindRange(kind))].length;
    expect([left(KEY_PREFIX.history), left(KEY_PREFIX.run), left(KEY_PREFIX.remains)]).toEqual([0, 1, 0]);
  });
});

describe("the end of a run's time", () => {
  test("is a failure of a run that ends as cancelled, and nothing to one that was cancelled before or has no limit", () => {
    const log = new Families();
    for (const runId of ["late", "asked", "free"]) log.start(runId, 1, runId === "free" ? {} : { runTimeoutMs: 5 });
    log.apply({ kind: "Cancel", runId: "asked", reason: "enough", atMs: log.at });
    const timeOut = (runId: string): CommandResult =>
      log.apply({ kind: "TimeOut", runId, family: log.state.summary(runId)?.family ?? 0, atMs: log.at });
    expect(["late", "asked", "free"].map(timeOut)).toEqual([changed(true), changed(false), changed(false)]);
    for (const runId of ["late", "asked"]) {
      const outcome = { status: "cancelled", reason: "its time is over" } as const;
      log.apply({ kind: "WorkflowEnd", runId, outcome, atMs: log.at, owner: 1, epoch: log.epoch(runId) });
    }
    expect(log.state.end("late")?.ended?.outcome).toMatchObject({ status: "failed", error: { code: "RUN_TIMED_OUT" } });
    expect(log.state.end("asked")?.ended?.outcome).toMatchObject({ status: "cancelled" });
  });

  test("ends a run that has no owner at once", () => {
    const log = new Families();
    log.start("late", 1, { runTimeoutMs: 5 });
    log.lost(1);
    log.lost(2);
    expect(log.owner("late")).toBe(0);
    log.apply({ kind: "TimeOut", runId: "late", family: log.state.summary("late")?.family ?? 0, atMs: log.at });
    expect(log.state.end("late")?.ended?.outcome).toMatchObject({ status: "failed", error: { code: "RUN_TIMED_OUT" } });
  });
});
