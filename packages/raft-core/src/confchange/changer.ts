/**
 * Computes the configuration that follows from a change, or refuses the change (thesis §4.1 for single changes, §4.3 for
 * joint consensus).
 *
 * Role: pure. It works on copies and does not alter the configuration in force. raft/reconfigure.ts decides when a change is made.
 *
 * Invariants:
 * X1. A simple change alters the voters by at most one, so that any two majorities before and after overlap.
 * X2. Changes to voters are made to the incoming half. The outgoing half holds the voters that were in force when the joint
 *     configuration was entered.
 * X3. The resulting configuration satisfies C1 to C3 (tracker/config.ts) and T1 (tracker/progress-tracker.ts).
 */
import { invariant } from "../errors.ts";
import { JointConfig } from "../quorum/joint.ts";
import { NodeSet } from "../quorum/node-set.ts";
import type { Config } from "../tracker/config.ts";
import { Inflights } from "../tracker/inflights.ts";
import { Progress } from "../tracker/progress.ts";
import type { ProgressMap } from "../tracker/progress-tracker.ts";
import { type ConfChangeSingle, type LogIndex, NONE, type NodeId } from "../types.ts";

/** The configuration that a change starts from. A ProgressTracker is one. */
export interface ChangeBase {
  readonly config: Config;
  readonly progress: ProgressMap;
  readonly maxInflight: number;
  readonly maxInflightBytes: number;
}

/** The configuration to put in force with `ProgressTracker.adopt`, or the reason why the change is refused. */
export type ChangeResult =
  | { readonly ok: true; readonly config: Config; readonly progress: ProgressMap }
  | { readonly ok: false; readonly reason: string };

/** Computes changes of one configuration. Throws InvariantViolation when that configuration breaks an invariant itself (X3). */
export class Changer {
  readonly #base: ChangeBase;
  readonly #lastIndex: LogIndex;

  /** `lastIndex` is the last index of the log, where probing of a new member begins. `base` is not changed. */
  constructor(base: ChangeBase, lastIndex: LogIndex) {
    this.#base = base;
    this.#lastIndex = lastIndex;
  }

  /** Changes at most one voter, and any learners, without a joint configuration (X1). */
  simple(changes: readonly ConfChangeSingle[]): ChangeResult {
    const draft = this.#draft();
    if (draft.outgoing.size > 0) return refused("can't apply simple config change in joint config");
    draft.apply(changes);
    if (draft.incoming.size === 0) return refused("removed all voters");
    if (draft.incoming.differenceCount(this.#base.config.voters.incoming) > 1) {
      return refused("more than one voter changed without entering joint config");
    }
    return draft.finish();
  }

  /** Makes the voters in force the outgoing half, and applies any number of changes to the incoming half (X2). */
  enterJoint(autoLeave: boolean, changes: readonly ConfChangeSingle[]): ChangeResult {
    const draft = this.#draft();
    if (draft.outgoing.size > 0) return refused("config is already joint");
    if (draft.incoming.size === 0) return refused("can't make a zero-voter config joint");
    draft.outgoing = draft.incoming;
    draft.apply(changes);
    if (draft.incoming.size === 0) return refused("removed all voters");
    draft.autoLeave = autoLeave;
    return draft.finish();
  }

  /** Drops the outgoing half. Its voters leave the group, unless they vote in the incoming half or become learners. */
  leaveJoint(): ChangeResult {
    const draft = this.#draft();
    if (draft.outgoing.size === 0) return refused("can't leave a non-joint config");
    draft.leaveJoint();
    return draft.finish();
  }

  #draft(): Draft {
    const { config, progress } = this.#base;
    checkInvariants(config, progress);
    return new Draft(this.#base, this.#lastIndex);
  }
}

/** A configuration being edited. */
class Draft {
  incoming: NodeSet;
  outgoing: NodeSet;
  autoLeave: boolean;
  #learners: NodeSet;
  #learnersNext: NodeSet;
  readonly #progress = new Map<NodeId, Progress>();
  readonly #base: ChangeBase;
  readonly #lastIndex: LogIndex;

  constructor(base: ChangeBase, lastIndex: LogIndex) {
    this.incoming = base.config.voters.incoming;
    this.outgoing = base.config.voters.outgoing;
    this.autoLeave = base.config.autoLeave;
    this.#learners = base.config.learners;
    this.#learnersNext = base.config.learnersNext;
    for (const [id, progress] of base.progress) this.#progress.set(id, progress.clone());
    this.#base = base;
    this.#lastIndex = lastIndex;
  }

  apply(changes: readonly ConfChangeSingle[]): void {
    for (const { type, nodeId } of changes) {
      // An application turns a committed change down by applying it with node id 0.
      if (nodeId === NONE) continue;
      if (type === "AddNode") this.#makeVoter(nodeId);
      else if (type === "AddLearnerNode") this.#makeLearner(nodeId);
      else if (type === "RemoveNode") this.#remove(nodeId);
      else invariant(type === "UpdateNode", `unknown type of configuration change: ${type}`);
    }
  }

  leaveJoint(): void {
    for (const id of this.#learnersNext.ids) {
      this.#learners = this.#learners.with(id);
      this.#progressOf(id).isLearner = true;
    }
    this.#learnersNext = NodeSet.EMPTY;
    for (const id of this.outgoing.ids) {
      if (!this.incoming.has(id) && !this.#learners.has(id)) this.#progress.delete(id);
    }
    this.outgoing = NodeSet.EMPTY;
    this.autoLeave = false;
  }

  finish(): ChangeResult {
    const config: Config = {
      voters: new JointConfig(this.incoming, this.outgoing),
      learners: this.#learners,
      learnersNext: this.#learnersNext,
      autoLeave: this.autoLeave,
    };
    const progress = new Map([...this.#progress].sort(([a], [b]) => a - b));
    checkInvariants(config, progress);
    return { ok: true, config, progress };
  }

  #makeVoter(id: NodeId): void {
    const progress = this.#progress.get(id);
    if (progress === undefined) this.#track(id, false);
    else progress.isLearner = false;
    this.#learners = this.#learners.without(id);
    this.#learnersNext = this.#learnersNext.without(id);
    this.incoming = this.incoming.with(id);
  }

  #makeLearner(id: NodeId): void {
    const progress = this.#progress.get(id);
    if (progress === undefined) {
      this.#track(id, true);
      this.#learners = this.#learners.with(id);
      return;
    }
    if (progress.isLearner) return;
    this.#remove(id);
    // A demoted voter keeps its Progress, because the leader still knows its log.
    this.#progress.set(id, progress);
    if (this.outgoing.has(id)) {
      // The member still votes in the outgoing half, and no member is voter and learner at once (tracker/config.ts C1). It becomes a
      // learner when that half is dropped.
      this.#learnersNext = this.#learnersNext.with(id);
    } else {
      progress.isLearner = true;
      this.#learners = this.#learners.with(id);
    }
  }

  #remove(id: NodeId): void {
    this.incoming = this.incoming.without(id);
    this.#learners = this.#learners.without(id);
    this.#learnersNext = this.#learnersNext.without(id);
    if (!this.outgoing.has(id)) this.#progress.delete(id);
  }

  #track(id: NodeId, isLearner: boolean): void {
    const progress = new Progress({
      match: 0,
      next: Math.max(this.#lastIndex, 1),
      inflights: new Inflights(this.#base.maxInflight, this.#base.maxInflightBytes),
      isLearner,
      // Otherwise the leader could fail the next check of the quorum before the new member had time to answer.
      recentActive: true,
    });
    this.#progress.set(id, progress);
  }

  #progressOf(id: NodeId): Progress {
    const progress = this.#progress.get(id);
    invariant(progress !== undefined, `no progress for member ${id} (T1)`);
    return progress;
  }
}

function refused(reason: string): ChangeResult {
  return { ok: false, reason };
}

/**
 * Throws InvariantViolation unless C1 to C3 (tracker/config.ts) and T1 (tracker/progress-tracker.ts) hold. An empty configuration is allowed:
 * every group starts from one.
 */
export function checkInvariants(config: Config, progress: ProgressMap): void {
  const { voters, learners, learnersNext } = config;
  for (const id of voters.voters.ids) invariant(progress.has(id), () => `no progress for voter ${id} (T1)`);
  for (const id of learners.ids) {
    invariant(progress.get(id)?.isLearner === true, () => `learner ${id} has no learner's progress (T1)`);
    invariant(!voters.has(id), () => `${id} is learner and voter at once (C1)`);
  }
  for (const id of learnersNext.ids) {
    invariant(voters.outgoing.has(id), () => `${id} waits to become a learner but is no outgoing voter (C2)`);
    invariant(progress.get(id)?.isLearner === false, () => `${id} waits to become a learner but is one already (C2)`);
  }
  for (const id of progress.keys()) {
    invariant(voters.has(id) || learners.has(id), () => `progress of ${id}, which is no member (T1)`);
  }
  if (!voters.isJoint) {
    invariant(learnersNext.size === 0, "members wait to become learners outside a joint configuration (C3)");
    invariant(!config.autoLeave, "autoLeave outside a joint configuration (C3)");
  }
}
