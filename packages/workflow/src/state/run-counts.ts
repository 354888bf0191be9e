/** How many runs there are, as the header keeps it. */
import type { Seat } from "../nodes/seat.ts";

/** How many runs there are; kept in the header. */
export interface RunCounts {
  readonly finished: number;
  /** Running runs by seat. */
  readonly loads: ReadonlyMap<Seat, number>;
  /** Running runs on no seat that are not stuck, by what they wait for. */
  readonly waiting: ReadonlyMap<string, WaitingRuns>;
  readonly stuck: number;
}

/** Runs that wait for a node that can execute a type and version. */
export interface WaitingRuns {
  readonly type: string;
  readonly version: number;
  readonly runs: number;
}
