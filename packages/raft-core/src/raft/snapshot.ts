/**
 * Snapshots instead of entries that are no longer there (Raft paper §7), and reports about their delivery.
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

/** Leader: sends the latest snapshot. False when there is none now, or when the member is silent. */
export function sendSnapshot(raft: Raft, to: NodeId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot === "unavailable") return false;
  invariant(snapshot.metadata.index > 0, () => `${to} needs entries that are compacted, and there is no snapshot`);
  progress.becomeSnapshot(snapshot.metadata.index);
  raft.send({ type: "MsgSnap", to, snapshot });
  return true;
}

/** Follower: takes a snapshot, or says that it is further already. */
export function handleSnapshot(raft: Raft, m: Message): void {
  const restored = m.snapshot !== undefined && restore(raft, m.snapshot);
  raft.send({ type: "MsgAppResp", to: m.from, index: restored ? raft.log.lastIndex() : raft.log.committed });
}

/** The snapshot is stored and restored. */
export function appliedSnapshot(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  if (raft.log.unstable.snapshot === undefined) raft.supersededConfState = undefined;
  appliedTo(raft, index, 0);
}

/** Leader: the application reports that a snapshot was delivered (`reject` unset) or not. */
export function handleSnapshotStatus(progress: Progress, m: Message): void {
  if (progress.state !== "StateSnapshot") return;
  // A failed one must not let probing start behind it.
  if (m.reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // Delivered: the member's acknowledgement comes next. Not delivered: pause until the next heartbeat's answer.
  progress.msgAppFlowPaused = true;
}

function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  const { log } = raft;
  if (index <= log.committed) return false;
  if (raft.role !== "StateFollower") {
    // Cannot happen, for followers alone get here. If it did, stepping out of the term keeps the damage away.
    becomeFollower(raft, raft.term + 1, NONE);
    return false;
  }
  if (!includes(confState, raft.id)) return false;
  if (log.matchTerm(index, term)) {
    // All of it is here already (SN1); that it is committed is news.
    log.commitTo(index);
    return false;
  }
  log.restore(snapshot);
  raft.supersededConfState ??= raft.tracker.confState();
  raft.tracker.resetVotes();
  restoreConfiguration(raft, confState);
  return true;
}

/** Those that wait to become learners are outgoing voters, so that three lists say it all. */
function includes(confState: ConfState, id: NodeId): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}
