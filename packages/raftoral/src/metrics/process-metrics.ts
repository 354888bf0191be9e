/** What the process shows of itself: above all whether its event loop keeps up, for consensus runs on it. */
import { type ELDHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import { counter, gauge, type MetricSource, type Observe, updown } from "./metric.ts";

/** How often the delay is sampled: often enough to see what would delay a heartbeat. */
const SAMPLE_MS = 10;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
const MODE = "cpu.mode";

/** Names of OpenTelemetry's conventions for processes and for Node.js. */
export const PROCESS_METRICS = {
  delayMean: gauge("nodejs.eventloop.delay.mean", "s", "Mean delay of the event loop since the last look"),
  delayP50: gauge("nodejs.eventloop.delay.p50", "s", "Median delay of the event loop since the last look"),
  delayP99: gauge("nodejs.eventloop.delay.p99", "s", "99th percentile of the delay since the last look"),
  delayMax: gauge("nodejs.eventloop.delay.max", "s", "Longest delay of the event loop since the last look"),
  utilization: gauge("nodejs.eventloop.utilization", "1", "Part of the time that the event loop was busy, since then"),
  cpuTime: counter("process.cpu.time", "s", "CPU time of the process", [MODE]),
  memory: updown("process.memory.usage", "By", "Memory of the process that is in RAM"),
} as const;

/** One for each who looks: a look begins a new window. */
export class ProcessMetrics implements MetricSource {
  readonly #delay: ELDHistogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  #utilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  collect(observe: Observe): void {
    const delay = this.#delay;
    // The histogram has the whole interval between two samples; what is over the sampling interval is delay.
    const seconds = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - SAMPLE_MS / 1000) : 0;
    if (delay.count > 0) {
      observe(PROCESS_METRICS.delayMean, seconds(delay.mean));
      observe(PROCESS_METRICS.delayP50, seconds(delay.percentile(50)));
      observe(PROCESS_METRICS.delayP99, seconds(delay.percentile(99)));
      observe(PROCESS_METRICS.delayMax, seconds(delay.max));
    }
    delay.reset();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    if (Number.isFinite(utilization)) observe(PROCESS_METRICS.utilization, utilization);
    const { user, system } = process.cpuUsage();
    observe(PROCESS_METRICS.cpuTime, user / MICROSECONDS, { [MODE]: "user" });
    observe(PROCESS_METRICS.cpuTime, system / MICROSECONDS, { [MODE]: "system" });
    observe(PROCESS_METRICS.memory, process.memoryUsage.rss());
  }

  close(): void {
    this.#delay.disable();
  }
}
