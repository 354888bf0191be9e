/** A MeterProvider of OpenTelemetry's own SDK that a test reads at will. */
import type { MeterProvider } from "@opentelemetry/api";
import { type Histogram, MetricReader, MeterProvider as SdkMeterProvider } from "@opentelemetry/sdk-metrics";

/** One series of a meter, as of now. */
export interface MeterReading {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The number of measurements, for a histogram. */
  readonly value: number;
}

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Reads what was given to its `provider`. */
export class MeterReader {
  readonly #reader = new ManualReader();
  readonly provider: MeterProvider = new SdkMeterProvider({ readers: [this.#reader] });

  /** Every series that there is now. Throws the first error that a callback threw. */
  async read(): Promise<readonly MeterReading[]> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw errors[0];
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor: { name, unit }, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name,
          unit,
          attributes,
          value: typeof value === "number" ? value : (value as Histogram).count,
        })),
      ),
    );
  }

  /** The one series of a metric that has these attributes, or the sum of those that have. */
  async sum(name: string, attributes: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const fitting = (await this.read()).filter(
      (each) =>
        each.name === name && Object.entries(attributes).every(([key, value]) => each.attributes[key] === value),
    );
    return fitting.reduce((sum, { value }) => sum + value, 0);
  }
}
