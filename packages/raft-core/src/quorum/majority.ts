/**
 * Decisions by a simple majority of a set of voters (Raft paper §5.2 for votes, §5.3 and §5.4.2 for the commit index).
 *
 * Role: pure arithmetic. It knows neither logs nor terms. The leader decides whether an index may be committed by
 * counting (§5.4.2).
 *
 * Invariants:
 * M1. An empty set of voters agrees to everything: its commit index is Infinity and its votes are won. A joint
 *     configuration with one empty half therefore behaves as its other half.
 * M2. A voter that has not reported counts as index 0, and as an open vote.
 */
import type { LogIndex, NodeId } from "../types.ts";
import type { NodeSet } from "./node-set.ts";

/** Looks up acknowledged indexes. */
export interface AckedIndexer {
  /** The highest index `id` is known to hold, or undefined when it has not reported. */
  ackedIndex(id: NodeId): LogIndex | undefined;
}

/** The result of an election. VotePending: the missing votes can still decide it either way. */
export type VoteResult = "VotePending" | "VoteLost" | "VoteWon";

/** Smallest number of voters that is a majority of `voters`. */
export function quorumSize(voters: NodeSet): number {
  return (voters.size >> 1) + 1;
}

// The commit index is computed on every acknowledgement. The calculation is synchronous and never re-enters, so one buffer
// serves all calls and none of them allocates.
const ascending: LogIndex[] = [];

/** The highest index that a majority of `voters` holds; Infinity without voters (M1). */
export function majorityCommittedIndex(voters: NodeSet, acked: AckedIndexer): LogIndex {
  const ids = voters.ids;
  const count = ids.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const index = acked.ackedIndex(ids[i] as NodeId) ?? 0;
    // Insertion sort is the fastest for three to seven voters, the usual sizes.
    let at = i;
    while (at > 0 && (ascending[at - 1] as LogIndex) > index) {
      ascending[at] = ascending[at - 1] as LogIndex;
      at--;
    }
    ascending[at] = index;
  }
  // This value and everything above it is held by exactly a quorum.
  return ascending[count - quorumSize(voters)] as LogIndex;
}

/** The result of an election among `voters`; votes of other nodes do not count. Won without voters (M1). */
export function majorityVoteResult(voters: NodeSet, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (voters.size === 0) return "VoteWon";
  let granted = 0;
  let missing = 0;
  for (const id of voters.ids) {
    const vote = votes.get(id);
    if (vote === undefined) missing++;
    else if (vote) granted++;
  }
  const quorum = quorumSize(voters);
  if (granted >= quorum) return "VoteWon";
  return granted + missing >= quorum ? "VotePending" : "VoteLost";
}

/**
 * A chart for people: one line per voter, ascending by id, with a bar as long as the number of voters with a lower index.
 * Every line ends with a line feed. An empty set gives a text without a line feed instead.
 */
export function describeMajority(voters: NodeSet, acked: AckedIndexer): string {
  const count = voters.size;
  if (count === 0) return "<empty majority quorum>";
  const rows = voters.ids.map((id) => ({ id, index: acked.ackedIndex(id), bar: 0 }));
  const byIndex = [...rows].sort((a, b) => (a.index ?? 0) - (b.index ?? 0) || a.id - b.id);
  for (const [rank, row] of byIndex.entries()) {
    const before = byIndex[rank - 1];
    // Equal indexes get equal bars.
    if (before !== undefined) row.bar = (before.index ?? 0) < (row.index ?? 0) ? rank : before.bar;
  }
  const lines = rows.map(({ id, index, bar }) => {
    const chart = index === undefined ? `?${" ".repeat(count)}` : `${"x".repeat(bar)}>${" ".repeat(count - bar)}`;
    return `${chart} ${String(index ?? 0).padStart(5)}    (id=${id.toString(16)})\n`;
  });
  return `${" ".repeat(count)}    idx\n${lines.join("")}`;
}
