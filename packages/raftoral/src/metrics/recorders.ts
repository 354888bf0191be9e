/**
 * The histograms of a node: made as they are needed, one per metric and attributes, and read together.
 */
import { Histogram } from "./histogram.ts";
import type { Attributes, Metric } from "./metric.ts";

/** Makes what hands a histogram's measurements on, such as to OpenTelemetry; undefined for none. */
export type Forward = (metric: Metric, attributes: Attributes) => (value: number) => void;

/** Makes and keeps the histograms of one node. */
export class Recorders {
  readonly #forward: Forward | undefined;
  readonly #histograms: Histogram[] = [];

  constructor(forward: Forward | undefined) {
    this.#forward = forward;
  }

  /** A series of its own; the caller keeps it. */
  histogram(metric: Metric, attributes: Attributes): Histogram {
    const histogram = new Histogram(metric, attributes, this.#forward?.(metric, attributes));
    this.#histograms.push(histogram);
    return histogram;
  }

  all(): readonly Histogram[] {
    return this.#histograms;
  }
}
