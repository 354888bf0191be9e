/** Why a run is stuck: it has not ended, and no node executes it until something from outside changes. */
import type { LogIndex } from "@raftoral/raft-core";

/**
 * Positions, from 1 on, are the numbers in the state's records. `owner-losses`: its owners ended one after the other (owner-losses.ts OL4).
 * `code-mismatch`: its code asks for something else than what is recorded. `paused`: somebody has paused it, and `delayed`:
 * it is not to begin yet, which a run's status says by these names.
 */
export const STUCK_REASONS = ["owner-losses", "code-mismatch", "paused", "delayed"] as const;

/** Why a run is stuck. */
export type StuckReason = (typeof STUCK_REASONS)[number];

/** Why a run is stuck that is to go on: its status is `stuck`. */
export type TroubleReason = Exclude<StuckReason, "paused" | "delayed">;

/** Where the code of a run and its history differ. */
export interface CodeMismatch {
  /** The call that the code made. */
  readonly path: string;
  /** What the code asks for there. */
  readonly expected: string;
  /** What the history has. */
  readonly recorded: string;
}

/** A mismatch that holds a run. */
export interface HeldMismatch extends CodeMismatch {
  /** Place in the log where the run was held: nodes that register after it may have code that fits. */
  readonly heldAt: LogIndex;
}

/** Longest part of a mismatch, in UTF-16 units: a run's record stays small. */
const MAX_PART_LENGTH = 1000;

/** A mismatch with parts of bounded length. */
export function clippedMismatch({ path, expected, recorded }: CodeMismatch): CodeMismatch {
  const clip = (text: string): string =>
    text.length <= MAX_PART_LENGTH ? text : `${text.slice(0, MAX_PART_LENGTH)}...`;
  return { path: clip(path), expected: clip(expected), recorded: clip(recorded) };
}
