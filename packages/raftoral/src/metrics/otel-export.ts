/**
 * Hands a node's metrics to an OpenTelemetry MeterProvider: values when the provider looks, durations as they are measured,
 * since the API has no other way for histograms.
 *
 * Role: the only place that knows OpenTelemetry, and of it only the API. Without a provider there is no export, and nothing is
 * measured for it.
 *
 * O1. Whatever a provider does, it does not harm the node: what it throws ends the forwarding, with one line in the log.
 */
import {
  type BatchObservableCallback,
  createNoopMeter,
  type Meter,
  type MeterProvider,
  metrics,
  type Observable,
} from "@opentelemetry/api";
import type { Logger } from "@raftoral/raft-core";
import { VERSION } from "../version.ts";
import type { Attributes, Metric, Observe } from "./metric.ts";

const SCOPE = "raftoral";

/** The meter of a provider that was given, or of the global one; undefined when none was set, or what is set does nothing. */
export function meterOf(provider: MeterProvider | undefined): Meter | undefined {
  const meter = (provider ?? metrics.getMeterProvider()).getMeter(SCOPE, VERSION);
  return meter === createNoopMeter() ? undefined : meter;
}

/** Exports metrics to one MeterProvider (O1) until it is closed. */
export class OtelExport {
  readonly #meter: Meter;
  readonly #common: Attributes;
  readonly #logger: Logger;
  #isBroken = false;
  #stop: () => void = () => {};

  /** `common` are attributes of every series. */
  constructor(meter: Meter, common: Attributes, logger: Logger) {
    this.#meter = meter;
    this.#common = common;
    this.#logger = logger;
  }

  /** Where a histogram's measurements go. On the hot path. */
  forward(metric: Metric, attributes: Attributes): (value: number) => void {
    const { unit, description, bounds } = metric;
    const advice = { explicitBucketBoundaries: [...bounds] };
    const instrument = this.#meter.createHistogram(metric.name, { unit, description, advice });
    const all = { ...this.#common, ...attributes };
    return (value) => {
      if (this.#isBroken) return;
      try {
        instrument.record(value, all);
      } catch (error) {
        this.#broke(error);
      }
    };
  }

  /** Asks `collect` whenever the provider looks, until {@link close}. */
  observe(catalogue: readonly Metric[], collect: (observe: Observe) => Promise<void>): void {
    const instruments = new Map<Metric, Observable>();
    for (const metric of catalogue) {
      if (metric.kind !== "histogram") instruments.set(metric, this.#observable(metric));
    }
    const look: BatchObservableCallback = (result) =>
      collect((metric, value, attributes) => {
        const instrument = instruments.get(metric);
        if (instrument !== undefined) result.observe(instrument, value, { ...this.#common, ...attributes });
      });
    const observables = [...instruments.values()];
    this.#meter.addBatchObservableCallback(look, observables);
    this.#stop = () => this.#meter.removeBatchObservableCallback(look, observables);
  }

  close(): void {
    this.#isBroken = true;
    this.#stop();
  }

  #observable({ name, kind, unit, description }: Metric): Observable {
    const options = { unit, description };
    switch (kind) {
      case "counter":
        return this.#meter.createObservableCounter(name, options);
      case "updown":
        return this.#meter.createObservableUpDownCounter(name, options);
      default:
        return this.#meter.createObservableGauge(name, options);
    }
  }

  #broke(error: unknown): void {
    this.#isBroken = true;
    this.#logger.error({ err: error }, "the meter provider threw; durations are not handed to it any more");
  }
}
