/**
 * The alarms of one body: when its sleeps, deadlines and delays are over, in the run's time.
 *
 * AL1. `earliestMs` is the first of those that have not gone off: until then nothing but an event wakes the body.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { alarmAt } from "../calls/alarm.ts";
import { LazySet } from "../collections/lazy-set.ts";
import type { RunTime } from "../history/run-time.ts";

/** The alarms of one body (AL1). */
export class BodyAlarms {
  readonly #clock: Clock;
  readonly #time: RunTime;
  readonly #onFired: () => void;
  readonly #open = new LazySet<{ readonly atMs: number }>();

  /** `onFired`: an alarm goes off, and the body is about to go on. */
  constructor(clock: Clock, time: RunTime, onFired: () => void) {
    this.#clock = clock;
    this.#time = time;
    this.#onFired = onFired;
  }

  /** Calls `fn` once when the run's time has reached `atMs` (alarm.ts). Never calls it in this turn. */
  at(atMs: number, fn: () => void): Cancel {
    const alarm = { atMs };
    this.#open.add(alarm);
    const cancel = alarmAt(this.#clock, this.#time, atMs, () => {
      this.#open.delete(alarm);
      this.#onFired();
      fn();
    });
    return () => {
      this.#open.delete(alarm);
      cancel();
    };
  }

  /** When the first alarm goes off (AL1), in ms since the epoch; undefined while there is none. */
  get earliestMs(): number | undefined {
    let earliest: number | undefined;
    for (const { atMs } of this.#open) if (earliest === undefined || !(atMs >= earliest)) earliest = atMs;
    return earliest;
  }
}
