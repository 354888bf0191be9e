import { MemoryStateStore } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { MAX_ATTEMPT_ERROR_BYTES, MAX_HEARTBEAT_BYTES } from "../../model/step-progress.ts";
import { KEY_PREFIX, kindRange, pathHash } from "../../records/state-keys.ts";
import { NOTHING, restoredFrom, StateLog } from "../../testing/state-log.ts";
import type { CommandResult } from "../registry.ts";
import type { StepProgressCommand } from "./step-progress.ts";

/** Two paths with the same hash. */
const [ONE, TWO] = ["step-1lj908o#0", "step-q1xb4c#0"];
const error = { name: "Error", message: "the bank is away", code: "EAI_AGAIN" };

function started(store = new MemoryStateStore(), cacheBytes?: number): { log: StateLog; epoch: number } {
  const log = new StateLog(new WorkflowState(store, cacheBytes));
  log.register(1);
  log.start("a");
  return { log, epoch: log.epoch("a") };
}

function progress(log: StateLog, given: Partial<StepProgressCommand>): CommandResult {
  const nothing = { path: "charge#0", attempts: 0, nextAtMs: 0, beganAtMs: 10, details: NOTHING };
  const [runId, owner, epoch] = ["a", 1, log.epoch("a")];
  return log.apply({ kind: "StepProgress", runId, atMs: log.at, owner, epoch, ...nothing, ...given });
}

const known = ({ state }: StateLog) => state.progress("a", 100);

describe("the progress of a step", () => {
  test("says what has failed, when the next attempt is due, and what the last heartbeat said", () => {
    const { log } = started();
    expect(known(log)).toEqual([]);
    progress(log, { attempts: 1, error, nextAtMs: 500 });
    const first = {
      path: "charge#0",
      attempts: 1,
      error,
      nextAtMs: 500,
      beganAtMs: 10,
      details: NOTHING,
      recordedAtMs: log.at,
      epoch: log.epoch("a"),
    };
    expect(known(log)).toEqual([first]);
    progress(log, { attempts: 1, details: Uint8Array.of(1), beganAtMs: 99 });
    expect(known(log)).toEqual([{ ...first, details: Uint8Array.of(1) }]);
    progress(log, { attempts: 2, error: { ...error, message: "still" }, nextAtMs: 900, beganAtMs: 99 });
    const second = { ...first, attempts: 2, error: { ...error, message: "still" }, nextAtMs: 900 };
    expect(known(log)).toEqual([{ ...second, details: Uint8Array.of(1) }]);
    expect(log.state.run("a")?.progress).toEqual(known(log));
  });

  test("does not go back when an older word is applied later (SP1), and takes the same word twice", () => {
    const { log } = started();
    progress(log, { attempts: 2, error, nextAtMs: 900 });
    const before = known(log);
    expect(progress(log, { attempts: 1, details: Uint8Array.of(7) })).toMatchObject({ ok: true, changed: false });
    expect(known(log)).toEqual(before);
    progress(log, { attempts: 2, error, nextAtMs: 900 });
    expect(known(log)).toEqual(before);
  });

  test("ends with the step's record, and what comes later changes nothing (SP2)", () => {
    const { log, epoch } = started();
    progress(log, { attempts: 1, error, nextAtMs: 500 });
    progress(log, { path: "pack#0", attempts: 1, error, nextAtMs: 500 });
    log.checkpoint("a", "charge#0", 1, 1, epoch);
    expect(known(log)?.map(({ path }) => path)).toEqual(["pack#0"]);
    expect(progress(log, { attempts: 1, details: Uint8Array.of(7) })).toMatchObject({ ok: true, changed: false });
    const records = [{ path: "pack#0", recordKind: "step", value: NOTHING }] as const;
    log.apply({ kind: "Records", runId: "a", records, atMs: log.at, owner: 1, epoch });
    expect(known(log)).toEqual([]);
  });

  test("is refused of an owner that was replaced, and when it is too large", () => {
    const { log, epoch } = started();
    expect(progress(log, { epoch: epoch + 1, attempts: 1, error })).toMatchObject({ ok: false, code: "STALE_OWNER" });
    const details = new Uint8Array(MAX_HEARTBEAT_BYTES);
    expect(progress(log, { details })).toMatchObject({ ok: true });
    expect(progress(log, { details: new Uint8Array(MAX_HEARTBEAT_BYTES + 1) })).toMatchObject({
      code: "COMMAND_INVALID",
    });
    const long = { name: "Error", message: "x".repeat(MAX_ATTEMPT_ERROR_BYTES) };
    expect(progress(log, { attempts: 1, error: long })).toMatchObject({ ok: false, code: "COMMAND_INVALID" });
    expect(known(log)).toMatchObject([{ attempts: 0, details }]);
  });

  test.each([0, 1 << 20])("is kept apart of paths with one hash (cache of %i bytes)", (cacheBytes) => {
    expect(pathHash(ONE)).toBe(pathHash(TWO));
    const { log, epoch } = started(new MemoryStateStore(), cacheBytes);
    progress(log, { path: ONE, attempts: 1, error, nextAtMs: 500 });
    progress(log, { path: TWO, attempts: 2, error, nextAtMs: 700 });
    expect(known(log)).toMatchObject([{ attempts: 1 }, { attempts: 2 }]);
    log.checkpoint("a", ONE, 1, 1, epoch);
    expect(known(log)).toMatchObject([{ path: TWO, attempts: 2, nextAtMs: 700 }]);
  });

  test("passes to the next owner, and through a snapshot", () => {
    const { log } = started();
    log.register(2);
    for (const path of ["x#0", ONE, TWO]) progress(log, { path, attempts: 1, error, nextAtMs: 500 });
    log.lost(1);
    expect(log.owner("a")).toBe(2);
    expect(known(log)).toHaveLength(3);
    const copy = restoredFrom(log.state, 100);
    expect(copy.progress("a", 100)).toEqual(known(log));
    expect([...copy.capture(100)]).toEqual([...log.state.capture(100)]);
  });

  test("that another attempt has failed forgets the owners that were lost before; heartbeats do not", () => {
    const { log } = started();
    log.register(2);
    log.lost(1);
    const losses = (): unknown => (log.state.summary("a") as { ownerLosses: number }).ownerLosses;
    const owned = { owner: 2, attempts: 0 };
    progress(log, { ...owned, details: Uint8Array.of(1) });
    expect(losses()).toBe(1);
    progress(log, { ...owned, attempts: 1, error });
    expect(losses()).toBe(0);
  });

  test("of a run that has ended is not shown, and is swept with its history in pieces", () => {
    const store = new MemoryStateStore();
    const { log, epoch } = started(store);
    const steps = 100;
    for (let at = 0; at < steps; at++) progress(log, { path: `s#${at}`, attempts: 1, error, nextAtMs: 500 });
    log.checkpoint("a", "x#0", 1, 1, epoch);
    const kept = (): number => [...store.scan(...kindRange(KEY_PREFIX.progress))].length;
    log.end("a", 1, epoch);
    expect(known(log)).toEqual([]);
    expect(log.state.run("a")?.progress).toEqual([]);
    expect(kept()).toBe(steps);
    expect([...restoredFrom(log.state).capture(100)]).toEqual([...log.state.capture(100)]);
    log.prune({ keepAtMost: 0 });
    let commands = 0;
    for (; kept() > 0; commands++) {
      const before = kept();
      log.drain(9);
      expect(before - kept()).toBeLessThanOrEqual(32);
      expect(commands).toBeLessThan(steps);
    }
    expect(commands).toBeGreaterThan(1);
    log.drain(9);
    expect([...store.scan(...kindRange(KEY_PREFIX.remains))]).toEqual([]);
  });
});
