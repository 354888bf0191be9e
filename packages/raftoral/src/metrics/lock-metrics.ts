/**
 * What locks show: the same on every node.
 *
 * LM1. Locks are summed by what their names begin with, up to the first `/` or `:`. Names may be many; of beginnings at most `MAX_PREFIXES` are told apart.
 */
import type { LockQuery, LockView } from "@raftoral/workflow";
import { gauge, type MetricSource, type Observe } from "./metric.ts";

const PREFIX = "raftoral.lock.prefix";

export const LOCK_METRICS = {
  held: gauge("raftoral.lock.held", "{lock}", "Permits of locks that are held; the same on every node", [PREFIX]),
  waiting: gauge(
    "raftoral.lock.waiting",
    "{request}",
    "Asks that wait for locks and limiters; the same on every node",
    [PREFIX],
  ),
  oldest: gauge("raftoral.lock.oldest.asked", "s", "When the ask was made that has waited longest, since the epoch", [
    PREFIX,
  ]),
} as const;

/** Beginnings of names that are told apart; the others are one. */
const MAX_PREFIXES = 50;
const OTHERS = "(others)";
/** Locks that one look sums; a cluster with more shows those that come first by name. */
const MAX_LOCKS = 10_000;

interface Sums {
  held: number;
  waiting: number;
  oldestAtMs: number;
}

/** The metrics of the locks. */
export class LockMetrics implements MetricSource {
  #locks: (query: LockQuery) => readonly LockView[] = () => [];

  /** Where the locks are read at each look. */
  watch(locks: (query: LockQuery) => readonly LockView[]): void {
    this.#locks = locks;
  }

  collect(observe: Observe): void {
    const sums = new Map<string, Sums>();
    for (const { name, held, waiting, oldestAtMs } of this.#locks({ limit: MAX_LOCKS, asks: 0 })) {
      const prefix = prefixOf(name);
      const sum = sumsOf(sums, sums.has(prefix) || sums.size < MAX_PREFIXES ? prefix : OTHERS);
      sum.held += held;
      sum.waiting += waiting;
      sum.oldestAtMs = Math.min(sum.oldestAtMs, oldestAtMs ?? Number.POSITIVE_INFINITY);
    }
    for (const [prefix, { held, waiting, oldestAtMs }] of sums) {
      observe(LOCK_METRICS.held, held, { [PREFIX]: prefix });
      observe(LOCK_METRICS.waiting, waiting, { [PREFIX]: prefix });
      if (Number.isFinite(oldestAtMs)) observe(LOCK_METRICS.oldest, oldestAtMs / 1000, { [PREFIX]: prefix });
    }
  }
}

/** LM1. */
function prefixOf(name: string): string {
  const end = name.search(/[/:]/);
  return end <= 0 ? name : name.slice(0, end);
}

function sumsOf(sums: Map<string, Sums>, prefix: string): Sums {
  let sum = sums.get(prefix);
  if (sum === undefined) {
    sum = { held: 0, waiting: 0, oldestAtMs: Number.POSITIVE_INFINITY };
    sums.set(prefix, sum);
  }
  return sum;
}
