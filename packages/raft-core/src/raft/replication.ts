/**
 * Replicating the log: appends and heartbeats, sent and received (Raft paper §5.3), and the commit rule (§5.4.2).
 *
 * Invariants:
 * A1. An append carries the index and term of the entry before it; a follower takes it only if it has that entry (§5.3).
 * A2. A follower acknowledges at most what it is known to share with the leader: up to the last entry of the append.
 * A3. Nothing is committed on a follower beyond what it shares with the leader.
 */
import { invariant } from "../errors.ts";
import { payloadSize } from "../log/entry-size.ts";
import type { Message } from "../message.ts";
import type { Entry, LogIndex, NodeId, Term } from "../types.ts";
import type { Raft } from "./raft.ts";
import { readContext } from "./read-index.ts";
import { sendSnapshot } from "./snapshot.ts";

/** Leader: appends to its own log. False, and nothing done, when that would hold too much uncommitted. */
export function appendEntries(raft: Raft, proposed: readonly Entry[]): boolean {
  if (!increaseUncommitted(raft, payloadSize(proposed))) return false;
  let index = raft.log.lastIndex();
  const entries = proposed.map((entry) => {
    index += 1;
    return placeEntry(entry, raft.term, index);
  });
  raft.log.append(entries);
  // The leader acknowledges to itself once the entries are durable, like any follower (thesis §10.2.1).
  raft.send({ type: "MsgAppResp", to: raft.id, index });
  return true;
}

/** Leader: sends what a member lacks, or an empty append that tells the commit index. Nothing while it is paused. */
export function sendAppend(raft: Raft, to: NodeId): void {
  maybeSendAppend(raft, to, true);
}

/**
 * Leader: sends one append to `to`, or a snapshot when what it needs is compacted away. An append without entries only if
 * `evenIfEmpty`. Returns whether something was sent.
 */
export function maybeSendAppend(raft: Raft, to: NodeId, evenIfEmpty: boolean): boolean {
  const progress = raft.tracker.get(to);
  invariant(progress !== undefined, () => `no progress of ${to} (T1)`);
  if (progress.isPaused()) return false;
  const { log } = raft;
  const prevIndex = progress.next - 1;
  const prevTerm = log.term(prevIndex);
  if (typeof prevTerm !== "number") return sendSnapshot(raft, to, progress);

  let entries: readonly Entry[] = [];
  // With a full window only empty appends leave: if all that is in flight was lost, their answers get things going again.
  if (progress.state !== "StateReplicate" || !progress.inflights.full()) {
    const found = log.entriesFrom(progress.next, raft.config.maxMessageBytes);
    if (found === "compacted") return evenIfEmpty && sendSnapshot(raft, to, progress);
    entries = found;
  }
  if (entries.length === 0 && !evenIfEmpty) return false;
  raft.send({ type: "MsgApp", to, index: prevIndex, logTerm: prevTerm, entries, commit: log.committed });
  // Without a bound on the bytes in flight nobody asks how many there are.
  const bytes = raft.config.maxInflightBytes === Number.POSITIVE_INFINITY ? 0 : payloadSize(entries);
  progress.sentEntries(entries.length, bytes);
  progress.sentCommit(log.committed);
  return true;
}

/** Leader: an append to every member that is not paused, in ascending order of ids. */
export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) sendAppend(raft, id);
  }
}

/** Leader: a heartbeat to every member, carrying the position of the reads that wait for one. */
export function broadcastHeartbeat(raft: Raft): void {
  const context = readContext(raft.reads);
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) sendHeartbeat(raft, id, context);
  }
}

function sendHeartbeat(raft: Raft, to: NodeId, context: Uint8Array | undefined): void {
  const progress = raft.tracker.get(to);
  invariant(progress !== undefined, () => `no progress of ${to} (T1)`);
  // The member may lack the committed entries, or hold others in their place: only what it shares may be committed (A3).
  const commit = Math.min(progress.match, raft.log.committed);
  const isCarried = raft.config.carriesHeartbeat(to, raft.term, commit, context !== undefined);
  if (context !== undefined || !isCarried) raft.send({ type: "MsgHeartbeat", to, commit, context });
  progress.sentCommit(commit);
}

/** Leader: commits what a quorum holds, if it is of this term (R4). Returns whether the commit index moved. */
export function maybeCommit(raft: Raft): boolean {
  invariant(raft.role === "StateLeader", "only a leader counts acknowledgements");
  return raft.log.maybeCommit(raft.tracker.committed(), raft.term);
}

/** Whether an entry of this term is committed; from then on the commit index is known to be current (§5.4.2, §8). */
export function hasCommittedInTerm(raft: Raft): boolean {
  return raft.log.termOrZero(raft.log.committed) === raft.term;
}

/** Follower: takes an append, or says where the logs may meet. */
export function handleAppend(raft: Raft, m: Message): void {
  const { log } = raft;
  if (m.index < log.committed) {
    raft.send({ type: "MsgAppResp", to: m.from, index: log.committed });
    return;
  }
  const lastNew = log.maybeAppend(m.index, m.logTerm, m.entries, m.commit);
  if (lastNew !== undefined) {
    raft.send({ type: "MsgAppResp", to: m.from, index: lastNew });
    return;
  }
  // The leader has nothing above `logTerm` up to `index`, so the logs cannot meet where this one has.
  const guess = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  raft.send({
    type: "MsgAppResp",
    to: m.from,
    index: m.index,
    reject: true,
    rejectHint: guess.index,
    logTerm: guess.term,
  });
}

/** Follower: learns the commit index and echoes the position of the leader's reads. */
export function handleHeartbeat(raft: Raft, m: Message): void {
  raft.log.commitTo(m.commit);
  raft.send({ type: "MsgHeartbeatResp", to: m.from, context: m.context });
}

/** Entries of `bytes` payload are applied and no longer count as uncommitted. */
export function reduceUncommitted(raft: Raft, bytes: number): void {
  // Entries appended under earlier leaders were never counted here.
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes);
}

function increaseUncommitted(raft: Raft, bytes: number): boolean {
  const before = raft.uncommittedBytes;
  // One proposal of any size is taken when nothing waits, and an empty one always: the first entry of a term and the
  // leaving of a joint configuration must not be refused.
  if (before > 0 && bytes > 0 && before + bytes > raft.config.maxUncommittedBytes) return false;
  raft.uncommittedBytes = before + bytes;
  return true;
}

function placeEntry(entry: Entry, term: Term, index: LogIndex): Entry {
  const { type, data, context } = entry;
  return context === undefined ? { term, index, type, data } : { term, index, type, data, context };
}
