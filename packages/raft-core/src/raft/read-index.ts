/**
 * Linearizable reads without a log entry (thesis §6.4).
 *
 * A read waits until the commit index it was given at arrival is known to have been current: until a quorum has answered a
 * heartbeat sent after the read came in. Heartbeats carry a position instead of the reads' own contexts: the number of reads
 * this leader has queued in its term. One answer thus confirms all reads up to its position, repeated and reordered answers
 * do no harm, and what callers put into their contexts does not matter.
 *
 * Invariants:
 * Q1. No read is taken up before an entry of the leader's own term is committed: until then its commit index may be behind
 *     what a former leader committed (thesis §6.4, step 1). That former leader may have been this node, before a restart
 *     that it survived with an older commit index; so a single voter waits, too.
 * Q2. Positions count from 1 within one term of one leader, and start over with each: answers of other terms are dropped
 *     before they get here.
 * Q3. `confirmed + waiting.length` is the highest position ever sent.
 * Q4. "lease-based": a read is answered without a round only while a quorum keeps the promise that it made by answering the last one
 *     (§6.4.1): not to vote for another for an election timeout since it heard this leader. The lease therefore counts from the
 *     moment in which the round was sent, and is two ticks shorter than the promise, for ticks of two nodes do not coincide. It
 *     ends when the voters change. It ends for the rest of the term when the leader asks a member to take over: that member's
 *     campaign is not held off by the promise.
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
  /** A member was asked to take over, perhaps by a message that is still on its way: no lease any more in this term (Q4). */
  hasInvitedSuccessor: boolean;
}

interface WaitingRead {
  readonly request: Message;
  readonly index: LogIndex;
  /** The tick in which the round for it was sent. */
  readonly sentAt: number;
}

const CONTEXT_BYTES = 8;
/**
 * Reads of others that a leader holds at once; more are dropped, and asked again by who still wants to know. Drivers ask for a few
 * at a time, each for all who wait.
 */
const MAX_FOREIGN_READS = 1024;
/**
 * A follower counts its first tick up to a tick too early, and the leader notices up to a tick too late that time has passed.
 */
const LEASE_MARGIN_TICKS = 2;
const WORD = 0x1_0000_0000;

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

/** What a heartbeat carries to confirm every read that waits; undefined when none does. */
export function readContext(reads: ReadIndexQueue): Uint8Array | undefined {
  return reads.waiting.length === 0 ? undefined : encodePosition(lastPosition(reads));
}

/** Leader: takes a read, its own or one that a follower passed on. */
export function handleReadIndex(raft: Raft, m: Message): ProposeOutcome {
  // Nothing in it to answer with: not from a node that works.
  if (m.entries.length === 0) return ACCEPTED;
  const isForeign = m.from !== NONE && m.from !== raft.id;
  if (isForeign && raft.reads.waiting.length + raft.postponedReads.length >= MAX_FOREIGN_READS) {
    return raft.dropped("read-limit");
  }
  if (hasCommittedInTerm(raft)) confirmRead(raft, m);
  else raft.postponedReads.push(m);
  return ACCEPTED;
}

/** Leader: the first commit of its term has happened; the reads that waited for it go on (Q1). */
export function releasePostponedReads(raft: Raft): void {
  if (raft.postponedReads.length === 0) return;
  invariant(hasCommittedInTerm(raft), "Q1: reads are released by a commit of the leader's own term only");
  const postponed = raft.postponedReads;
  raft.postponedReads = [];
  for (const m of postponed) confirmRead(raft, m);
}

/** Leader: a heartbeat was answered; reads that a quorum has now confirmed are answered. */
export function handleReadAcknowledgement(raft: Raft, m: Message): void {
  if (m.context === undefined || m.context.length === 0) return;
  acknowledge(raft.reads, m.from, m.context);
  answerConfirmedReads(raft);
}

/** Leader: answers the reads that a quorum has confirmed. To be called after an answer, and when the quorum has become another. */
export function answerConfirmedReads(raft: Raft): void {
  const confirmed = takeConfirmed(raft.reads, raft.tracker.config.voters);
  const last = confirmed[confirmed.length - 1];
  // Whoever answered heard this leader when the round for the last of these reads was sent, or later.
  if (last !== undefined) raft.reads.leaseEndsAt = last.sentAt + raft.config.electionTicks - LEASE_MARGIN_TICKS;
  for (const read of confirmed) respond(raft, read.request, read.index);
}

/** Leader: the voters are others now, and those who gave the lease may be no quorum any more (Q4). */
export function endLease(raft: Raft): void {
  raft.reads.leaseEndsAt = 0;
}

/** Leader: a member is asked to take over (Q4). */
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

/** Not merely "there is one voter": a leader that was removed may see a configuration of one that leads without it. */
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
  // A member may answer a position that was never sent only if it is broken; nothing is confirmed beyond Q3.
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
