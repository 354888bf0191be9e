/** Timers of any length. */
import type { Cancel, Clock } from "@raftoral/raft-core";

/** The longest that a timer of the platform waits, 24 days; for more it would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `fn` once after `delayMs`; never when that is Infinity, and after 24 days when it is more. Returns the way to stop it. */
export function startTimer(clock: Clock, delayMs: number, fn: () => void): Cancel {
  if (delayMs === Number.POSITIVE_INFINITY) return () => {};
  return clock.after(Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS), fn);
}
