/** Messages to a leader in its term. */
import { invariant } from "../errors.ts";
import type { Message } from "../message.ts";
import type { Progress } from "../tracker/progress.ts";
import { NONE } from "../types.ts";
import { ACCEPTED, type ProposeOutcome } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { handleReadAcknowledgement, handleReadIndex, releasePostponedReads } from "./read-index.ts";
import { appendProposed } from "./reconfigure.ts";
import { isLeaving, stepDownIfDue } from "./removal.ts";
import { broadcastAppend, broadcastHeartbeat, maybeCommit, maybeSendAppend, sendAppend } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import { handleSnapshotStatus } from "./snapshot.ts";
import { continueTransfer, handleTransferLeader } from "./transfer.ts";

/** Handles a message of the node's term, or one without a term, as the leader. Ignores answers of nodes that are not members. */
export function stepLeader(raft: Raft, m: Message): ProposeOutcome {
  invariant(raft.lead === raft.id, () => `R6: leader of term ${raft.term}, but follows ${raft.lead}`);
  switch (m.type) {
    case "MsgProp":
      return propose(raft, m);
    case "MsgBeat":
      broadcastHeartbeat(raft);
      return ACCEPTED;
    case "MsgCheckQuorum":
      checkQuorum(raft);
      return ACCEPTED;
    case "MsgReadIndex":
      return handleReadIndex(raft, m);
  }
  const progress = raft.tracker.get(m.from);
  if (progress === undefined) return ACCEPTED;
  switch (m.type) {
    case "MsgAppResp":
      progress.recentActive = true;
      if (m.reject) handleRefusedAppend(raft, progress, m);
      else handleAcknowledgedAppend(raft, progress, m);
      break;
    case "MsgHeartbeatResp":
      handleHeartbeatResponse(raft, progress, m);
      break;
    case "MsgSnapStatus":
      handleSnapshotStatus(progress, m);
      break;
    case "MsgUnreachable":
      // The appends in flight are probably lost.
      if (progress.state === "StateReplicate") progress.becomeProbe();
      break;
    case "MsgTransferLeader":
      handleTransferLeader(raft, progress, m);
      break;
  }
  return ACCEPTED;
}

function propose(raft: Raft, m: Message): ProposeOutcome {
  invariant(m.entries.length > 0, "a proposal without entries");
  if (raft.tracker.get(raft.id) === undefined || isLeaving(raft)) return raft.dropped("not-a-member");
  if (raft.leadTransferee !== NONE) return raft.dropped("leadership-transfer");
  if (!appendProposed(raft, m.entries)) return raft.dropped("uncommitted-limit");
  broadcastAppend(raft);
  return ACCEPTED;
}

/** Steps down when no quorum has been heard from since the last check (thesis §6.2). */
function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) becomeFollower(raft, raft.term, NONE);
  for (const [id, progress] of raft.tracker.progress) {
    if (id !== raft.id) progress.recentActive = false;
  }
}

/** Moves `next` back to where the logs may agree (Raft paper §5.3). Skips every term in which the logs are known to differ. */
function handleRefusedAppend(raft: Raft, progress: Progress, m: Message): void {
  // The member has `logTerm` at `rejectHint`. The logs differ wherever this log has a greater term at or below that index, because
  // terms only rise within a log. `logTerm` 0 means that the member does not know the term there.
  const guess = m.logTerm > 0 ? raft.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint;
  if (!progress.maybeDecrTo(m.index, guess)) return;
  if (progress.state === "StateReplicate") progress.becomeProbe();
  sendAppend(raft, m.from);
}

function handleAcknowledgedAppend(raft: Raft, progress: Progress, m: Message): void {
  invariant(
    m.index <= raft.log.lastIndex(),
    () => `${m.from} acknowledges ${m.index}, beyond the leader's last index ${raft.log.lastIndex()}`,
  );
  // A duplicate acknowledgement must still end StateProbe; otherwise an up-to-date member that was reported unreachable stays in it. The probe that
  // follows a snapshot goes on: the member did not take that snapshot, and the leader would send it again at once, without a pause.
  const isNews = progress.maybeUpdate(m.index);
  const endsProbe = progress.state === "StateProbe" && progress.match === m.index && progress.next === m.index + 1;
  if (!isNews && !endsProbe) return;

  if (progress.state === "StateProbe") {
    progress.becomeReplicate();
  } else if (progress.state === "StateReplicate") {
    progress.inflights.freeLE(m.index);
  } else if (progress.match + 1 >= raft.log.firstIndex()) {
    // The member installed some snapshot, and the log has the entries that follow.
    progress.becomeProbe();
    progress.becomeReplicate();
  }

  if (maybeCommit(raft)) {
    releasePostponedReads(raft);
    broadcastAppend(raft);
    stepDownIfDue(raft);
    if (raft.role !== "StateLeader") return;
  } else if (m.from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    // An empty append tells the member the commit index before the next heartbeat.
    sendAppend(raft, m.from);
  }
  if (m.from === raft.id) return;
  // The window may have room for several messages now.
  while (maybeSendAppend(raft, m.from, false));
  continueTransfer(raft, m.from, progress);
}

function handleHeartbeatResponse(raft: Raft, progress: Progress, m: Message): void {
  progress.recentActive = true;
  progress.msgAppFlowPaused = false;
  // Appends in flight may be lost; with a full window the answer to an empty append tells. A member in StateProbe that lacks no entries
  // needs an append as well, so that its acknowledgement moves it to StateReplicate.
  if (progress.match < raft.log.lastIndex() || progress.state === "StateProbe") sendAppend(raft, m.from);
  handleReadAcknowledgement(raft, m);
}
