/** What a leader does with a message of its term. */
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
      // What was sent ahead is probably lost.
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

/** Goes back to where the logs may meet (Raft paper §5.3), skipping all terms of which both sides know that they do not. */
function handleRefusedAppend(raft: Raft, progress: Progress, m: Message): void {
  // The member has `logTerm` at `rejectHint`. Where this log has a greater term at or below that index, the two cannot
  // agree: terms only rise within a log. A zero says that the member does not know the term there.
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
  // Old news still ends a probe: that of a member which lacks nothing but was reported unreachable. A probe from behind a snapshot goes on:
  // the member did not take that snapshot, and would be sent it again at once, as fast as the two can talk.
  const isNews = progress.maybeUpdate(m.index);
  const endsProbe = progress.state === "StateProbe" && progress.match === m.index && progress.next === m.index + 1;
  if (!isNews && !endsProbe) return;

  if (progress.state === "StateProbe") {
    progress.becomeReplicate();
  } else if (progress.state === "StateReplicate") {
    progress.inflights.freeLE(m.index);
  } else if (progress.match + 1 >= raft.log.firstIndex()) {
    // Whatever snapshot it installed, from here the log can take it on.
    progress.becomeProbe();
    progress.becomeReplicate();
  }

  if (maybeCommit(raft)) {
    releasePostponedReads(raft);
    broadcastAppend(raft);
    stepDownIfDue(raft);
    if (raft.role !== "StateLeader") return;
  } else if (m.from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    // The next heartbeat would tell the commit index, too, but later.
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
  // What was in flight may be lost, and with a full window an empty append finds out. A probing member that lacks nothing
  // needs one as well, to be taken back to StateReplicate.
  if (progress.match < raft.log.lastIndex() || progress.state === "StateProbe") sendAppend(raft, m.from);
  handleReadAcknowledgement(raft, m);
}
