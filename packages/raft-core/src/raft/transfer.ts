/** Handing leadership to another member (thesis §3.10). */
import type { Message } from "../message.ts";
import type { Progress } from "../tracker/progress.ts";
import { NONE, type NodeId } from "../types.ts";
import type { Raft } from "./raft.ts";
import { forgoLease } from "./read-index.ts";
import { leaveJointIfDue } from "./reconfigure.ts";
import { sendAppend } from "./replication.ts";
import { abortLeaderTransfer } from "./roles.ts";

/**
 * Leader: begins to hand the leadership to `m.from`. Until it is done, and for at most an election timeout, proposals are dropped. A
 * hand-over to another node that is under way is given up. A repetition of the same request is ignored.
 */
export function handleTransferLeader(raft: Raft, progress: Progress, m: Message): void {
  if (progress.isLearner) return;
  const to = m.from;
  if (raft.leadTransferee !== NONE) {
    if (raft.leadTransferee === to) return;
    abortLeaderTransfer(raft);
  }
  if (to === raft.id) {
    leaveJointIfDue(raft);
    return;
  }
  raft.electionElapsed = 0;
  raft.leadTransferee = to;
  if (progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, to);
  else sendAppend(raft, to);
}

/** Leader: asks `from` to campaign if leadership is being handed to it and it has acknowledged the whole log. */
export function continueTransfer(raft: Raft, from: NodeId, progress: Progress): void {
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, from);
}

function sendTimeoutNow(raft: Raft, to: NodeId): void {
  forgoLease(raft);
  raft.send({ type: "MsgTimeoutNow", to });
}
