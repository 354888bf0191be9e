/**
 * What a metric is, apart from who exports it. OpenTelemetry's terms: names with dots, units in UCUM, attributes.
 */

/** The attributes of one series, by name. Their values come from small, closed sets: never ids of runs or paths of steps. */
export type Attributes = Readonly<Record<string, string | number>>;

/** "updown" is a quantity that adds up over nodes, such as what waits in a queue; "gauge" is one that does not. */
export type MetricKind = "counter" | "updown" | "gauge" | "histogram";

/** A metric of the catalogue, without its values. */
export interface Metric {
  readonly name: string;
  readonly kind: MetricKind;
  /** `s`, `By`, `1` for a ratio, `{thing}` for a count of things. */
  readonly unit: string;
  readonly description: string;
  /** Names of the attributes that its series have, beside those of the node. */
  readonly attributes: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; of the others none. */
  readonly bounds: readonly number[];
}

/** Takes one value of one series. */
export type Observe = (metric: Metric, value: number, attributes?: Attributes) => void;

/** Something that can be asked for values at any time. Asked only when somebody looks, so it may take its time. */
export interface MetricSource {
  /** Must not throw because its subject has stopped; what cannot be told is left out. */
  collect(observe: Observe): void | Promise<void>;
}

/** From 0.1 ms to 10 s: a quick disk, and a call at its deadline. In seconds. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type Define = (name: string, unit: string, description: string, attributes?: readonly string[]) => Metric;

function define(kind: MetricKind): Define {
  return (name, unit, description, attributes = []) => ({ name, kind, unit, description, attributes, bounds: [] });
}

export const counter: Define = define("counter");
export const updown: Define = define("updown");
export const gauge: Define = define("gauge");

/** Of durations in seconds. */
export function histogram(
  name: string,
  description: string,
  attributes: readonly string[] = [],
  bounds: readonly number[] = LATENCY_BOUNDS,
): Metric {
  return { name, kind: "histogram", unit: "s", description, attributes, bounds };
}
