/**
 * Decisions in a joint configuration: both halves must agree (thesis §4.3).
 *
 * Role: combines two majorities. A configuration that is not joint has an empty outgoing half, which agrees to everything
 * (majority.ts M1), so that callers need not distinguish the two cases.
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

/** The voters of a configuration in two halves. The outgoing half is empty unless the configuration is joint. Immutable. */
export class JointConfig {
  /** The configuration without voters. */
  static readonly EMPTY: JointConfig = new JointConfig(NodeSet.EMPTY, NodeSet.EMPTY);

  /** The voters; in a joint configuration the new voters (C_new). */
  readonly incoming: NodeSet;
  /** In a joint configuration the old voters (C_old), otherwise empty. */
  readonly outgoing: NodeSet;
  /** The voters of both halves. */
  readonly voters: NodeSet;

  constructor(incoming: NodeSet, outgoing: NodeSet = NodeSet.EMPTY) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.voters = incoming.union(outgoing);
  }

  /** Whether the configuration has two halves. */
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

  /** The election's result: lost when one half is lost, won when both halves are won. */
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
