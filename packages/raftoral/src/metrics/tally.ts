/** Counts what happens, by one or two attributes. */
import type { Attributes, Metric, Observe } from "./metric.ts";

interface Series {
  readonly attributes: Attributes;
  count: number;
}

/** The counters of one metric, by the values of its attributes. */
export class Tally {
  readonly #metric: Metric;
  readonly #series = new Map<string, Series>();

  constructor(metric: Metric) {
    this.#metric = metric;
  }

  /** `values` belong to the metric's attributes, in their order. */
  add(values: readonly string[], count = 1): void {
    const key = values.join("\n");
    let series = this.#series.get(key);
    if (series === undefined) {
      const names = this.#metric.attributes;
      series = { attributes: Object.fromEntries(names.map((name, at) => [name, values[at] ?? ""])), count: 0 };
      this.#series.set(key, series);
    }
    series.count += count;
  }

  collect(observe: Observe): void {
    for (const { attributes, count } of this.#series.values()) observe(this.#metric, count, attributes);
  }
}
