import { MemoryStateStore } from "@raftoral/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WorkflowState } from "../machine/workflow-state.ts";
import { idKey, numberIn, numberKey, pathHash } from "../records/state-keys.ts";
import { StateLog } from "../testing/state-log.ts";
import { RunCache } from "./runs/run-cache.ts";
import type { RunRecord } from "./runs/run-record.ts";

/** Two paths with the same hash. */
const [ONE, TWO] = ["step-1lj908o#0", "step-q1xb4c#0"];

describe("keys", () => {
  test("of numbers are as long as each other, sort as the numbers do, and are read back", () => {
    const number = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 28 - 1, 2 ** 28, 2 ** 53 - 1));
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(numberKey(a)).toHaveLength(7);
        expect(numberIn(`x${numberKey(a)}`, 1)).toBe(a);
        expect(numberKey(a) < numberKey(b)).toBe(a < b);
      }),
    );
  });

  test("of ids have bytes only, and differ where the ids do", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
        expect([...idKey(a)].every((unit) => unit.charCodeAt(0) < 256)).toBe(true);
        expect(idKey(a) === idKey(b)).toBe(a === b);
      }),
    );
  });
});

describe("paths with the same hash", () => {
  test.each([0, 1 << 20])("have checkpoints of their own, also when nothing is cached (cache of %i bytes)", (cache) => {
    expect(pathHash(ONE)).toBe(pathHash(TWO));
    const log = new StateLog(new WorkflowState(new MemoryStateStore(), cache));
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    expect(log.checkpoint("a", ONE, 1, 1, epoch)).toMatchObject({ recorded: true });
    expect(log.checkpoint("a", TWO, 2, 1, epoch)).toMatchObject({ recorded: true });
    expect(log.checkpoint("a", ONE, 3, 1, epoch)).toMatchObject({
      recorded: false,
      record: { value: Uint8Array.of(1) },
    });
    expect(log.checkpoint("a", TWO, 3, 1, epoch)).toMatchObject({
      recorded: false,
      record: { value: Uint8Array.of(2) },
    });
    expect(log.state.run("a")?.history.map(([path]) => path)).toEqual([ONE, TWO]);
  });
});

describe("the cache of runs", () => {
  const run = (id: number): RunRecord => ({ runId: String(id), signals: [] }) as unknown as RunRecord;

  test("keeps those that were looked at lately, within its bound", () => {
    const cache = new RunCache(100 * 1024);
    for (let id = 0; id < 10_000; id++) {
      cache.add(run(id));
      expect(cache.get("0")).toBeDefined();
    }
    expect(cache.size).toBeLessThanOrEqual(101);
    expect(cache.get("9999")).toBeDefined();
    expect(cache.get("1")).toBeUndefined();
  });

  test("gives place for what a run grows by", () => {
    const cache = new RunCache(100 * 1024);
    for (let id = 0; id < 10; id++) {
      cache.add(run(id));
      cache.charge(60 * 1024);
    }
    expect(cache.size).toBeLessThanOrEqual(2);
  });
});
