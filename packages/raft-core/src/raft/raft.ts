/**
 * One node's consensus state, and the dispatch of everything that is stepped into it.
 *
 * Role: holds the state of Raft's figure 2, applies the rules about terms that hold for every message, and hands the rest to
 * the role the node is in (`step-follower`, `step-candidate`, `step-leader`). Everything a role does lives in a file beside
 * this one, as functions over this state.
 *
 * It must not do I/O, read a clock or draw randomness other than `config.rng`: the same inputs give the same outputs.
 *
 * Invariants:
 * R1. `term` never decreases, and `vote` changes at most once per term, from NONE (Raft paper §5.2, Election Safety).
 * R2. Requests for votes, votes and append acknowledgements leave only after the term, vote and entries that they claim are durable (§5.1; thesis
 *     §3.8). Until then they wait in `messagesAfterAppend`. A candidate whose request left before its own term and vote were durable
 *     could crash, forget the term, and be elected in that term a second time, with another log. Pre-votes claim nothing
 *     that an election relies on, and do not wait.
 * R3. A leader only appends to its log (§5.3, Leader Append-Only).
 * R4. A leader commits by counting only entries of its own term (§5.4.2).
 * R5. At most one configuration change is in the log and not applied: `pendingConfIndex` is at or beyond it (thesis §4.1).
 * R6. `lead` is this node exactly when it is leader.
 */
import type { ResolvedConfig } from "../config.ts";
import { InvariantViolation, invariant } from "../errors.ts";
import { entriesSize, payloadSize } from "../log/entry-size.ts";
import { RaftLog } from "../log/raft-log.ts";
import { type Message, type MessageType, message } from "../message.ts";
import { ProgressTracker } from "../tracker/progress-tracker.ts";
import {
  type ConfState,
  type HardState,
  type LogIndex,
  NONE,
  type NodeId,
  type RaftRole,
  type Term,
} from "../types.ts";
import { HIGHEST_TERM_OR_INDEX } from "./admission.ts";
import { answerVoteRequest, highestCommitted, hup, isHeldOffByLease, learnCommitted } from "./election.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import { newReadIndexQueue, type ReadIndexQueue, type ReadState } from "./read-index.ts";
import { appliedTo, restoreConfiguration } from "./reconfigure.ts";
import { reduceUncommitted } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import { appliedSnapshot } from "./snapshot.ts";
import { stepCandidate } from "./step-candidate.ts";
import { stepFollower } from "./step-follower.ts";
import { stepLeader } from "./step-leader.ts";
import { TermDoubt } from "./term-doubt.ts";
import { tickElection, tickHeartbeat } from "./tick.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
/** A message to send. {@link Raft.send} fills in the sender and, except for campaigns, the term. */
export type Outgoing = Partial<Message> & Pick<Message, "type" | "to">;

/** The consensus state of one node in one group (Raft paper, figure 2). Only the functions of this folder and RawNode change it. */
export class Raft {
  readonly config: ResolvedConfig;
  readonly id: NodeId;
  readonly log: RaftLog;
  readonly tracker: ProgressTracker;

  term: Term = 0;
  vote: NodeId = NONE;
  lead: NodeId = NONE;
  role: RaftRole = "StateFollower";
  isLearner = false;

  /** Messages that leave at once, whatever is being written. Never to this node. */
  messages: Message[] = [];
  /** Messages that leave once everything unstable at this moment is durable (R2). They may be to this node. */
  messagesAfterAppend: Message[] = [];
  /**
   * A term that is durable here together with the vote in it. Set at the start, and when this node's own vote is counted, which happens after
   * the write of that vote. It may be lower than the stored term. A leader's `durableTerm` is its term (`election.ts E3`).
   */
  durableTerm: Term = 0;

  /** Confirmed reads for the application. */
  readStates: ReadState[] = [];
  /** Leader: reads that wait for a round of heartbeats. */
  reads: ReadIndexQueue;
  /** Leader: reads that wait for the first commit of its term (thesis §6.4). */
  postponedReads: Message[] = [];

  /** Leader: the node that leadership is being handed to (thesis §3.10), or NONE. */
  leadTransferee: NodeId = NONE;
  /** Leader: no configuration change is accepted until this index is applied (R5). */
  pendingConfIndex: LogIndex = 0;
  /** Leader: the entry that follows the last change which took votes away (`removal.ts RV1`). 0 for none. */
  lossOfVotesAt: LogIndex = 0;
  /** The last term in which this node lost the leadership before that entry was committed (`removal.ts RV3`). 0 for none. */
  lossUnconfirmedIn: Term = 0;
  /** While a received snapshot waits to be stored: the configuration at the last change that the application has applied. */
  supersededConfState: ConfState | undefined = undefined;
  /** Leader: payload bytes appended and not applied; an estimate that is never too high. */
  uncommittedBytes = 0;

  /** Ticks since this node heard a leader or granted a vote, since its campaign began, or since a leader's last check of the quorum. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** Ticks since the start, missed ticks included. */
  ticks = 0;
  /**
   * The tick in which this node last heard a leader. A node that starts with a term sets it to the start, because it may have heard a leader
   * just before.
   */
  leaderHeardAt: number;
  readonly termDoubt = new TermDoubt();
  /** In `[electionTicks, 2 * electionTicks)`, drawn at each change of role (Raft paper §5.2). */
  randomizedElectionTicks = 0;

  constructor(config: ResolvedConfig) {
    this.config = config;
    this.id = config.id;
    this.log = new RaftLog(config.storage, config.maxCommittedBytesPerReady);
    this.tracker = new ProgressTracker(config.maxInflightMessages, config.maxInflightBytes);
    this.reads = newReadIndexQueue();
    const { hardState, confState } = config.storage.initialState();
    restoreConfiguration(this, confState);
    this.#loadHardState(hardState);
    if (config.applied > 0) {
      // Applied entries are committed. The stored commit index may be lower, because it need not be durable.
      this.log.commitTo(config.applied);
      this.log.appliedTo(config.applied, 0);
    }
    this.durableTerm = this.term;
    this.leaderHeardAt = this.term > 0 ? 0 : Number.NEGATIVE_INFINITY;
    becomeFollower(this, this.term, NONE);
  }

  /** Lets one tick of the logical clock pass, after `missedTicks` that did not come. Returns whether the tick did more than count. */
  tick(missedTicks = 0): boolean {
    this.ticks += 1 + missedTicks;
    return this.role === "StateLeader" ? tickHeartbeat(this, missedTicks) : tickElection(this);
  }

  /** Handles any message: from a peer, from the application, or from this node's storage. */
  step(m: Message): ProposeOutcome {
    // Term 0: local messages, proposals and reads, which belong to no term.
    if (m.term > this.term) {
      if (isHeldOffByLease(this, m)) return ACCEPTED;
      this.#followHigherTerm(m);
    } else if (m.term < this.term && m.term !== 0) {
      this.#answerLowerTerm(m);
      return ACCEPTED;
    }
    switch (m.type) {
      case "MsgHup":
        hup(this, this.config.preVote ? "pre-election" : "election");
        return ACCEPTED;
      case "MsgStorageAppendResp":
        if (m.index !== 0) this.log.unstable.stableTo(m.index, m.logTerm);
        if (m.snapshot !== undefined) appliedSnapshot(this, m.snapshot);
        return ACCEPTED;
      case "MsgStorageApplyResp":
        this.#appliedEntries(m);
        return ACCEPTED;
      case "MsgVote":
      case "MsgPreVote":
        learnCommitted(this, m);
        answerVoteRequest(this, m);
        return ACCEPTED;
      case "MsgVoteResp":
      case "MsgPreVoteResp":
        learnCommitted(this, m);
        break;
    }
    switch (this.role) {
      case "StateFollower":
        return stepFollower(this, m);
      case "StateLeader":
        return stepLeader(this, m);
      case "StateCandidate":
      case "StatePreCandidate":
        return stepCandidate(this, m);
    }
  }

  /**
   * Queues a message for the next Ready. Requests for votes, votes and append acknowledgements wait for durability (R2).
   * Refusals wait, too, because they may depend on state that is not durable yet.
   */
  send(fields: Outgoing): void {
    const m = message(fields) as Mutable<Message>;
    if (m.from === NONE) m.from = this.id;
    switch (m.type) {
      case "MsgVote":
      case "MsgVoteResp":
      case "MsgPreVote":
      case "MsgPreVoteResp":
        // A campaign's term is not always this node's: pre-votes are about the next term.
        invariant(m.term !== 0, () => `a ${m.type} must name its term`);
        break;
      case "MsgProp":
      case "MsgReadIndex":
        // Forwarded requests carry no term: they must neither depose a leader nor be refused as old.
        m.term = 0;
        break;
      default:
        invariant(m.term === 0, () => `the term of a ${m.type} is the sender's, not ${m.term}`);
        m.term = this.term;
    }
    if (leavesAfterAppend(m.type)) {
      this.messagesAfterAppend.push(m);
      return;
    }
    invariant(m.to !== this.id, () => `a ${m.type} to oneself`);
    // Every message of a leader leaves at once and claims that it leads its term. A crash must not make the leader forget that term (R2).
    if (this.role === "StateLeader" && this.durableTerm !== this.term) {
      throw new InvariantViolation(`R2: a ${m.type} of term ${this.term} would leave before the term is durable`);
    }
    this.messages.push(m);
  }

  /** The outcome of a dropped proposal. */
  dropped(reason: (ProposeOutcome & { ok: false })["reason"]): ProposeOutcome {
    return { ok: false, reason, leaderHint: this.lead };
  }

  #followHigherTerm(m: Message): void {
    // A pre-vote only asks about the next term, and a granted pre-vote repeats the term that this node asked about.
    if (m.type === "MsgPreVote" || (m.type === "MsgPreVoteResp" && !m.reject)) return;
    const fromLeader = m.type === "MsgApp" || m.type === "MsgHeartbeat" || m.type === "MsgSnap";
    becomeFollower(this, m.term, fromLeader ? m.from : NONE);
  }

  #answerLowerTerm(m: Message): void {
    if (m.type === "MsgHeartbeat" || m.type === "MsgApp") {
      // The answer tells the old leader this term, so that it steps down (Raft paper §5.1), or so that a leader learns the higher term of
      // this node and the node can follow again. A vote request may not have told the leader: vote requests are ignored while the leader
      // is heard, or do not reach a leader that this node does not know yet.
      this.send({ type: "MsgAppResp", to: m.from });
    } else if (m.type === "MsgVote") {
      learnCommitted(this, m);
      // A candidate whose configuration does not include this group's leader learns this term only from the refusal. Otherwise it could stay
      // behind it for ever (§5.1).
      this.send({ type: "MsgVoteResp", to: m.from, term: this.term, reject: true, ...highestCommitted(this) });
    } else if (m.type === "MsgPreVote") {
      learnCommitted(this, m);
      // A candidate with a lower term but a longer log must learn this term before it can win an election.
      this.send({ type: "MsgPreVoteResp", to: m.from, term: this.term, reject: true, ...highestCommitted(this) });
    } else if (m.type === "MsgVoteResp" || m.type === "MsgPreVoteResp") {
      // The vote is too old to count, but its commit index is valid. A removed member refuses pre-votes in its own term, because it never learns
      // the candidate's (election.ts E4).
      learnCommitted(this, m);
    } else if (m.type === "MsgStorageAppendResp" && m.snapshot !== undefined) {
      // The entries of the report may have been replaced since (see `storageAppendResponse` in ready.ts); its snapshot stays valid.
      appliedSnapshot(this, m.snapshot);
    }
  }

  #appliedEntries(m: Message): void {
    const last = m.entries[m.entries.length - 1];
    if (last === undefined) return;
    appliedTo(this, last.index, entriesSize(m.entries));
    // Only a leader counts uncommitted bytes; other nodes need not sum up the payloads.
    if (this.uncommittedBytes > 0) reduceUncommitted(this, payloadSize(m.entries));
  }

  /**
   * Loads the stored term, vote and commit index. A log may hold entries of a later term than the stored one: when a crash cut off a batch,
   * against the contract of the storage, or when the group begins with a snapshot. No vote of that later term has left this node.
   */
  #loadHardState(hardState: HardState): void {
    const { term, vote, commit } = hardState;
    const lastTerm = this.log.lastTerm();
    invariant(
      Math.max(term, lastTerm) <= HIGHEST_TERM_OR_INDEX,
      () => `the stored term is ${Math.max(term, lastTerm)}, which no group reaches: is the storage damaged?`,
    );
    if (term === 0 && vote === NONE && commit === 0) {
      // A group that begins with a snapshot elects its first leader in the snapshot's term: below it, a leader's appends would follow
      // an entry of a term that is not over yet.
      const isBeginning = this.log.lastIndex() < this.log.firstIndex();
      this.term = isBeginning ? Math.max(0, lastTerm - 1) : lastTerm;
      return;
    }
    invariant(
      commit <= this.log.lastIndex(),
      () => `stored commit ${commit} is beyond the last index ${this.log.lastIndex()}: was the log truncated or lost?`,
    );
    // The stored commit index may be lower than the compaction point, because it need not be durable. Compacted entries are committed.
    this.log.commitTo(commit);
    this.term = Math.max(term, lastTerm);
    this.vote = term < lastTerm ? NONE : vote;
  }
}

/** Whether a message of this type claims a term, a vote or entries that must be durable when it leaves (R2). */
function leavesAfterAppend(type: MessageType): boolean {
  switch (type) {
    case "MsgVote":
    case "MsgVoteResp":
    case "MsgPreVoteResp":
    case "MsgAppResp":
      return true;
    default:
      return false;
  }
}
