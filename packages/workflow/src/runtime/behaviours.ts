/**
 * Numbered behaviours: ways in which the engine answers bodies, that changed from one release to a later one.
 *
 * Role: lets the engine change what a replay depends on, without changing the replays of runs that are under way. Code that differs asks {@link behaves} and keeps both
 * forms. What applies commands is no matter of behaviours: all nodes apply alike, whatever they execute.
 *
 * BV1. A number is given out once, in ascending order without gaps, and means the same for ever. A release has all behaviours of the releases before it.
 * BV2. A run has the behaviours that all registered nodes had at the start of its generation (nodes/node-table.ts NT5). They stay the same over its owners, so a replay goes
 *      as the first run did.
 * BV3. A run is placed on nodes alone that have its behaviours, and waits while there is none. A node executes nothing that needs more than it has.
 * BV4. An old form is taken out when no run can be left that has it: with a release that says so. Its number is not used again.
 */
import type { BehaviourLevel } from "../model/runs/run-needs.ts";

/** One change of the engine. */
export interface Behaviour {
  /** From 1. */
  readonly number: number;
  /** The release that brought it. */
  readonly since: string;
  /** What runs have that have it, and what the others have. */
  readonly changes: string;
}

/** Every behaviour, by name. New ones come at the end (BV1). */
export const BEHAVIOURS = {
  fullFingerprints: {
    number: 1,
    since: "0.1.0",
    changes:
      "Fingerprints of what schemas give tell regular expressions, errors, array buffers, kinds of typed arrays, boxed values and negative zero apart. Before, these were alike.",
  },
  settableVariables: {
    number: 2,
    since: "0.1.0",
    changes:
      "Variables are set from outside, so bodies that have variables have the end of every sleep recorded. Before, a sleep that ended alone had no record of its end.",
  },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** The behaviours that this engine has: those from 1 to this one. */
export const BEHAVIOUR_LEVEL: BehaviourLevel = Math.max(...Object.values(BEHAVIOURS).map(({ number }) => number));

/** Whether a run of this level has a behaviour. */
export function behaves(level: BehaviourLevel, { number }: Behaviour): boolean {
  return number <= level;
}
