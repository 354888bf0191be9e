/**
 * Snapshots in the place of compacted entries (Raft paper §7), and reports about their delivery.
 *
 * Invariants:
 * SN1. A snapshot replaces the log only when the log does not hold the snapshot's last entry.
 * SN2. A snapshot's configuration includes its receiver.
 */
import { invariant } from "../errors.ts";
import type { Message } from "../message.ts";
import type { Progress } from "../tracker/progress.ts";
import { type ConfState, NONE, type NodeId, type Snapshot } from "../types.ts";
import type { Raft } from "./raft.ts";
import { appliedTo, restoreConfiguration } from "./reconfigure.ts";
import { becomeFollower } from "./roles.ts";

/** Leader: sends the latest snapshot. Returns false when no snapshot is available now, or when the member was not heard from. */
export function sendSnapshot(raft: Raft, to: NodeId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot === "unavailable") return false;
  invariant(snapshot.metadata.index > 0, () => `${to} needs entries that are compacted, and there is no snapshot`);
  progress.becomeSnapshot(snapshot.metadata.index);
  raft.send({ type: "MsgSnap", to, snapshot });
  return true;
}

/** Follower: takes a snapshot, or answers with its commit index when it does not take it. */
export function handleSnapshot(raft: Raft, m: Message): void {
  const restored = m.snapshot !== undefined && restore(raft, m.snapshot);
  raft.send({ type: "MsgAppResp", to: m.from, index: restored ? raft.log.lastIndex() : raft.log.committed });
}

/** Records that a received snapshot is stored and the state machine restored from it. */
export function appliedSnapshot(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  if (raft.log.unstable.snapshot === undefined) raft.supersededConfState = undefined;
  appliedTo(raft, index, 0);
}

/** Leader: takes the application's report that a snapshot was delivered (`reject` unset) or not. */
export function handleSnapshotStatus(progress: Progress, m: Message): void {
  if (progress.state !== "StateSnapshot") return;
  // After a failed delivery, probing must not start behind the snapshot.
  if (m.reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // Both outcomes pause: after a delivery the member's acknowledgement ends the pause, after a failure the next heartbeat's answer.
  progress.msgAppFlowPaused = true;
}

function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  const { log } = raft;
  if (index <= log.committed) return false;
  if (raft.role !== "StateFollower") {
    // Does not happen: only followers get here. If it did, leaving the term would keep a leader from replacing its own log.
    becomeFollower(raft, raft.term + 1, NONE);
    return false;
  }
  if (!includes(confState, raft.id)) return false;
  if (log.matchTerm(index, term)) {
    // The log holds all of the snapshot's entries already (SN1). Only the commit index is new.
    log.commitTo(index);
    return false;
  }
  log.restore(snapshot);
  raft.supersededConfState ??= raft.tracker.confState();
  raft.tracker.resetVotes();
  restoreConfiguration(raft, confState);
  return true;
}

/** Whether a configuration names a node. `learnersNext` is not searched, because its nodes are outgoing voters (tracker/config.ts C2). */
function includes(confState: ConfState, id: NodeId): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}
