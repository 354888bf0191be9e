import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import { MemoryStorage } from "../memory/memory-storage.ts";
import { entriesOfTerms } from "../testing/internal/groups/lockstep-network.ts";
import { EMPTY_CONF_STATE, type Entry, type Snapshot } from "../types.ts";
import { entriesSize, entrySize } from "./entry-size.ts";
import { RaftLog } from "./raft-log.ts";

const NO_LIMIT = Number.POSITIVE_INFINITY;

/** Terms 1 to `stored` in storage, `unstable` more in memory; entry i is of term i. */
function logOf(stored: number, unstable: number, maxApplyingBytes = NO_LIMIT): RaftLog {
  const all = entriesOfTerms(...Array.from({ length: stored + unstable }, (_, at) => at + 1));
  const log = new RaftLog(new MemoryStorage({ entries: all.slice(0, stored) }), maxApplyingBytes);
  log.append(all.slice(stored));
  return log;
}

function indexes(list: readonly Entry[] | string): unknown {
  return typeof list === "string" ? list : list.map(({ index }) => index);
}

describe("the log, half in storage and half in memory", () => {
  test("reads across the border as if there were none", () => {
    const log = logOf(3, 3);
    expect([log.firstIndex(), log.lastIndex(), log.lastTerm()]).toEqual([1, 6, 6]);
    for (let lo = 1; lo <= 7; lo++) {
      for (let hi = lo; hi <= 7; hi++) {
        const expected = Array.from({ length: hi - lo }, (_, at) => lo + at);
        expect(indexes(log.slice(lo, hi, NO_LIMIT))).toEqual(expected);
      }
    }
  });

  test("cuts by size in the same places wherever the border lies", () => {
    const entries = entriesOfTerms(1, 2, 3, 4, 5, 6);
    for (let stored = 0; stored <= 6; stored++) {
      const log = logOf(stored, 6 - stored);
      for (let count = 1; count <= 6; count++) {
        const bytes = entriesSize(entries.slice(0, count));
        expect(indexes(log.slice(1, 7, bytes))).toEqual(entries.slice(0, count).map(({ index }) => index));
        expect(indexes(log.slice(1, 7, bytes - 1))).toEqual(
          entries.slice(0, Math.max(1, count - 1)).map(({ index }) => index),
        );
      }
    }
  });

  test("leaves out no entry because a later one would fit", () => {
    const [small, large, last] = entriesOfTerms(1, 2, 3) as [Entry, Entry, Entry];
    const stored = [small, { ...large, data: new Uint8Array(100) }];
    const log = new RaftLog(new MemoryStorage({ entries: stored }), NO_LIMIT);
    log.append([last]);
    expect(indexes(log.slice(1, 4, entriesSize([small, last])))).toEqual([1]);
  });

  test("knows terms from one before the first index to the last", () => {
    const storage = new MemoryStorage({ entries: entriesOfTerms(1, 1, 2, 3) });
    storage.writeSync({ compactTo: 3 });
    const log = new RaftLog(storage, NO_LIMIT);
    expect([1, 2, 3, 4, 5].map((index) => log.term(index))).toEqual(["compacted", 1, 2, 3, "unavailable"]);
    expect(log.slice(2, 4, NO_LIMIT)).toBe("compacted");
  });

  test("compares logs by last term, then by length (§5.4.1)", () => {
    const log = logOf(2, 1);
    expect(log.isUpToDate(2, 4)).toBe(true);
    expect(log.isUpToDate(3, 3)).toBe(true);
    expect(log.isUpToDate(2, 3)).toBe(false);
    expect(log.isUpToDate(9, 2)).toBe(false);
  });

  test("never replaces a committed entry (L2)", () => {
    const log = logOf(3, 0);
    log.commitTo(2);
    const other = [{ ...(entriesOfTerms(1, 9)[1] as Entry) }];
    expect(() => log.maybeAppend(1, 1, other, 0)).toThrow(InvariantViolation);
    expect(() => log.append(other)).toThrow(InvariantViolation);
    expect(() => log.commitTo(4)).toThrow(InvariantViolation);
  });

  test("commits only entries of the term asked for (§5.4.2)", () => {
    const log = logOf(0, 3);
    expect(log.maybeCommit(2, 3)).toBe(false);
    expect(log.maybeCommit(3, 3)).toBe(true);
    expect(log.maybeCommit(3, 3)).toBe(false);
    expect(log.maybeCommit(9, 0)).toBe(false);
  });

  test("applies nothing while a snapshot waits to be stored (L4), and not what is unstable unless told so", () => {
    const log = logOf(1, 2);
    log.commitTo(3);
    expect(indexes(log.nextCommittedEntries(false))).toEqual([1]);
    expect(indexes(log.nextCommittedEntries(true))).toEqual([1, 2, 3]);
    const snapshot: Snapshot = {
      metadata: { index: 7, term: 7, confState: EMPTY_CONF_STATE },
      data: new Uint8Array(),
    };
    log.restore(snapshot);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect([log.firstIndex(), log.lastIndex(), log.committed]).toEqual([8, 7, 7]);
  });

  test("pauses when as many bytes are being applied as may be, and goes on when they are applied", () => {
    const first = entriesOfTerms(1)[0] as Entry;
    const log = logOf(3, 0, entrySize(first));
    log.commitTo(3);
    expect(indexes(log.nextCommittedEntries(true))).toEqual([1]);
    log.acceptApplying(1, entrySize(first), true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    log.appliedTo(1, entrySize(first));
    expect(indexes(log.nextCommittedEntries(true))).toEqual([2]);
  });
});

describe("a page of committed entries that leaves room for less than the next entry", () => {
  test("is the last one until some are applied: the bound holds over all pages together", () => {
    const bytes = entrySize(entriesOfTerms(1)[0] as Entry);
    const log = logOf(3, 0, bytes * 1.5);
    log.commitTo(3);
    expect(indexes(log.nextCommittedEntries(true))).toEqual([1]);
    log.acceptApplying(1, bytes, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
  });
});

describe("entrySize", () => {
  test("is that of the entry in protobuf: tags, varints, data and context", () => {
    const empty: Entry = { term: 1, index: 1, type: "EntryNormal", data: new Uint8Array() };
    expect(entrySize(empty)).toBe(6);
    expect(entrySize({ ...empty, index: 128 })).toBe(7);
    expect(entrySize({ ...empty, index: Number.MAX_SAFE_INTEGER })).toBe(13);
    expect(entrySize({ ...empty, data: new Uint8Array(200) })).toBe(6 + 3 + 200);
    expect(entrySize({ ...empty, context: new Uint8Array(5) })).toBe(6 + 2 + 5);
  });
});

describe("bytes that are handed out for applying (L5)", () => {
  const size = entriesSize(entriesOfTerms(1));

  test("are given back by a snapshot that stands for entries whose report never comes", () => {
    const log = logOf(2, 0, size);
    log.commitTo(2);
    log.acceptApplying(1, size, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    const metadata = { index: 5, term: 5, confState: EMPTY_CONF_STATE };
    log.restore({ metadata, data: new Uint8Array(0) } satisfies Snapshot);
    log.unstable.stableSnapshotTo(5);
    log.appliedTo(5, 0);
    log.append(entriesOfTerms(1, 2, 3, 4, 5, 6).slice(5));
    log.commitTo(6);
    expect(indexes(log.nextCommittedEntries(true))).toEqual([6]);
  });

  test("stay counted while a part of them is not applied", () => {
    const log = logOf(3, 0, 2 * size);
    log.commitTo(3);
    log.acceptApplying(2, 2 * size, true);
    log.appliedTo(1, size);
    expect(indexes(log.nextCommittedEntries(true))).toEqual([3]);
    log.acceptApplying(3, size, true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
  });
});
