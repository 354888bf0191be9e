/** Timings that were made lately, by what is recorded: many schedules have the same, and to make one costs a time zone. */
import { Timing } from "./timing.ts";

/** Timings that are kept. */
const MAX_KEPT = 1_000;

/** A bounded number of timings; those that were made first go first. */
export class Timings {
  readonly #kept = new Map<string, Timing>();

  /** The timing that was recorded as these bytes. Throws SCHEDULE_INVALID. */
  of(recorded: Uint8Array): Timing {
    const text = new TextDecoder().decode(recorded);
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const timing = Timing.decode(recorded);
    for (const first of this.#kept.keys()) {
      if (this.#kept.size < MAX_KEPT) break;
      this.#kept.delete(first);
    }
    this.#kept.set(text, timing);
    return timing;
  }
}
