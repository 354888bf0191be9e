/**
 * The output of the core: the work that a RawNode hands to its caller.
 *
 * Synchronous mode, in this order: make `hardState`, `snapshot` and `entries` durable in one atomic batch (`mustSync` says whether a flush is
 * needed), send `messages`, apply `snapshot` and `committedEntries`, call `advance`. One batch, because entries without the commit index that
 * came with them would let the node stand for election by the voters of two configuration changes before (election.ts E2).
 *
 * Asynchronous mode: `messages` holds everything. Messages to LOCAL_APPEND_THREAD and LOCAL_APPLY_THREAD are the work. Do the work of each
 * thread in order, then deliver each message's `responses` to the nodes they are addressed to. All other messages leave at once.
 * The remaining fields repeat what those two messages carry. The two threads are independent with one exception: a received
 * snapshot is reported stored only when all entries handed out for applying before it have been applied, or never will be.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, message } from "./message.ts";
import type { Raft } from "./raft/raft.ts";
import type { ReadState } from "./raft/read-index.ts";
import type { Entry, HardState, Snapshot, SoftState } from "./types.ts";

/** One batch of work. `RawNode.ready` hands it out. */
export interface Ready {
  /** Present when leader or role changed. Not to be stored. */
  readonly softState: SoftState | undefined;
  /** Present when term, vote or commit index changed. To be made durable with `entries`. */
  readonly hardState: HardState | undefined;
  /** Reads that are confirmed. Answer each once its index is applied. */
  readonly readStates: readonly ReadState[];
  /** Entries to make durable before `messages` leave. */
  readonly entries: readonly Entry[];
  /** A received snapshot to make durable, whatever `mustSync` says. It replaces the log. */
  readonly snapshot: Snapshot | undefined;
  /** Entries to apply, in order. */
  readonly committedEntries: readonly Entry[];
  /** Messages to send; in asynchronous mode also the work of the two threads. */
  readonly messages: readonly Message[];
  /** Whether `entries`, or a new term or vote, must be flushed to disk. A new commit index alone need not. */
  readonly mustSync: boolean;
}

/**
 * The work of the append thread: everything of a Ready that must be written, and the messages that wait for that write. Undefined
 * when there is neither.
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
 * The report names the last entry of the log and the node's term, not the last entry of the write, because of the ABA problem of
 * overlapping writes. A leader's entries may be written, be replaced by those of another leader while that write is under way, and
 * be replaced again by the first ones, sent by a third leader. The report of the first write then matches the log,
 * although the second write is still to come and puts other entries in their place on disk. A report therefore counts
 * only within the term in which its write was handed out, because entries can be replaced only in a later term. When a report
 * is ignored, the next report releases what it would have released: every change of term causes a write, and the report of that write
 * covers the whole log as of then.
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

/** The report that entries are applied. It carries no term: applied entries stay applied in every later term. */
export function storageApplyResponse(raft: Raft, committedEntries: readonly Entry[]): Message {
  return message({
    type: "MsgStorageApplyResp",
    to: raft.id,
    from: LOCAL_APPLY_THREAD,
    entries: committedEntries,
  });
}
