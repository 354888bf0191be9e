/**
 * Linearizable reads without a log entry (thesis §6.4).
 *
 * A read gets the commit index at its arrival. The read waits until that commit index is known to have been current, that is, until a quorum has
 * answered a heartbeat sent after the read arrived. Heartbeats carry a position instead of the reads' own contexts: the number of reads
 * this leader has queued in its term. So one answer confirms all reads up to its position, repeated and reordered answers
 * do no harm, and callers may use the same context twice.
 *
 * Invariants:
 * Q1. No read is taken up before an entry of the leader's own term is committed. Until then the leader's commit index may be lower than
 *     that of a former leader (thesis §6.4, step 1). The former leader may have been this node before a restart
 *     with an older stored commit index; so a single voter waits, too.
 * Q2. Positions count from 1 within one term of one leader, and start again with each term. Answers of other terms are dropped
 *     before they reach this file.
 * Q3. `confirmed + waiting.length` is the highest position ever sent.
 * Q4. "lease-based": a read is answered without a round of heartbeats only while a quorum keeps the promise that it made by answering the last
 *     round (thesis §6.4.1). The promise is not to vote for another node for an election timeout after hearing this leader. The lease counts from
 *     the moment in which the round was sent, and is two ticks shorter than the promise, because the ticks of two nodes do not coincide. The
 *     lease ends when the voters change. It ends for the rest of the term when the leader asks a member to take over, because followers
 *     vote for that member in spite of the promise.
 */
import { invariant } from "../errors.ts";
import type { Message } from "../message.ts";
import type { JointConfig } from "../quorum/joint.ts";
import type { AckedIndexer } from "../quorum/majority.ts";
import { EMPTY_BYTES, type LogIndex, NONE, type NodeId } from "../types.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { broadcastHeartbeat, hasCommittedInTerm } from "./replication.ts";

/** A confirmed read: the application may answer it once it has applied `index`. `context` is the caller's. */
export interface ReadState {
  readonly index: LogIndex;
  readonly context: Uint8Array;
}

/** Reads that wait for a quorum, oldest first. */
export interface ReadIndexQueue extends AckedIndexer {
  /** Highest position each member has answered. */
  readonly acks: Map<NodeId, number>;
  readonly waiting: WaitingRead[];
  /** Reads confirmed so far: the position of the last one. */
  confirmed: number;
  /** "lease-based": reads are answered without a round before this tick (Q4). */
  leaseEndsAt: number;
  /** Whether a member was asked to take over in this term, perhaps by a message that is still on its way. Ends leases for the term (Q4). */
  hasInvitedSuccessor: boolean;
}

interface WaitingRead {
  readonly request: Message;
  readonly index: LogIndex;
  /** The tick in which the round of heartbeats for this read was sent. */
  readonly sentAt: number;
}

const CONTEXT_BYTES = 8;
/**
 * Reads of other nodes that a leader holds at once. Further reads are dropped, and their drivers ask again. A driver has only a few rounds
 * under way, each for all its callers that wait.
 */
const MAX_FOREIGN_READS = 1024;
/** A follower may count its first tick up to one tick too early, and the leader may count its own up to one tick too late. */
const LEASE_MARGIN_TICKS = 2;
const WORD = 0x1_0000_0000;

/** The queue of a leader at the beginning of its term: no reads, no lease. */
export function newReadIndexQueue(): ReadIndexQueue {
  const acks = new Map<NodeId, number>();
  return {
    acks,
    waiting: [],
    confirmed: 0,
    leaseEndsAt: 0,
    hasInvitedSuccessor: false,
    ackedIndex: (id) => acks.get(id),
  };
}

/** The context of a heartbeat that confirms every waiting read; undefined when no read waits. */
export function readContext(reads: ReadIndexQueue): Uint8Array | undefined {
  return reads.waiting.length === 0 ? undefined : encodePosition(lastPosition(reads));
}

/** Leader: takes a read of its own or one that a follower forwarded. Drops a follower's read when too many wait ("read-limit"). */
export function handleReadIndex(raft: Raft, m: Message): ProposeOutcome {
  // A read without an entry has no context to answer with. No working node sends one.
  if (m.entries.length === 0) return ACCEPTED;
  const isForeign = m.from !== NONE && m.from !== raft.id;
  if (isForeign && raft.reads.waiting.length + raft.postponedReads.length >= MAX_FOREIGN_READS) {
    return raft.dropped("read-limit");
  }
  if (hasCommittedInTerm(raft)) confirmRead(raft, m);
  else raft.postponedReads.push(m);
  return ACCEPTED;
}

/** Leader: takes up the reads that waited for the first commit of its term (Q1). Call it after each commit. */
export function releasePostponedReads(raft: Raft): void {
  if (raft.postponedReads.length === 0) return;
  invariant(hasCommittedInTerm(raft), "Q1: reads are released by a commit of the leader's own term only");
  const postponed = raft.postponedReads;
  raft.postponedReads = [];
  for (const m of postponed) confirmRead(raft, m);
}

/** Leader: counts a heartbeat's answer, and answers the reads that a quorum has confirmed by then. */
export function handleReadAcknowledgement(raft: Raft, m: Message): void {
  if (m.context === undefined || m.context.length === 0) return;
  acknowledge(raft.reads, m.from, m.context);
  answerConfirmedReads(raft);
}

/** Leader: answers the reads that a quorum has confirmed. Call it after a heartbeat's answer, and when the voters have changed. */
export function answerConfirmedReads(raft: Raft): void {
  const confirmed = takeConfirmed(raft.reads, raft.tracker.config.voters);
  const last = confirmed[confirmed.length - 1];
  // The members that answered heard this leader after the round for the last of these reads was sent.
  if (last !== undefined) raft.reads.leaseEndsAt = last.sentAt + raft.config.electionTicks - LEASE_MARGIN_TICKS;
  for (const read of confirmed) respond(raft, read.request, read.index);
}

/** Leader: ends the lease because the voters have changed. The members that gave it may not be a quorum any more (Q4). */
export function endLease(raft: Raft): void {
  raft.reads.leaseEndsAt = 0;
}

/** Leader: ends leases for the rest of the term because a member is asked to take over (Q4). */
export function forgoLease(raft: Raft): void {
  raft.reads.hasInvitedSuccessor = true;
}

function holdsLease({ config, reads, ticks }: Raft): boolean {
  return config.readOnly === "lease-based" && ticks < reads.leaseEndsAt && !reads.hasInvitedSuccessor;
}

function confirmRead(raft: Raft, m: Message): void {
  const { reads } = raft;
  const index = raft.log.committed;
  invariant(hasCommittedInTerm(raft), "Q1: a read is taken up only after a commit of the leader's own term");
  if (holdsLease(raft) || isOnlyVoter(raft)) {
    respond(raft, m, index);
    return;
  }
  reads.waiting.push({ request: m, index, sentAt: raft.ticks });
  reads.acks.set(raft.id, lastPosition(reads));
  broadcastHeartbeat(raft);
}

/** Whether this node is the only voter. A removed leader may see a configuration whose single voter is another node. */
function isOnlyVoter({ tracker, id }: Raft): boolean {
  return tracker.isSingleton() && tracker.config.voters.has(id);
}

function respond(raft: Raft, request: Message, index: LogIndex): void {
  if (request.from === NONE || request.from === raft.id) {
    raft.readStates.push({ index, context: request.entries[0]?.data ?? EMPTY_BYTES });
  } else {
    raft.send({ type: "MsgReadIndexResp", to: request.from, index, entries: request.entries });
  }
}

function acknowledge(reads: ReadIndexQueue, from: NodeId, context: Uint8Array): void {
  if (context.length !== CONTEXT_BYTES) return;
  reads.acks.set(from, Math.max(reads.acks.get(from) ?? 0, decodePosition(context)));
}

function takeConfirmed(reads: ReadIndexQueue, voters: JointConfig): readonly WaitingRead[] {
  // Only a broken member answers a position that was never sent. No read beyond the highest sent position is confirmed (Q3).
  const position = Math.min(voters.committedIndex(reads), lastPosition(reads));
  const count = position - reads.confirmed;
  if (count <= 0) return [];
  reads.confirmed = position;
  return reads.waiting.splice(0, count);
}

function lastPosition(reads: ReadIndexQueue): number {
  return reads.confirmed + reads.waiting.length;
}

/** Eight bytes, least significant first. */
function encodePosition(position: number): Uint8Array {
  const bytes = new Uint8Array(CONTEXT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, position % WORD, true);
  view.setUint32(4, Math.floor(position / WORD), true);
  return bytes;
}

function decodePosition(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, CONTEXT_BYTES);
  return view.getUint32(0, true) + view.getUint32(4, true) * WORD;
}
