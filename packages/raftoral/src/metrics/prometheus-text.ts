/**
 * Prometheus' text format (version 0.0.4), with the names that OpenTelemetry's rules for Prometheus give: dots become
 * underscores, the unit is spelt out at the end, counters end in `_total`. A dashboard so fits both ways of exporting.
 */
import type { HistogramReading } from "./histogram.ts";
import type { Attributes, Metric } from "./metric.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Units that have a name in Prometheus; a count of things, `{thing}`, has none. */
const UNIT_NAMES: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", "1": "ratio" };

/** The name of a metric in Prometheus. */
export function prometheusName({ name, kind, unit }: Metric): string {
  const suffix = UNIT_NAMES[unit];
  const plain = nameOf(name);
  const withUnit = suffix === undefined || plain.endsWith(`_${suffix}`) ? plain : `${plain}_${suffix}`;
  return kind === "counter" ? `${withUnit}_total` : withUnit;
}

/** Collects series, then writes them: in the format all series of a metric stand together. */
export class PrometheusText {
  readonly #families = new Map<Metric, Map<string, string>>();
  readonly #common: Attributes;

  /** `common` are attributes of every series. */
  constructor(common: Attributes) {
    this.#common = common;
  }

  /** One value; a second one of the same series replaces the first, for the format allows only one. */
  add(metric: Metric, value: number, attributes: Attributes): void {
    const labels = labelsOf({ ...this.#common, ...attributes });
    this.#family(metric).set(labels, line(prometheusName(metric), labels, value));
  }

  addHistogram(metric: Metric, reading: HistogramReading, attributes: Attributes): void {
    const name = prometheusName(metric);
    const all = { ...this.#common, ...attributes };
    let text = "";
    let below = 0;
    for (const [at, count] of reading.counts.entries()) {
      below += count;
      const bound = reading.bounds[at] ?? Number.POSITIVE_INFINITY;
      text += line(`${name}_bucket`, labelsOf({ ...all, le: number(bound) }), below);
    }
    const labels = labelsOf(all);
    text += line(`${name}_sum`, labels, reading.sum);
    text += line(`${name}_count`, labels, reading.count);
    this.#family(metric).set(labels, text);
  }

  toString(): string {
    let text = "";
    for (const [metric, lines] of this.#families) {
      const name = prometheusName(metric);
      text += `# HELP ${name} ${escaped(metric.description)}\n# TYPE ${name} ${typeOf(metric)}\n`;
      for (const each of lines.values()) text += each;
    }
    return text;
  }

  #family(metric: Metric): Map<string, string> {
    let family = this.#families.get(metric);
    if (family === undefined) {
      family = new Map();
      this.#families.set(metric, family);
    }
    return family;
  }
}

function typeOf({ kind }: Metric): string {
  return kind === "updown" ? "gauge" : kind;
}

/** Names may have letters, digits and underscores. */
function nameOf(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}

function labelsOf(attributes: Attributes): string {
  const labels = Object.entries(attributes).map(
    ([name, value]) => `${nameOf(name)}="${escaped(String(value)).replaceAll('"', '\\"')}"`,
  );
  return labels.length === 0 ? "" : `{${labels.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels} ${number(value)}\n`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
