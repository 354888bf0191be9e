/**
 * The configuration in force, the Progress of every member, and the votes of the running election.
 *
 * Role: computes what depends on all members together: the commit index, the election's result, and whether a quorum is alive.
 *
 * Invariants:
 * T1. There is a Progress for exactly the voters and learners of the configuration.
 * T2. `progress` iterates in ascending order of ids, so that messages leave in the same order on every run.
 */
import type { VoteResult } from "../quorum/majority.ts";
import type { ConfState, LogIndex, NodeId } from "../types.ts";
import { type Config, confStateOf, EMPTY_CONFIG } from "./config.ts";
import type { Progress } from "./progress.ts";

/** The Progress of every member. Iterates in ascending order of ids (T2). */
export type ProgressMap = ReadonlyMap<NodeId, Progress>;

/** Counts of granted and rejected votes, and the result so far. */
export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

/** Tracks the members of one group on one node. Only a leader uses the Progress of the other members. */
export class ProgressTracker {
  /** Most append messages in flight to each member. */
  readonly maxInflight: number;
  /** Most bytes in flight to each member; 0 means no limit. */
  readonly maxInflightBytes: number;
  #config: Config = EMPTY_CONFIG;
  #progress: ProgressMap = new Map();
  #ids: readonly NodeId[] = [];
  readonly #votes = new Map<NodeId, boolean>();

  constructor(maxInflight: number, maxInflightBytes = 0) {
    this.maxInflight = maxInflight;
    this.maxInflightBytes = maxInflightBytes;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** The Progress of every member. */
  get progress(): ProgressMap {
    return this.#progress;
  }

  /** Ids of all members, voters and learners, ascending. Cheaper to loop over than {@link progress}. */
  get ids(): readonly NodeId[] {
    return this.#ids;
  }

  /** The answers of this round of votes, by the id of the voter. */
  get votes(): ReadonlyMap<NodeId, boolean> {
    return this.#votes;
  }

  /** Puts a configuration in force that a Changer or `restore` returned. Keeps the Progress objects of the map. */
  adopt(config: Config, progress: ProgressMap): void {
    this.#ids = [...progress.keys()].sort((a, b) => a - b);
    this.#progress = new Map(this.#ids.map((id) => [id, progress.get(id) as Progress]));
    this.#config = config;
  }

  /** The Progress of `id`, or undefined when it is not a member. */
  get(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** A member's acknowledged index. Makes the tracker an AckedIndexer. */
  ackedIndex(id: NodeId): LogIndex | undefined {
    return this.#progress.get(id)?.match;
  }

  /** The highest index that a quorum holds. Whether it may be committed depends on its term (Raft paper §5.4.2). */
  committed(): LogIndex {
    return this.#config.voters.committedIndex(this);
  }

  /** Whether a quorum of voters was heard from since their `recentActive` was cleared. */
  quorumActive(): boolean {
    const active = new Map<NodeId, boolean>();
    for (const [id, progress] of this.#progress) if (!progress.isLearner) active.set(id, progress.recentActive);
    return this.#config.voters.voteResult(active) === "VoteWon";
  }

  /** Whether there is exactly one voter, which decides alone. */
  isSingleton(): boolean {
    return this.#config.voters.incoming.size === 1 && !this.#config.voters.isJoint;
  }

  /** Voters of both halves, ascending. */
  voterNodes(): readonly NodeId[] {
    return this.#config.voters.voters.ids;
  }

  /** Learners, ascending. Members of `learnersNext` are voters still. */
  learnerNodes(): readonly NodeId[] {
    return this.#config.learners.ids;
  }

  /** The ConfState of the configuration in force. */
  confState(): ConfState {
    return confStateOf(this.#config);
  }

  /** Begins another round of votes. */
  resetVotes(): void {
    this.#votes.clear();
  }

  /** Counts the first answer of `id` in this round and ignores later ones. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** The result of the round so far. The counts leave out learners and nodes that are not members. */
  tallyVotes(): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const [id, progress] of this.#progress) {
      const vote = this.#votes.get(id);
      if (vote === undefined || progress.isLearner) continue;
      if (vote) granted++;
      else rejected++;
    }
    return { granted, rejected, result: this.#config.voters.voteResult(this.#votes) };
  }
}
