import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import { EMPTY_CONF_STATE, type Entry, type Snapshot } from "../types.ts";
import { Unstable } from "./unstable.ts";

const NO_LIMIT = Number.POSITIVE_INFINITY;

function entries(term: number, lo: number, hi: number): Entry[] {
  return Array.from({ length: hi - lo }, (_, at) => ({
    term,
    index: lo + at,
    type: "EntryNormal",
    data: new Uint8Array(),
  }));
}

function snapshotAt(index: number, term: number): Snapshot {
  return { metadata: { index, term, confState: EMPTY_CONF_STATE }, data: new Uint8Array() };
}

function indexes(list: readonly Entry[]): string[] {
  return list.map(({ term, index }) => `${term}/${index}`);
}

describe("the unstable end of the log", () => {
  test("hands out entries once, and again what replaced them", () => {
    const unstable = new Unstable(5);
    unstable.truncateAndAppend(entries(1, 5, 8));
    expect(indexes(unstable.nextEntries())).toEqual(["1/5", "1/6", "1/7"]);
    unstable.acceptInProgress();
    expect(unstable.hasNextEntries()).toBe(false);
    unstable.truncateAndAppend(entries(2, 6, 8));
    expect(indexes(unstable.nextEntries())).toEqual(["2/6", "2/7"]);
  });

  test("may begin below what storage holds", () => {
    const unstable = new Unstable(5);
    unstable.truncateAndAppend(entries(2, 3, 5));
    expect(unstable.offset).toBe(3);
    expect(unstable.lastIndex()).toBe(4);
    expect(unstable.term(3)).toBe(2);
    expect(unstable.term(2)).toBeUndefined();
  });

  test("keeps entries that were replaced since their write began", () => {
    const unstable = new Unstable(1);
    unstable.truncateAndAppend(entries(1, 1, 4));
    unstable.acceptInProgress();
    unstable.truncateAndAppend(entries(2, 2, 4));
    unstable.stableTo(3, 1);
    expect(unstable.offset).toBe(1);
    unstable.stableTo(1, 1);
    expect(unstable.offset).toBe(2);
    unstable.stableTo(3, 2);
    expect(unstable.length).toBe(0);
    expect(unstable.lastIndex()).toBeUndefined();
  });

  test("never changes an array it handed out (U4)", () => {
    const unstable = new Unstable(1);
    unstable.truncateAndAppend(entries(1, 1, 4));
    const out = unstable.slice(1, 4, NO_LIMIT);
    expect(unstable.slice(1, 4, NO_LIMIT)).toBe(out);
    unstable.truncateAndAppend(entries(2, 2, 5));
    expect(indexes(out)).toEqual(["1/1", "1/2", "1/3"]);
    expect(indexes(unstable.slice(1, 4, NO_LIMIT))).toEqual(["1/1", "2/2", "2/3"]);
  });

  test("stays right over many appends and reports, and keeps at most twice the live entries", () => {
    const unstable = new Unstable(1);
    let next = 1;
    for (let round = 0; round < 2_000; round++) {
      unstable.truncateAndAppend(entries(1, next, next + 7));
      next += 7;
      unstable.acceptInProgress();
      const stable = next - 3000;
      if (stable > 0) unstable.stableTo(stable, 1);
      expect(unstable.term(next - 1)).toBe(1);
    }
    expect(indexes(unstable.slice(next - 2, next, NO_LIMIT))).toEqual([`1/${next - 2}`, `1/${next - 1}`]);
    expect(unstable.length).toBe(2999);
    expect(unstable.held).toBeLessThanOrEqual(2 * unstable.length + 7);
  });

  test("cuts a range by size, but returns at least one entry", () => {
    const unstable = new Unstable(1);
    unstable.truncateAndAppend(entries(1, 1, 5));
    expect(unstable.slice(1, 5, 0).length).toBe(1);
    expect(unstable.slice(1, 5, 12).length).toBe(2);
    expect(unstable.slice(1, 5, 17).length).toBe(2);
    expect(unstable.slice(1, 5, 18).length).toBe(3);
  });

  test("refuses a gap and a range it does not hold", () => {
    const unstable = new Unstable(5);
    expect(() => unstable.truncateAndAppend(entries(1, 6, 7))).toThrow(InvariantViolation);
    unstable.truncateAndAppend(entries(1, 5, 7));
    expect(() => unstable.slice(4, 6, NO_LIMIT)).toThrow(InvariantViolation);
    expect(() => unstable.slice(6, 8, NO_LIMIT)).toThrow(InvariantViolation);
  });

  test("starts over from a snapshot, which leaves when it is stored, unless another has come (U3)", () => {
    const unstable = new Unstable(5);
    unstable.truncateAndAppend(entries(1, 5, 7));
    unstable.restore(snapshotAt(9, 2));
    expect([unstable.firstIndex(), unstable.lastIndex(), unstable.term(9), unstable.length]).toEqual([10, 9, 2, 0]);
    unstable.truncateAndAppend(entries(2, 10, 11));
    expect(unstable.nextSnapshot()?.metadata.index).toBe(9);
    unstable.acceptInProgress();
    expect(unstable.nextSnapshot()).toBeUndefined();
    unstable.stableSnapshotTo(8);
    expect(unstable.firstIndex()).toBe(10);
    unstable.stableSnapshotTo(9);
    expect(unstable.firstIndex()).toBeUndefined();
    expect(unstable.lastIndex()).toBe(10);
  });
});
