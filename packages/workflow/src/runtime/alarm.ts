/** Alarms at a wall time, however far away: platform timers take 24.8 days at most. */
import type { Cancel, Clock } from "@raftoral/raft-core";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `fn` once when the wall clock has reached `wallMs`. Never calls it in this turn. */
export function alarmAt(clock: Clock, wallMs: number, fn: () => void): Cancel {
  let cancel: Cancel = () => {};
  const arm = (): void => {
    const leftMs = wallMs - clock.wallMs();
    cancel = clock.after(Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS), () => {
      if (clock.wallMs() >= wallMs) fn();
      else arm();
    });
  };
  arm();
  return () => cancel();
}
