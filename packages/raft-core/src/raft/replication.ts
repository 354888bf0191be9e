/**
 * Replicating the log: appends and heartbeats, sent and received (Raft paper §5.3), and the commit rule (§5.4.2).
 *
 * Invariants:
 * A1. An append carries the index and term of the entry before it. A follower takes the append only if it has that entry (§5.3).
 * A2. A follower acknowledges entries only up to the last entry of the append, up to which its log is known to equal the leader's.
 * A3. A follower commits entries only up to where its log is known to equal the leader's.
 */
import { invariant } from "../errors.ts";
import { payloadSize } from "../log/entry-size.ts";
import type { Message } from "../message.ts";
import type { Entry, LogIndex, NodeId, Term } from "../types.ts";
import type { Raft } from "./raft.ts";
import { readContext } from "./read-index.ts";
import { sendSnapshot } from "./snapshot.ts";

/** Leader: appends entries to its own log. Returns false and does nothing when they would exceed `maxUncommittedBytes`. */
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

/** Leader: sends a member the entries that it lacks, or an empty append that tells the commit index. Sends nothing while the member is paused. */
export function sendAppend(raft: Raft, to: NodeId): void {
  maybeSendAppend(raft, to, true);
}

/**
 * Leader: sends one append to `to`, or a snapshot when the entries that it needs are compacted. Sends an append without entries only with
 * `evenIfEmpty`. Returns whether a message was sent.
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
  // With a full window only empty appends are sent. If all messages in flight were lost, the answer to an empty append resumes replication.
  if (progress.state !== "StateReplicate" || !progress.inflights.full()) {
    const found = log.entriesFrom(progress.next, raft.config.maxMessageBytes);
    if (found === "compacted") return evenIfEmpty && sendSnapshot(raft, to, progress);
    entries = found;
  }
  if (entries.length === 0 && !evenIfEmpty) return false;
  raft.send({ type: "MsgApp", to, index: prevIndex, logTerm: prevTerm, entries, commit: log.committed });
  // The size is needed only when the bytes in flight are bounded.
  const bytes = raft.config.maxInflightBytes === Number.POSITIVE_INFINITY ? 0 : payloadSize(entries);
  progress.sentEntries(entries.length, bytes);
  progress.sentCommit(log.committed);
  return true;
}

/** Leader: sends an append to every member that is not paused, in ascending order of ids. */
export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) sendAppend(raft, id);
  }
}

/** Leader: sends a heartbeat to every member, with the position of the waiting reads. */
export function broadcastHeartbeat(raft: Raft): void {
  const context = readContext(raft.reads);
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) sendHeartbeat(raft, id, context);
  }
}

function sendHeartbeat(raft: Raft, to: NodeId, context: Uint8Array | undefined): void {
  const progress = raft.tracker.get(to);
  invariant(progress !== undefined, () => `no progress of ${to} (T1)`);
  // The member may lack committed entries or hold other ones, so the heartbeat tells the commit index only up to `match` (A3).
  const commit = Math.min(progress.match, raft.log.committed);
  const isCarried = raft.config.carriesHeartbeat(to, raft.term, commit, context !== undefined);
  if (context !== undefined || !isCarried) raft.send({ type: "MsgHeartbeat", to, commit, context });
  progress.sentCommit(commit);
}

/** Leader: commits the entries that a quorum holds, if the last of them is of this term (raft.ts R4). Returns whether the commit index moved. */
export function maybeCommit(raft: Raft): boolean {
  invariant(raft.role === "StateLeader", "only a leader counts acknowledgements");
  return raft.log.maybeCommit(raft.tracker.committed(), raft.term);
}

/** Whether an entry of this term is committed. From then on a leader's commit index is known to be current (Raft paper §5.4.2, §8). */
export function hasCommittedInTerm(raft: Raft): boolean {
  return raft.log.termOrZero(raft.log.committed) === raft.term;
}

/** Follower: takes an append and acknowledges it, or refuses it with a hint where the logs may agree. */
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
  // Up to `index` the leader's terms are at most `logTerm`, so the logs cannot agree on an entry of a greater term.
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

/** Follower: learns the commit index and answers with the position of the leader's reads. */
export function handleHeartbeat(raft: Raft, m: Message): void {
  raft.log.commitTo(m.commit);
  raft.send({ type: "MsgHeartbeatResp", to: m.from, context: m.context });
}

/** Leader: subtracts the `bytes` of payload that were applied from the uncommitted bytes. */
export function reduceUncommitted(raft: Raft, bytes: number): void {
  // Entries appended under earlier leaders were never counted here.
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes);
}

function increaseUncommitted(raft: Raft, bytes: number): boolean {
  const before = raft.uncommittedBytes;
  // A proposal of any size is taken when nothing is uncommitted. An empty proposal is always taken: the first entry of a term and the
  // entry that leaves a joint configuration must not be refused.
  if (before > 0 && bytes > 0 && before + bytes > raft.config.maxUncommittedBytes) return false;
  raft.uncommittedBytes = before + bytes;
  return true;
}

function placeEntry(entry: Entry, term: Term, index: LogIndex): Entry {
  const { type, data, context } = entry;
  return context === undefined ? { term, index, type, data } : { term, index, type, data, context };
}
