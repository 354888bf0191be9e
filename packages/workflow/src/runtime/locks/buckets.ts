/** How much the buckets of limiters have got back, as their leader measures it (lock-duties.ts LK3, LK4). */
import type { Clock } from "@raftoral/raft-core";
import type { RefilledBucket } from "../../commands/locks/locks-due.ts";
import type { LockBucket } from "../../state/locks/lock-records.ts";

/** How long a bucket is full before that is said, when no one waits. */
const IDLE_MS = 10_000;
/** Timers and clocks may be off by a part of a millisecond. */
const SLACK_MS = 1;
/** When what was said is said again, if the state has not heard of it. */
const AGAIN_MS = 1_000;

interface Measured {
  latest: LockBucket;
  /** From when on tokens come back, on the monotonic clock: counted from `base`, what the state had then. */
  sinceMs: number;
  base: number;
  /** Nothing is said before. */
  notBeforeMs: number;
}

/** The buckets that are not full. */
export class Buckets {
  readonly #clock: Clock;
  readonly #byName = new Map<string, Measured>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  clear(): void {
    this.#byName.clear();
  }

  /** What the state says of a bucket now. */
  see(latest: LockBucket): void {
    const { name, generation, taken, refilled, rateLimit } = latest;
    const known = this.#byName.get(name);
    if (rateLimit === 0 || taken <= refilled) {
      this.#byName.delete(name);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const isAnother = known === undefined || known.latest.generation !== generation;
    if (isAnother) {
      this.#byName.set(name, { latest, sinceMs: nowMs, base: refilled, notBeforeMs: 0 });
      return;
    }
    // A bucket that was full gets tokens back from when one was taken.
    const full = known.latest.taken;
    if (taken > full && known.base + this.#earned(known) >= full) {
      known.sinceMs = nowMs;
      known.base = full;
    }
    if (refilled > known.latest.refilled) known.notBeforeMs = 0;
    known.latest = latest;
  }

  /** When there is something to say next, on the monotonic clock; undefined for never. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const bucket of this.#byName.values()) {
      const at = this.#dueMs(bucket);
      if (next === undefined || at < next) next = at;
    }
    return next;
  }

  /** What is to be said now, of at most `limit` buckets. */
  refilled(limit: number): readonly RefilledBucket[] {
    const nowMs = this.#clock.monotonicMs();
    const found: RefilledBucket[] = [];
    for (const [name, bucket] of this.#byName) {
      if (found.length === limit) break;
      if (this.#dueMs(bucket) > nowMs) continue;
      const { generation, taken } = bucket.latest;
      bucket.notBeforeMs = nowMs + AGAIN_MS;
      found.push({ name, generation, refilled: Math.min(taken, bucket.base + this.#earned(bucket)) });
    }
    return found;
  }

  #dueMs({ latest, sinceMs, base, notBeforeMs }: Measured): number {
    const { isAwaited, taken, refilled, rateLimit, ratePeriodMs } = latest;
    const tokens = isAwaited ? refilled + 1 - base : taken - base;
    const atMs = sinceMs + Math.ceil((tokens * ratePeriodMs) / rateLimit) + SLACK_MS;
    return Math.max(isAwaited ? atMs : atMs + IDLE_MS, notBeforeMs);
  }

  #earned({ latest, sinceMs }: Measured): number {
    const passedMs = this.#clock.monotonicMs() - sinceMs - SLACK_MS;
    return Math.max(0, Math.floor((passedMs * latest.rateLimit) / latest.ratePeriodMs));
  }
}
