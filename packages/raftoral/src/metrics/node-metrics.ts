/**
 * The metrics of one node: its sources, and where they go.
 *
 * Role: the composition of this folder. The layers below know probes, which are a few methods, and nothing of metrics.
 *
 * M1. Without a reader (no endpoint, no provider) there is no NodeMetrics, no probe, and no cost.
 * M2. A source that fails leaves its metrics out and harms nothing else.
 */
import type { MeterProvider } from "@opentelemetry/api";
import type { Logger } from "@raftoral/raft-core";
import type { NodeIdentity } from "../node/storage/node-storage.ts";
import { VERSION } from "../version.ts";
import { BlobMetrics } from "./blob-metrics.ts";
import { ALL_METRICS, NODE_ID, NODE_INFO } from "./catalogue.ts";
import type { Attributes, MetricSource, Observe } from "./metric.ts";
import { meterOf, OtelExport } from "./otel-export.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import type { PrometheusEndpoint } from "./prometheus-endpoint.ts";
import { PrometheusText } from "./prometheus-text.ts";
import { RaftMetrics } from "./raft-metrics.ts";
import { Recorders } from "./recorders.ts";
import { StorageMetrics } from "./storage-metrics.ts";
import { TransportMetrics } from "./transport-metrics.ts";
import { WorkflowMetrics } from "./workflow-metrics.ts";

/** Options of a node's metrics. */
export interface NodeMetricsOptions {
  readonly identity: NodeIdentity;
  readonly address: string;
  /** Where Prometheus asks, if anywhere. Closed by its owner. */
  readonly endpoint: PrometheusEndpoint | undefined;
  /** Defaults to the global one, if one is set. */
  readonly provider: MeterProvider | undefined;
  readonly logger: Logger;
}

/** The metrics of one node (M1, M2). It owns the Prometheus endpoint, and closes it. */
export class NodeMetrics {
  readonly raft: RaftMetrics;
  readonly transport = new TransportMetrics();
  readonly storage: StorageMetrics;
  readonly blobs = new BlobMetrics();
  readonly workflow: WorkflowMetrics;
  readonly #common: Attributes;
  readonly #info: Attributes;
  readonly #recorders: Recorders;
  readonly #logger: Logger;
  readonly #closers: (() => void)[] = [];

  /** Undefined without a reader (M1). */
  static open(options: NodeMetricsOptions): NodeMetrics | undefined {
    const meter = meterOf(options.provider);
    if (meter === undefined && options.endpoint === undefined) return undefined;
    const common = { [NODE_ID]: options.identity.nodeId };
    const otel = meter === undefined ? undefined : new OtelExport(meter, common, options.logger);
    return new NodeMetrics(options, common, otel);
  }

  private constructor(options: NodeMetricsOptions, common: Attributes, otel: OtelExport | undefined) {
    const { identity, address, endpoint, logger } = options;
    this.#common = common;
    this.#info = {
      "raftoral.cluster.id": identity.clusterId,
      "raftoral.node.address": address,
      "raftoral.version": VERSION,
    };
    this.#logger = logger;
    this.#recorders = new Recorders(otel === undefined ? undefined : (metric, of) => otel.forward(metric, of));
    this.raft = new RaftMetrics(this.#recorders);
    this.storage = new StorageMetrics(this.#recorders);
    this.workflow = new WorkflowMetrics(this.#recorders);
    if (otel !== undefined) {
      const process = this.#process();
      otel.observe(ALL_METRICS, (observe) => this.#collect(process, observe));
      this.#closers.push(() => otel.close());
    }
    if (endpoint !== undefined) {
      const process = this.#process();
      endpoint.serve(() => this.#text(process));
      this.#closers.push(() => endpoint.serve(undefined));
    }
  }

  /** Ends the looking. The sources may be gone afterwards. */
  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  /** Its windows begin again with each look, so each reader has one. */
  #process(): ProcessMetrics {
    const process = new ProcessMetrics();
    this.#closers.push(() => process.close());
    return process;
  }

  async #collect(process: ProcessMetrics, observe: Observe): Promise<void> {
    observe(NODE_INFO, 1, this.#info);
    const sources: readonly MetricSource[] = [
      this.raft,
      this.transport,
      this.storage,
      this.blobs,
      this.workflow,
      process,
    ];
    for (const source of sources) {
      try {
        await source.collect(observe);
      } catch (error) {
        this.#logger.warn({ err: error }, "some metrics could not be read");
      }
    }
  }

  async #text(process: ProcessMetrics): Promise<string> {
    const text = new PrometheusText(this.#common);
    await this.#collect(process, (metric, value, attributes = {}) => text.add(metric, value, attributes));
    for (const histogram of this.#recorders.all()) {
      text.addHistogram(histogram.metric, histogram.read(), histogram.attributes);
    }
    return text.toString();
  }
}
