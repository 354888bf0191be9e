import type { Cancel, Clock } from "@raftoral/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NewRecord } from "../../commands/history/records.ts";
import { MAX_RECORDS_PER_ENTRY } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import { StagedRecords, VISIBLE_WITHIN_MS } from "./staged-records.ts";

const DONE: RunOutcome = { status: "completed", result: new Uint8Array(0) };

/** A clock whose turns and timers the test ends, and a log that the test commits to. */
class Setting implements Clock {
  readonly committed: { readonly paths: string; readonly ended: boolean }[] = [];
  readonly pending: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  readonly refused: unknown[] = [];
  readonly staged: StagedRecords;
  #turn: (() => void)[] = [];
  #timers: { readonly ms: number; readonly fn: () => void }[] = [];

  constructor(maxBatchBytes = 1000) {
    this.staged = new StagedRecords({
      clock: this,
      maxBatchBytes,
      onRefused: (error) => this.refused.push(error),
      commit: (records, end) => {
        this.committed.push({ paths: records.map(({ path }) => path).join(" "), ended: end !== undefined });
        return new Promise((resolve, reject) => this.pending.push({ resolve, reject }));
      },
    });
  }

  monotonicMs = (): number => 0;
  wallMs = (): number => 0;
  every = (): Cancel => () => {};
  soon(fn: () => void): void {
    this.#turn.push(fn);
  }
  after(ms: number, fn: () => void): Cancel {
    const timer = { ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  endTurn(): void {
    for (const fn of this.#turn.splice(0)) fn();
  }
  pass(ms: number): void {
    for (const timer of this.#timers.filter((each) => each.ms <= ms)) timer.fn();
  }
  async commitNext(): Promise<void> {
    this.pending.shift()?.resolve();
    for (let hop = 0; hop < 5; hop++) await Promise.resolve();
  }
}

const record = (path: string, bytes = 1): NewRecord => ({
  path,
  recordKind: "step",
  value: new Uint8Array(bytes),
});

describe("staged records", () => {
  test("of one turn and the run's end are one entry", async () => {
    const s = new Setting();
    s.staged.stage(record("a"), false);
    s.staged.stage(record("v"), true);
    const ended = s.staged.end(DONE, 1);
    expect(s.committed).toEqual([{ paths: "a v", ended: true }]);
    s.endTurn();
    await s.commitNext();
    await ended;
    expect(s.committed).toHaveLength(1);
  });

  test("that cannot be recomputed leave at the end of their turn; others wait for company, for a bounded time", () => {
    const s = new Setting();
    s.staged.stage(record("v"), true);
    s.endTurn();
    expect(s.committed).toEqual([]);
    expect(s.staged.settled()).toBeUndefined();
    s.pass(VISIBLE_WITHIN_MS);
    expect(s.committed).toEqual([{ paths: "v", ended: false }]);
    const other = new Setting();
    other.staged.stage(record("v"), true);
    other.staged.stage(record("a"), false);
    other.endTurn();
    expect(other.committed).toEqual([{ paths: "v a", ended: false }]);
  });

  test("are settled when the last that cannot be recomputed is committed", async () => {
    const s = new Setting();
    s.staged.stage(record("a"), false);
    let isSettled = false;
    void s.staged.settled()?.then(() => {
      isSettled = true;
    });
    expect(s.committed).toEqual([{ paths: "a", ended: false }]);
    s.staged.stage(record("v"), true);
    expect(isSettled).toBe(false);
    await s.commitNext();
    expect(isSettled).toBe(true);
    expect(s.staged.settled()).toBeUndefined();
  });

  test("are one batch at a time, bounded in bytes and number", async () => {
    const s = new Setting(10);
    s.staged.stage(record("a", 6), false);
    s.staged.stage(record("b", 6), false);
    s.staged.stage(record("c", 50), false);
    s.endTurn();
    expect(s.committed.map(({ paths }) => paths)).toEqual(["a"]);
    await s.commitNext();
    await s.commitNext();
    expect(s.committed.map(({ paths }) => paths)).toEqual(["a", "b", "c"]);
    const many = new Setting();
    for (let n = 0; n <= MAX_RECORDS_PER_ENTRY; n++) many.staged.stage(record(`${n}`), true);
    const quiet = many.staged.quiet();
    await many.commitNext();
    await many.commitNext();
    await quiet;
    expect(many.committed.map(({ paths }) => paths.split(" ").length)).toEqual([MAX_RECORDS_PER_ENTRY, 1]);
  });

  test("that the log refuses are reported once, and what was staged after them is dropped", async () => {
    const s = new Setting(10);
    s.staged.stage(record("a", 6), false);
    s.staged.stage(record("b", 6), false);
    s.endTurn();
    const quiet = s.staged.quiet();
    s.pending.shift()?.reject(new Error("no"));
    await expect(quiet).rejects.toThrow("no");
    expect(s.refused).toHaveLength(1);
    expect(s.committed).toHaveLength(1);
    // The run still ends.
    void s.staged.end({ status: "failed", error: { name: "Error", message: "no" } }, 1);
    expect(s.committed.at(-1)).toEqual({ paths: "", ended: true });
  });

  test("reach the log in order, whatever the turns, timers and commits (SR1)", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("fixed", "free", "turn", "time", "commit", "flush", "settled")),
        async (acts) => {
          const s = new Setting(4);
          let next = 0;
          for (const act of acts) {
            if (act === "fixed" || act === "free") s.staged.stage(record(`${next++}`), act === "free");
            else if (act === "turn") s.endTurn();
            else if (act === "time") s.pass(VISIBLE_WITHIN_MS);
            else if (act === "commit") await s.commitNext();
            else if (act === "flush") s.staged.flush();
            else void s.staged.settled();
            expect(s.pending.length).toBeLessThanOrEqual(1);
          }
          const quiet = s.staged.quiet();
          for (let n = 0; n <= acts.length; n++) await s.commitNext();
          await quiet;
          const paths = s.committed.flatMap((batch) => batch.paths.split(" ")).filter((path) => path !== "");
          expect(paths).toEqual(Array.from({ length: next }, (_, n) => `${n}`));
        },
      ),
    ));
});
