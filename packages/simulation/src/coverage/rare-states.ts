/**
 * Counts how often a run came through states in which Raft implementations have gone wrong, and which a schedule that is merely random
 * hardly ever visits. It reports nothing: a seed that does not come by is no finding. That many seeds together visit each of
 * them is what a test asks for; without that, clean seeds say nothing about these states.
 */
import type { NodeId, Term } from "@raftoral/raft-core";
import type { Entry, Message } from "@raftoral/raft-core/core";
import type { Invariant } from "../invariants/invariant.ts";
import type { Ledger } from "../invariants/ledger.ts";
import { leadsWithoutVote, type Observed } from "../invariants/observed.ts";

/** Every state that is counted, by name, and what it is. */
export const RARE_STATES = {
  "candidate-unwritten": "a candidate crashes before its term and vote are on its disk",
  "candidate-waits": "a candidate crashes while its requests or their answers are under way",
  "vote-unwritten": "a voter crashes between its vote and the write of it",
  "leader-fresh": "a leader crashes before it has committed anything in its term",
  "leader-unwritten": "a leader crashes with entries that its own disk has not",
  "leader-knows-alone": "a leader crashes that alone knows the latest commit index",
  "leader-hands-over": "a leader crashes while it hands over",
  "leader-owes-reads": "a leader crashes with reads that wait for a quorum",
  "leader-without-vote": "a leader that lost its vote leads on",
  "leader-without-vote-crashes": "a leader that lost its vote crashes before the others can go on without it",
  "leader-without-vote-deposed": "a leader that lost its vote loses its office before the others can go on without it",
  "leader-of-two-removed": "the leader of a group of two loses its vote",
  "follower-unwritten": "a follower crashes with entries that its disk has not",
  "joint-crash": "a node crashes in a joint configuration",
  "joint-leader-crash": "a leader crashes in a joint configuration",
  "joint-inherited": "a node becomes leader in a joint configuration",
  "change-uncommitted": "a leader crashes with a configuration change that is not committed",
  "change-unapplied": "a node crashes with a committed configuration change that it has not applied",
  "snapshot-unwritten": "a node crashes with a received snapshot that its disk has not",
  "snapshot-over-log": "a received snapshot replaces a log",
  "commit-forgotten": "a node crashes knowing a commit index that its disk does not",
  "two-leaders": "a node becomes leader while another one still takes itself for the leader",
  "term-again": "a node stands in a term in which it stood before a crash",
  "log-replaced": "entries that are on the disk are replaced by another leader's",
  "grant-for-former": "a vote arrives at a later process than the one that asked for it",
  "ack-for-former": "an acknowledgement arrives at a later process than the one that sent the entries",
  "append-for-former": "entries arrive at a later process than the one that they were sent to",
  "request-of-former": "a request for votes arrives when the process that sent it is gone",
  "append-of-deposed": "entries arrive from a leader of an earlier term",
} as const;

export type RareState = keyof typeof RARE_STATES;

/** How a message came: which process it was meant for, and which one sent it; 0 where there was none. */
export interface Passage {
  readonly forIncarnation: number;
  readonly fromIncarnation: number;
}

/** Counts the rare states of one run. */
export class RareStates implements Invariant {
  readonly name = "rare-states";
  readonly counts = new Map<RareState, number>();
  readonly #ledger: Ledger;
  /** The highest term in which a process of a node stood. */
  readonly #stood = new Map<NodeId, Term>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  ended(node: Observed): void {
    const { raft, platter } = node;
    const { log } = raft;
    const { hardState } = platter;
    const isTermWritten = hardState.term === raft.term && hardState.vote === raft.vote;
    const hasUnwritten = platter.lastIndex < log.lastIndex() || platter.term(log.lastIndex()) !== log.lastTerm();
    const isJoint = raft.tracker.config.voters.isJoint;
    if (isJoint) this.#count("joint-crash");
    if (log.unstable.snapshot !== undefined) this.#count("snapshot-unwritten");
    else if (this.#hasChange(log.applied + 1, log.committed, node)) this.#count("change-unapplied");
    if (hardState.commit < log.committed) this.#count("commit-forgotten");
    switch (raft.role) {
      case "StateCandidate":
        this.#count(isTermWritten ? "candidate-waits" : "candidate-unwritten");
        break;
      case "StateLeader":
        this.#leaderEnds(node, hasUnwritten, isJoint);
        break;
      default:
        if (raft.vote !== 0 && raft.vote !== raft.id && !isTermWritten) this.#count("vote-unwritten");
        if (hasUnwritten) this.#count("follower-unwritten");
    }
  }

  appended({ raft, platter }: Observed, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined || first.index > raft.log.lastIndex()) return;
    if (first.index <= platter.lastIndex && platter.term(first.index) !== first.term) this.#count("log-replaced");
  }

  restored({ platter }: Observed): void {
    if (platter.lastIndex > platter.compactedIndex) this.#count("snapshot-over-log");
  }

  configured({ raft, before }: Observed): void {
    if (!leadsWithoutVote({ raft })) return;
    this.#count("leader-without-vote");
    if (before.config.voters.incoming.size === 2) this.#count("leader-of-two-removed");
  }

  afterEvent(node: Observed): void {
    const { raft, before } = node;
    if (raft.role === before.role && raft.term === before.term) return;
    if (before.votelessUntil > 0 && raft.log.committed < before.votelessUntil)
      this.#count("leader-without-vote-deposed");
    if (raft.role === "StateCandidate") this.#stands(node);
    else if (raft.role === "StateLeader") this.#leads(node);
  }

  /** A message has come to a running process, which has not seen it yet. */
  arrives({ incarnation, raft }: Observed, { type, term, from, reject }: Message, passage: Passage): void {
    const isForFormer = passage.forIncarnation !== 0 && passage.forIncarnation < incarnation;
    if (type === "MsgVoteResp" && !reject && isForFormer) this.#count("grant-for-former");
    if (type === "MsgAppResp" && !reject && isForFormer) this.#count("ack-for-former");
    if (type === "MsgVote" && this.#ledger.running.get(from)?.incarnation !== passage.fromIncarnation) {
      this.#count("request-of-former");
    }
    if (type !== "MsgApp") return;
    if (isForFormer) this.#count("append-for-former");
    if (term < raft.term) this.#count("append-of-deposed");
  }

  #leaderEnds(node: Observed, hasUnwritten: boolean, isJoint: boolean): void {
    const { raft } = node;
    const { log } = raft;
    if (isJoint) this.#count("joint-leader-crash");
    if (hasUnwritten) this.#count("leader-unwritten");
    if (log.termOrZero(log.committed) !== raft.term) this.#count("leader-fresh");
    if (raft.leadTransferee !== 0) this.#count("leader-hands-over");
    if (raft.reads.waiting.length + raft.postponedReads.length > 0) this.#count("leader-owes-reads");
    if (leadsWithoutVote({ raft })) this.#count("leader-without-vote-crashes");
    if (this.#hasChange(log.committed + 1, log.lastIndex(), node)) this.#count("change-uncommitted");
    const others = [...this.#ledger.running.values()].filter((other) => other !== node);
    if (others.length > 0 && others.every((other) => other.raft.log.committed < log.committed)) {
      this.#count("leader-knows-alone");
    }
  }

  #stands({ id, raft: { term } }: Observed): void {
    const before = this.#stood.get(id) ?? 0;
    if (term <= before) this.#count("term-again");
    else this.#stood.set(id, term);
  }

  #leads(node: Observed): void {
    if (node.raft.tracker.config.voters.isJoint) this.#count("joint-inherited");
    for (const other of this.#ledger.running.values()) {
      if (other !== node && other.raft.role === "StateLeader") this.#count("two-leaders");
    }
  }

  #hasChange(from: number, to: number, { raft }: Observed): boolean {
    const first = Math.max(from, raft.log.firstIndex());
    if (first > to) return false;
    return raft.log.some(first, to + 1, Number.POSITIVE_INFINITY, ({ type }) => type !== "EntryNormal");
  }

  #count(state: RareState): void {
    this.counts.set(state, (this.counts.get(state) ?? 0) + 1);
  }
}
