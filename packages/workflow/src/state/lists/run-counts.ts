/** How many runs there are, as the header keeps it. */
import type { RunNeeds } from "../../model/runs/run-needs.ts";
import type { Seat } from "../../nodes/seat.ts";

/** How many runs there are; kept in the header. */
export interface RunCounts {
  readonly finished: number;
  /** What the runs that have ended take, as far as they were measured (run-sizes.ts SZ1). */
  readonly finishedBytes: number;
  /** Runs that were pruned and whose ids are kept. */
  readonly tombstones: number;
  /** Running runs by seat. */
  readonly loads: ReadonlyMap<Seat, number>;
  /** Running runs on no seat that are not stuck, by what they wait for. */
  readonly waiting: ReadonlyMap<string, WaitingRuns>;
  /** Paused and delayed runs included. */
  readonly stuck: number;
  readonly paused: number;
  readonly delayed: number;
}

/** Runs that wait for a node that can do what they need. */
export interface WaitingRuns extends RunNeeds {
  readonly runs: number;
}

/** Ascending by version, type and behaviours. */
export function inOrder(a: WaitingRuns, b: WaitingRuns): number {
  if (a.version !== b.version) return a.version - b.version;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return a.behaviourLevel - b.behaviourLevel;
}
