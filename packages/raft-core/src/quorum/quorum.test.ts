import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JointConfig } from "./joint.ts";
import {
  describeMajority,
  majorityCommittedIndex,
  majorityVoteResult,
  quorumSize,
  type VoteResult,
} from "./majority.ts";
import { NodeSet } from "./node-set.ts";

const RUNS = 50_000;

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 9 });
const acked = fc.dictionary(fc.integer({ min: 1, max: 12 }).map(String), fc.integer({ min: 0, max: 15 }));
const votes = fc.dictionary(fc.integer({ min: 1, max: 12 }).map(String), fc.boolean());

function toMap<T>(record: Record<string, T>): Map<number, T> {
  return new Map(Object.entries(record).map(([id, value]) => [Number(id), value]));
}

/** The definition: the largest index that more than half of the voters have reached. Tries all of them. */
function referenceCommitted(ids: readonly number[], indexes: ReadonlyMap<number, number>): number {
  if (ids.length === 0) return Number.POSITIVE_INFINITY;
  let best = 0;
  for (const candidate of new Set(ids.map((id) => indexes.get(id) ?? 0))) {
    const reached = ids.filter((id) => (indexes.get(id) ?? 0) >= candidate).length;
    if (reached * 2 > ids.length) best = Math.max(best, candidate);
  }
  return best;
}

/** The definition: won or lost when every possible vote of the silent voters gives that result. */
function referenceVote(halves: readonly (readonly number[])[], cast: ReadonlyMap<number, boolean>): VoteResult {
  const wins = (silentSay: boolean): boolean =>
    halves.every((ids) => {
      const yes = ids.filter((id) => cast.get(id) ?? silentSay).length;
      return ids.length === 0 || yes * 2 > ids.length;
    });
  if (wins(false)) return "VoteWon";
  return wins(true) ? "VotePending" : "VoteLost";
}

describe("a majority", () => {
  test(`has the commit index of the definition, in ${RUNS} random cases`, () => {
    const property = fc.property(voters, acked, (ids, record) => {
      const indexes = toMap(record);
      const indexer = { ackedIndex: (id: number) => indexes.get(id) };
      return majorityCommittedIndex(NodeSet.of(ids), indexer) === referenceCommitted(ids, indexes);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test(`decides elections as the definition does, in ${RUNS} random cases`, () => {
    const property = fc.property(voters, votes, (ids, record) => {
      const cast = toMap(record);
      return majorityVoteResult(NodeSet.of(ids), cast) === referenceVote([ids], cast);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test("without voters agrees to everything (M1)", () => {
    expect(majorityCommittedIndex(NodeSet.EMPTY, { ackedIndex: () => 7 })).toBe(Number.POSITIVE_INFINITY);
    expect(majorityVoteResult(NodeSet.EMPTY, new Map([[1, false]]))).toBe("VoteWon");
    expect(describeMajority(NodeSet.EMPTY, { ackedIndex: () => 7 })).toBe("<empty majority quorum>");
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])("of %i voters is %i", (count, size) => {
    expect(quorumSize(NodeSet.of(Array.from({ length: count }, (_, i) => i + 1)))).toBe(size);
  });

  test("charts who is how far, with equal bars for equal indexes", () => {
    const indexes = new Map([
      [1, 5],
      [10, 9],
      [3, 5],
    ]);
    const chart = describeMajority(NodeSet.of([1, 2, 3, 10]), { ackedIndex: (id) => indexes.get(id) });
    expect(chart.split("\n")).toEqual([
      "        idx",
      "x>        5    (id=1)",
      "?         0    (id=2)",
      "x>        5    (id=3)",
      "xxx>      9    (id=a)",
      "",
    ]);
  });
});

describe("a joint configuration", () => {
  test(`commits what both halves hold, in ${RUNS} random cases`, () => {
    const property = fc.property(voters, voters, acked, (incoming, outgoing, record) => {
      const indexes = toMap(record);
      const indexer = { ackedIndex: (id: number) => indexes.get(id) };
      const expected = Math.min(referenceCommitted(incoming, indexes), referenceCommitted(outgoing, indexes));
      const one = new JointConfig(NodeSet.of(incoming), NodeSet.of(outgoing)).committedIndex(indexer);
      const other = new JointConfig(NodeSet.of(outgoing), NodeSet.of(incoming)).committedIndex(indexer);
      return one === expected && other === expected;
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test(`elects whom both halves elect, in ${RUNS} random cases`, () => {
    const property = fc.property(voters, voters, votes, (incoming, outgoing, record) => {
      const cast = toMap(record);
      const one = new JointConfig(NodeSet.of(incoming), NodeSet.of(outgoing)).voteResult(cast);
      const lost = [incoming, outgoing].some((half) => referenceVote([half], cast) === "VoteLost");
      return one === (lost ? "VoteLost" : referenceVote([incoming, outgoing], cast));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test("prints its halves", () => {
    expect(`${new JointConfig(NodeSet.of([3, 1, 2]))}`).toBe("(1 2 3)");
    expect(`${new JointConfig(NodeSet.of([3, 1]), NodeSet.of([2]))}`).toBe("(1 3)&&(2)");
  });
});

describe("NodeSet", () => {
  test("is ascending, without repeats, and never changes (N1, N2)", () => {
    const set = NodeSet.of([10, 9, 2, 10]);
    expect(set.ids).toEqual([2, 9, 10]);
    expect(set.with(9)).toBe(set);
    expect(set.without(4)).toBe(set);
    expect(set.with(5).ids).toEqual([2, 5, 9, 10]);
    expect(set.without(9).ids).toEqual([2, 10]);
    expect(set.ids).toEqual([2, 9, 10]);
    expect(set.union(NodeSet.of([1, 2])).ids).toEqual([1, 2, 9, 10]);
    expect(set.differenceCount(NodeSet.of([1, 2]))).toBe(3);
  });
});
