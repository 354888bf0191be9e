/**
 * The configuration in force, the progress of everyone in it, and the votes of the running election.
 *
 * Role: answers what depends on all members together: the commit index, the election's result, whether a quorum is alive.
 *
 * Invariants:
 * T1. There is a Progress for exactly the voters and learners of the configuration.
 * T2. `progress` iterates in ascending order of ids, so that messages leave in the same order on every run.
 */
import type { VoteResult } from "../quorum/majority.ts";
import type { ConfState, LogIndex, NodeId } from "../types.ts";
import { type Config, confStateOf, EMPTY_CONFIG } from "./config.ts";
import type { Progress } from "./progress.ts";

/** Everyone's progress. Iterates in ascending order of ids (T2). */
export type ProgressMap = ReadonlyMap<NodeId, Progress>;

export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

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

  get config(): Config {
    return this.#config;
  }

  get progress(): ProgressMap {
    return this.#progress;
  }

  /** Everyone with a progress, voters and learners, ascending. Loop over these where an iterator would cost too much. */
  get ids(): readonly NodeId[] {
    return this.#ids;
  }

  get votes(): ReadonlyMap<NodeId, boolean> {
    return this.#votes;
  }

  /** Puts in force what a Changer or `restore` returned. The progress map belongs to the tracker from now on. */
  adopt(config: Config, progress: ProgressMap): void {
    this.#ids = [...progress.keys()].sort((a, b) => a - b);
    this.#progress = new Map(this.#ids.map((id) => [id, progress.get(id) as Progress]));
    this.#config = config;
  }

  /** What is known about `id`, or undefined when it is not in the configuration. */
  get(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** A member's acknowledged index; makes the tracker an AckedIndexer. */
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

  /** Whether there is exactly one voter: it decides alone. */
  isSingleton(): boolean {
    return this.#config.voters.incoming.size === 1 && !this.#config.voters.isJoint;
  }

  /** Voters of both halves, ascending. */
  voterNodes(): readonly NodeId[] {
    return this.#config.voters.voters.ids;
  }

  /** Learners in force, ascending; those still to become learners are voters. */
  learnerNodes(): readonly NodeId[] {
    return this.#config.learners.ids;
  }

  confState(): ConfState {
    return confStateOf(this.#config);
  }

  /** Begins another round of votes. */
  resetVotes(): void {
    this.#votes.clear();
  }

  /** Counts the first answer of `id` in this round; later ones are repetitions. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** How the round stands. The counts leave out learners and nodes that left the configuration. */
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
