/**
 * Changing the configuration (Raft paper §6; thesis §4): proposing, applying, and leaving joint configurations.
 *
 * A change takes effect when its entry is applied, not when it is appended. That is safe because the next change is proposed
 * only after this one has been applied by the leader (raft.ts R5), and because no node stands for election while a
 * committed change waits to be applied (election.ts E2).
 *
 * Invariants:
 * G1. A joint configuration with `autoLeave` is left by the leader, also by one that was elected after the change was applied.
 * G2. A restored configuration equals the stored one: its ConfState has the same sets.
 * G3. Applying a change that a received snapshot includes does not alter the configuration that came with the snapshot.
 */
import { type ChangeBase, type ChangeResult, Changer } from "../confchange/changer.ts";
import { restore } from "../confchange/restore.ts";
import { decodeConfChange, decodeConfChangeV2 } from "../eraftpb/conf-change.ts";
import { invariant, RaftError } from "../errors.ts";
import { message } from "../message.ts";
import { confStateOf } from "../tracker/config.ts";
import {
  type ConfChange,
  type ConfChangeV2,
  type ConfState,
  EMPTY_BYTES,
  type Entry,
  type LogIndex,
  NONE,
} from "../types.ts";
import type { Raft } from "./raft.ts";
import { answerConfirmedReads, endLease } from "./read-index.ts";
import { confirmLossOfVotes } from "./removal.ts";
import { appendEntries, broadcastAppend, maybeCommit, maybeSendAppend } from "./replication.ts";
import { abortLeaderTransfer } from "./roles.ts";

/**
 * Leader: appends proposed entries, and checks their configuration changes. A change that is not allowed now is replaced by an
 * empty entry with the proposer's `context`. The proposer learns from the applied entry that the change was
 * turned down. Returns false and does nothing when the entries would exceed `maxUncommittedBytes`.
 */
export function appendProposed(raft: Raft, proposed: readonly Entry[]): boolean {
  if (proposed.every(isNormal)) return appendEntries(raft, proposed);
  const firstIndex = raft.log.lastIndex() + 1;
  let pendingConfIndex = raft.pendingConfIndex;
  const entries = proposed.map((entry, at) => {
    if (isNormal(entry)) return entry;
    if (!isAllowed(raft, entry, pendingConfIndex)) return turnedDown(entry);
    pendingConfIndex = firstIndex + at;
    return entry;
  });
  if (!appendEntries(raft, entries)) return false;
  raft.pendingConfIndex = pendingConfIndex;
  return true;
}

/**
 * Puts a committed change in force and returns the resulting configuration. The application calls it for every change it applies, on every node.
 *
 * While a snapshot waits to be stored, its configuration is in force already, and the changes that are still being applied are older than
 * the snapshot. Such a change only moves the configuration that the application has reached (G3).
 */
export function applyConfChange(raft: Raft, change: ConfChange | ConfChangeV2): ConfState {
  const asked = "changes" in change ? change : asV2(change);
  if (raft.supersededConfState === undefined) return switchTo(raft, committedChange(raft, raft.tracker, asked));
  const { maxInflight, maxInflightBytes } = raft.tracker;
  const superseded = restore(raft.tracker, raft.log.lastIndex(), raft.supersededConfState);
  invariant(superseded.ok, "the configuration before a snapshot was in force");
  const moved = committedChange(raft, { ...superseded, maxInflight, maxInflightBytes }, asked);
  raft.supersededConfState = confStateOf(moved.config);
  return raft.supersededConfState;
}

/** Puts a stored configuration in force: at the start, and from a snapshot (G2). */
export function restoreConfiguration(raft: Raft, confState: ConfState): void {
  const result = restore(raft.tracker, raft.log.lastIndex(), confState);
  invariant(result.ok, () => `a stored configuration cannot be restored: ${result.ok ? "" : result.reason}`);
  const restored = switchTo(raft, result);
  invariant(isSameConfState(confState, restored), "G2: the configuration restored is not the one stored");
}

/**
 * Records that entries up to `index` are applied; `bytes` is their encoded size. Then leaves a joint configuration if that is due (G1). A report
 * of entries that a snapshot has replaced counts nothing, because their bytes were given back with the snapshot (raft-log.ts L5).
 */
export function appliedTo(raft: Raft, index: number, bytes: number): void {
  const { log } = raft;
  if (index >= log.applied) log.appliedTo(index, bytes);
  leaveJointIfDue(raft);
}

/**
 * Leader: proposes to leave a joint configuration with `autoLeave`, once every appended change is applied (G1). The
 * proposal itself is such a change, so it is not made twice.
 */
export function leaveJointIfDue(raft: Raft): void {
  const { config } = raft.tracker;
  if (!config.autoLeave || raft.log.applied < raft.pendingConfIndex || raft.role !== "StateLeader") return;
  // An empty change has no size, so no limit refuses it. While leadership is being handed over the proposal is dropped. Then the next
  // leader makes it, or this one when the hand-over has failed; waiting for another entry to be applied could take for ever.
  const leave: Entry = { term: 0, index: 0, type: "EntryConfChangeV2", data: EMPTY_BYTES };
  raft.step(message({ type: "MsgProp", from: raft.id, entries: [leave] }));
}

/** Computes the configuration after a change of one of the three kinds. Only an "Auto" change without changes leaves a joint configuration. */
function computeChange(raft: Raft, base: ChangeBase, { changes, transition }: ConfChangeV2): ChangeResult {
  const changer = new Changer(base, raft.log.lastIndex());
  if (transition === "Auto" && changes.length === 0) return changer.leaveJoint();
  if (transition === "Auto" && changes.length === 1) return changer.simple(changes);
  return changer.enterJoint(transition !== "Explicit", changes);
}

function committedChange(raft: Raft, base: ChangeBase, change: ConfChangeV2): ChangeResult & { ok: true } {
  const result = computeChange(raft, base, change);
  invariant(result.ok, () => `a committed configuration change cannot be applied: ${result.ok ? "" : result.reason}`);
  return result;
}

function switchTo(raft: Raft, result: ChangeResult & { ok: true }): ConfState {
  const { tracker } = raft;
  const before = tracker.config.voters;
  tracker.adopt(result.config, result.progress);
  const confState = tracker.confState();
  const own = tracker.get(raft.id);
  raft.isLearner = own?.isLearner ?? false;
  if (raft.role !== "StateLeader") return confState;
  if (raft.leadTransferee !== NONE && !tracker.config.voters.has(raft.leadTransferee)) abortLeaderTransfer(raft);
  endLease(raft);
  confirmLossOfVotes(raft, before);
  // Reads (here) and entries (below) that wait for a quorum may have one under the new configuration.
  answerConfirmedReads(raft);
  // A leader without a vote keeps leading: until another is elected, or until removal.ts RV2 ends it (thesis §4.2.2).
  if (own === undefined || own.isLearner || confState.voters.length === 0) return confState;
  if (maybeCommit(raft)) {
    // Entries that the new quorum holds are committed now.
    broadcastAppend(raft);
  } else {
    // New members begin to catch up now, not with the next heartbeat.
    for (const id of tracker.ids) {
      if (id !== raft.id) maybeSendAppend(raft, id, false);
    }
  }
  return confState;
}

/**
 * Whether a proposed change may be appended: no other change is under way (raft.ts R5), and the change can be applied to the configuration in
 * force. With no other change under way, the configuration in force is the one that the change will be applied to.
 */
function isAllowed(raft: Raft, entry: Entry, pendingConfIndex: LogIndex): boolean {
  const change = readChange(entry);
  if (change === undefined) return false;
  if (raft.config.disableConfChangeValidation) return true;
  return pendingConfIndex <= raft.log.applied && computeChange(raft, raft.tracker, change).ok;
}

/** Decodes the change of an entry of a configuration change; undefined when the bytes are invalid. */
function readChange(entry: Entry): ConfChangeV2 | undefined {
  try {
    return entry.type === "EntryConfChange" ? asV2(decodeConfChange(entry.data)) : decodeConfChangeV2(entry.data);
  } catch (error) {
    if (error instanceof RaftError) return undefined;
    throw error;
  }
}

/** Whether an entry is a configuration change that can be decoded, or is not a configuration change. */
export function isReadableChange(entry: Entry): boolean {
  return isNormal(entry) || readChange(entry) !== undefined;
}

function turnedDown(entry: Entry): Entry {
  const { context } = entry;
  const empty: Entry = { term: 0, index: 0, type: "EntryNormal", data: EMPTY_BYTES };
  return context === undefined ? empty : { ...empty, context };
}

function isNormal(entry: Entry): boolean {
  return entry.type === "EntryNormal";
}

function asV2(change: ConfChange): ConfChangeV2 {
  const { type, nodeId, context } = change;
  return { transition: "Auto", changes: [{ type, nodeId }], context };
}

function isSameConfState(a: ConfState, b: ConfState): boolean {
  return (
    a.autoLeave === b.autoLeave &&
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.learners, b.learners) &&
    isSameSet(a.votersOutgoing, b.votersOutgoing) &&
    isSameSet(a.learnersNext, b.learnersNext)
  );
}

function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
