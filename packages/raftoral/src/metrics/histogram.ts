/**
 * Counts measurements by size. Made for the hot path: a measurement allocates nothing and costs a few comparisons.
 *
 * H1. The buckets are disjoint and cover everything; `counts` adds up to `count`.
 */
import { invariant } from "@raftoral/raft-core";
import type { Attributes, Metric } from "./metric.ts";

/** What a histogram holds at one moment. */
export interface HistogramReading {
  /** Upper bounds, inclusive and ascending; the last bucket has none. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** One histogram (H1), of one metric with one set of attributes. */
export class Histogram {
  readonly metric: Metric;
  readonly attributes: Attributes;
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  readonly #forward: ((value: number) => void) | undefined;
  #sum = 0;

  /** `forward` is given every measurement as well. */
  constructor(metric: Metric, attributes: Attributes, forward?: (value: number) => void) {
    const { bounds } = metric;
    invariant(bounds.length > 0, () => `${metric.name} has no bounds`);
    this.metric = metric;
    this.attributes = attributes;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
    this.#forward = forward;
  }

  record(value: number): void {
    const at = this.#bucketOf(value);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
    this.#forward?.(value);
  }

  read(): HistogramReading {
    const counts = [...this.#counts];
    const count = counts.reduce((sum, each) => sum + each, 0);
    return { bounds: this.#bounds, counts, count, sum: this.#sum };
  }

  /** The first bucket whose bound is not below `value`. */
  #bucketOf(value: number): number {
    const bounds = this.#bounds;
    let lo = 0;
    let hi = bounds.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if ((bounds[middle] ?? 0) < value) lo = middle + 1;
      else hi = middle;
    }
    return lo;
  }
}
