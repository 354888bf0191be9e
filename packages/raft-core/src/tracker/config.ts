/**
 * The configuration in force: who votes, who learns, and what becomes of them when a joint configuration is left.
 *
 * Invariants (kept by the Changer):
 * C1. Nobody is voter (in either half) and learner at once.
 * C2. `learnersNext` is part of the outgoing voters: those that become learners when the joint configuration is left. They
 *     wait because of C1.
 * C3. Unless joint, `learnersNext` is empty and `autoLeave` false.
 */
import { JointConfig } from "../quorum/joint.ts";
import { NodeSet } from "../quorum/node-set.ts";
import type { ConfState } from "../types.ts";

/** Immutable, so that it can be shared with status reports. */
export interface Config {
  readonly voters: JointConfig;
  readonly learners: NodeSet;
  readonly learnersNext: NodeSet;
  /** Joint only: the leader proposes to leave the joint configuration as soon as entering it is applied. */
  readonly autoLeave: boolean;
}

export const EMPTY_CONFIG: Config = Object.freeze({
  voters: JointConfig.EMPTY,
  learners: NodeSet.EMPTY,
  learnersNext: NodeSet.EMPTY,
  autoLeave: false,
});

/** What a storage keeps of a configuration. */
export function confStateOf(config: Config): ConfState {
  return {
    voters: config.voters.incoming.ids,
    learners: config.learners.ids,
    votersOutgoing: config.voters.outgoing.ids,
    learnersNext: config.learnersNext.ids,
    autoLeave: config.autoLeave,
  };
}

/** `voters=(1 2)&&(3) learners=(4) learners_next=(5) autoleave`; what is empty or false is left out. */
export function describeConfig(config: Config): string {
  let text = `voters=${config.voters}`;
  if (config.learners.size > 0) text += ` learners=${config.learners}`;
  if (config.learnersNext.size > 0) text += ` learners_next=${config.learnersNext}`;
  if (config.autoLeave) text += " autoleave";
  return text;
}
