/**
 * The configuration in force: voters, learners, and the voters that become learners when a joint configuration is left.
 *
 * Invariants (kept by the Changer):
 * C1. No member is voter (in either half) and learner at once.
 * C2. `learnersNext` is a part of the outgoing voters. Its members become learners when the joint configuration is left. They
 *     wait until then because of C1.
 * C3. Unless the configuration is joint, `learnersNext` is empty and `autoLeave` is false.
 */
import { JointConfig } from "../quorum/joint.ts";
import { NodeSet } from "../quorum/node-set.ts";
import type { ConfState } from "../types.ts";

/** A configuration. Immutable, so that it can be shared with status reports. */
export interface Config {
  readonly voters: JointConfig;
  readonly learners: NodeSet;
  readonly learnersNext: NodeSet;
  /** Whether the leader proposes to leave the joint configuration as soon as it has applied the change that entered it. */
  readonly autoLeave: boolean;
}

/** The configuration without members. */
export const EMPTY_CONFIG: Config = Object.freeze({
  voters: JointConfig.EMPTY,
  learners: NodeSet.EMPTY,
  learnersNext: NodeSet.EMPTY,
  autoLeave: false,
});

/** The ConfState of a configuration, as storages and snapshots keep it. */
export function confStateOf(config: Config): ConfState {
  return {
    voters: config.voters.incoming.ids,
    learners: config.learners.ids,
    votersOutgoing: config.voters.outgoing.ids,
    learnersNext: config.learnersNext.ids,
    autoLeave: config.autoLeave,
  };
}

/** `voters=(1 2)&&(3) learners=(4) learners_next=(5) autoleave`; empty and false parts are left out. */
export function describeConfig(config: Config): string {
  let text = `voters=${config.voters}`;
  if (config.learners.size > 0) text += ` learners=${config.learners}`;
  if (config.learnersNext.size > 0) text += ` learners_next=${config.learnersNext}`;
  if (config.autoLeave) text += " autoleave";
  return text;
}
