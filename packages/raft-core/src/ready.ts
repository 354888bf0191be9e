/**
 * What a RawNode wants done: the output of consensus.
 *
 * Synchronous mode, in this order: make `hardState`, `snapshot` and `entries` durable in one atomic batch (`mustSync` says whether a flush is
 * needed), send `messages`, apply `snapshot` and `committedEntries`, call `advance`. One batch, because entries without the commit index that
 * came with them would let the node stand for election by the voters of two configuration changes before (election.ts E2).
 *
 * Asynchronous mode: `messages` holds everything. Those to LOCAL_APPEND_THREAD and LOCAL_APPLY_THREAD are the work: do each
 * thread's in order, then step the message's `responses` into the node they are addressed to. All others leave at once.
 * The remaining fields repeat what those two messages carry. The two threads are independent but for one thing: a received
 * snapshot is reported stored only when what was handed out for applying before it has been applied, or will not be.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, message } from "./message.ts";
import type { Raft } from "./raft/raft.ts";
import type { ReadState } from "./raft/read-index.ts";
import type { Entry, HardState, Snapshot, SoftState } from "./types.ts";

export interface Ready {
  /** Present when it changed. Not to be stored. */
  readonly softState: SoftState | undefined;
  /** Present when it changed. */
  readonly hardState: HardState | undefined;
  /** Reads that are confirmed; answer each once its index is applied. */
  readonly readStates: readonly ReadState[];
  /** To be made durable before the messages that wait for it leave. */
  readonly entries: readonly Entry[];
  /** To be made durable, replacing the log; whatever `mustSync` says. */
  readonly snapshot: Snapshot | undefined;
  /** To be applied, in order. */
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** Whether `entries`, or a new term or vote, must be flushed to disk. A new commit index alone need not. */
  readonly mustSync: boolean;
}

/**
 * The work of the append thread: everything of a Ready that must be written, and the messages that wait for it. Undefined
 * when there is neither. `waiting` are the messages that leave after the append.
 */
export function storageAppend(raft: Raft, ready: Omit<Ready, "messages">): Message | undefined {
  const { entries, hardState, snapshot } = ready;
  const waiting = raft.messagesAfterAppend;
  if (entries.length === 0 && hardState === undefined && snapshot === undefined && waiting.length === 0)
    return undefined;
  // The leader's acknowledgement to itself comes before the report of stability: looking up the term of an entry is
  // cheapest while the entry is still unstable.
  const response = storageAppendResponse(raft, snapshot);
  return message({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: raft.id,
    term: hardState?.term ?? 0,
    vote: hardState?.vote ?? 0,
    commit: hardState?.commit ?? 0,
    entries,
    snapshot,
    responses: response === undefined ? waiting : [...waiting, response],
  });
}

/**
 * The report that this and all earlier writes are durable. Undefined when nothing is unstable.
 *
 * It names the last entry of the log at the node's term, and not that of the write, because of the ABA problem of writes
 * that overlap: a leader's entries may be written, be replaced by those of another leader while that write is under way, and
 * be replaced again by the first ones, sent by a third leader. The first write's report then matches what the log holds,
 * although the second write is still to come and will put other entries in their place on disk. A report therefore counts
 * only within the term in which its write was handed out: entries can be replaced in a later term only. What an ignored
 * report would have released is released by the next one, for every change of term causes a write, and with it a report
 * that vouches for the whole log as of then.
 */
export function storageAppendResponse(raft: Raft, snapshot: Snapshot | undefined): Message | undefined {
  const { log } = raft;
  const hasUnstable = log.unstable.length > 0;
  if (!hasUnstable && snapshot === undefined) return undefined;
  return message({
    type: "MsgStorageAppendResp",
    to: raft.id,
    from: LOCAL_APPEND_THREAD,
    term: raft.term,
    index: hasUnstable ? log.lastIndex() : 0,
    logTerm: hasUnstable ? log.lastTerm() : 0,
    snapshot,
  });
}

/** The work of the apply thread; undefined when there is none. */
export function storageApply(raft: Raft, committedEntries: readonly Entry[]): Message | undefined {
  if (committedEntries.length === 0) return undefined;
  return message({
    type: "MsgStorageApply",
    to: LOCAL_APPLY_THREAD,
    from: raft.id,
    entries: committedEntries,
    responses: [storageApplyResponse(raft, committedEntries)],
  });
}

/** The report that entries are applied. It belongs to no term: applied is applied. */
export function storageApplyResponse(raft: Raft, committedEntries: readonly Entry[]): Message {
  return message({
    type: "MsgStorageApplyResp",
    to: raft.id,
    from: LOCAL_APPLY_THREAD,
    entries: committedEntries,
  });
}
