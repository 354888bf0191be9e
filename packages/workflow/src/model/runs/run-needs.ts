/** What a node must be able to do to execute a run. */
import type { TypeVersion } from "../type-version.ts";

/**
 * Numbered behaviours of the engine (runtime/behaviours.ts), as one number: those from 1 to this one. 0 is for none. A release has all behaviours of the releases before it, so
 * the level says which.
 */
export type BehaviourLevel = number;

/** A type and version, and the behaviours that replays of the run must have. */
export interface RunNeeds extends TypeVersion {
  readonly behaviourLevel: BehaviourLevel;
}

/** What a run needs, of its record. */
export function needsOf(run: {
  readonly workflowType: string;
  readonly version: number;
  readonly behaviourLevel: BehaviourLevel;
}): RunNeeds {
  return { type: run.workflowType, version: run.version, behaviourLevel: run.behaviourLevel };
}

/** What a run needs, as a text that no other needs have. */
export function needsText({ type, version, behaviourLevel }: RunNeeds): string {
  return `${behaviourLevel}:${version}:${type}`;
}
