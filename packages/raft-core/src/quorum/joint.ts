/**
 * Decisions in a joint configuration: both halves must agree (thesis §4.3).
 *
 * Role: combines two majorities. A configuration that is not joint has an empty outgoing half, which agrees to everything
 * (majority.ts, M1), so that callers need not tell the two cases apart.
 */
import type { LogIndex, NodeId } from "../types.ts";
import {
  type AckedIndexer,
  describeMajority,
  majorityCommittedIndex,
  majorityVoteResult,
  type VoteResult,
} from "./majority.ts";
import { NodeSet } from "./node-set.ts";

/** Immutable. */
export class JointConfig {
  static readonly EMPTY: JointConfig = new JointConfig(NodeSet.EMPTY, NodeSet.EMPTY);

  /** The voters, or in a joint configuration those to come (C_new). */
  readonly incoming: NodeSet;
  /** Empty unless joint: the voters that are being replaced (C_old). */
  readonly outgoing: NodeSet;
  /** Everyone with a vote in either half. */
  readonly voters: NodeSet;

  constructor(incoming: NodeSet, outgoing: NodeSet = NodeSet.EMPTY) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.voters = incoming.union(outgoing);
  }

  get isJoint(): boolean {
    return this.outgoing.size > 0;
  }

  /** Whether `id` votes in either half. */
  has(id: NodeId): boolean {
    return this.incoming.has(id) || this.outgoing.has(id);
  }

  /** The highest index that a majority of each half holds; Infinity without any voter. */
  committedIndex(acked: AckedIndexer): LogIndex {
    const incoming = majorityCommittedIndex(this.incoming, acked);
    if (this.outgoing.size === 0) return incoming;
    return Math.min(incoming, majorityCommittedIndex(this.outgoing, acked));
  }

  /** Lost as soon as one half is lost, won when both are won. */
  voteResult(votes: ReadonlyMap<NodeId, boolean>): VoteResult {
    const incoming = majorityVoteResult(this.incoming, votes);
    const outgoing = majorityVoteResult(this.outgoing, votes);
    if (incoming === outgoing) return incoming;
    return incoming === "VoteLost" || outgoing === "VoteLost" ? "VoteLost" : "VotePending";
  }

  /** The chart of `describeMajority`, over the voters of both halves. */
  describe(acked: AckedIndexer): string {
    return describeMajority(this.voters, acked);
  }

  /** `(1 2 3)`, or `(1 2 3)&&(1 2)` while joint. */
  toString(): string {
    return this.isJoint ? `${this.incoming}&&${this.outgoing}` : `${this.incoming}`;
  }
}
