/** How large the state is. Counts nothing. */
import type { Tables } from "./tables.ts";

/** Numbers that say how large the state is. */
export interface StateSize {
  /** Runs that have not ended. */
  readonly running: number;
  /** Of these, runs that no node is to execute until somebody resumes them, or a node registers code that fits. */
  readonly stuck: number;
  /** Of these, runs that somebody has paused. */
  readonly paused: number;
  /** Of the running ones, those that no node executes because their type is paused. */
  readonly resting: number;
  /** Of these, runs that are not to begin yet. */
  readonly delayed: number;
  /** Of the running ones, those that wait for a node that can execute them. */
  readonly orphaned: number;
  /** Of the running ones, those that are to be moved: their node is gone, or one that can execute them has come. */
  readonly toMove: number;
  /** Runs that have ended and are kept. */
  readonly finished: number;
  /** Of the running ones, those that wait in a queue. */
  readonly queued: number;
  /** What these take in the state, in bytes. Long histories and streams are measured with the commands that follow the end. */
  readonly finishedBytes: number;
  /** Runs that were pruned and whose ids are kept. */
  readonly tombstones: number;
  /** Whether runs that were pruned or deleted have left records that are still to be swept. */
  readonly hasRemains: boolean;
}

/** The numbers of a state. */
export function stateSize({ runs, toMove, pausedTypes, queues }: Tables): StateSize {
  const { runningCount: running, stuckCount, pausedCount: paused, delayedCount: delayed } = runs.places;
  const { finishedCount: finished, finishedBytes, hasRemains, tombstones } = runs;
  const { queuedCount: queued } = runs.places;
  const ended = { finished, finishedBytes, tombstones: tombstones.count, hasRemains, queued };
  // Runs on no seat that are not stuck and wait in no queue: those that wait for a node, and those whose type is paused.
  const all = runs.places.waitingCount + runs.places.unplacedCount;
  let resting = 0;
  if (pausedTypes.count > 0) {
    for (const { lanes } of queues.all()) {
      for (const { type, unplaced } of lanes) if (pausedTypes.has(type)) resting += unplaced;
    }
    for (const { type, runs: count } of runs.places.waiting()) if (pausedTypes.has(type)) resting += count;
  }
  const orphaned = all - resting;
  return { running, stuck: stuckCount - paused - delayed, paused, delayed, resting, orphaned, toMove, ...ended };
}
