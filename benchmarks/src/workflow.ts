/**
 * Workflows from start to result: three processes, gRPC on loopback, LMDB with real flushes, driven from inside the leader. A run
 * of n steps is n + 1 commits (its start and its steps, the last one with the end). Step bodies do nothing: this measures the engine, not the work.
 */
import type { Measured } from "./closed-loop.ts";
import { Trio } from "./trio.ts";

const STEPS = [1, 10];
const IN_FLIGHT = [1, 64, 256];

/** Measures runs with different numbers of steps, each for `durationMs`. Yields one result each. */
export async function* workflow(folder: string, durationMs: number): AsyncGenerator<object> {
  await using trio = await Trio.start(folder, "workflow");
  const driver = trio.child(0);
  await driver.call("lead");
  for (const steps of STEPS) {
    for (const inFlight of IN_FLIGHT) {
      const load = { inFlight, warmUpMs: Math.min(1_000, durationMs / 4), durationMs };
      const { perSecond, p50Ms, p99Ms } = await driver.call<Measured>("load", { load, steps });
      const stepsPerSecond = perSecond * steps;
      yield { bench: "workflow", steps, inFlight, runsPerSecond: perSecond, stepsPerSecond, p50Ms, p99Ms };
    }
  }
}
