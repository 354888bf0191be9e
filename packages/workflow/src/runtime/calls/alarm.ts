/** Alarms and delays, however far away they end: platform timers take 24.8 days at most. */
import type { Cancel, Clock } from "@raftoral/raft-core";
import type { RunTime } from "../history/run-time.ts";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `fn` once when a run's time has reached `atMs`; soon, when that is no number. Never calls it in this turn. */
export function alarmAt(clock: Clock, time: RunTime, atMs: number, fn: () => void): Cancel {
  let cancel: Cancel = () => {};
  const arm = (): void => {
    const leftMs = atMs - time.nowMs();
    cancel = clock.after(leftMs > 0 ? Math.min(leftMs, LONGEST_TIMER_MS) : 0, () => {
      if (time.nowMs() < atMs) arm();
      else fn();
    });
  };
  arm();
  return () => cancel();
}

/** Calls `fn` once when `delayMs` have passed on the clock that only goes forward; soon, when that is no number. Never calls it in this turn. */
export function delayed(clock: Clock, delayMs: number, fn: () => void): Cancel {
  if (!(delayMs > LONGEST_TIMER_MS)) return clock.after(Math.max(delayMs || 0, 0), fn);
  let cancel: Cancel = clock.after(LONGEST_TIMER_MS, () => {
    cancel = delayed(clock, delayMs - LONGEST_TIMER_MS, fn);
  });
  return () => cancel();
}
