/**
 * Load in a closed loop: a number of callers, each of which calls again as soon as it has its answer. So the load adapts to what
 * is measured, and latencies include the time spent waiting behind the other callers.
 */
import { performance } from "node:perf_hooks";
import { percentile, rounded } from "./statistics.ts";

export interface Load {
  readonly inFlight: number;
  /** Not measured: connections, caches and the compiler warm up. */
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls `call` until the time is up, then waits for the calls under way. */
export async function closedLoop(load: Load, call: (caller: number) => Promise<void>): Promise<Measured> {
  await run(load.inFlight, load.warmUpMs, call);
  const { latenciesMs, elapsedMs } = await run(load.inFlight, load.durationMs, call);
  return {
    perSecond: Math.round((latenciesMs.length / elapsedMs) * 1000),
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
  };
}

async function run(inFlight: number, durationMs: number, call: (caller: number) => Promise<void>) {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const end = start + durationMs;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, caller) => {
      for (let began = performance.now(); began < end; ) {
        await call(caller);
        const now = performance.now();
        latenciesMs.push(now - began);
        began = now;
      }
    }),
  );
  return { latenciesMs, elapsedMs: performance.now() - start };
}
