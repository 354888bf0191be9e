/**
 * What payload codecs cost: runs of steps with values of a size, on three processes with gRPC and LMDB, driven from inside the leader. Plain, encrypted, and compressed and encrypted are
 * measured one after the other in each round, so that they can be compared. The values are text that compresses well.
 */
import type { Measured } from "./closed-loop.ts";
import { Trio } from "./trio.ts";

const CODECS = ["plain", "encrypted", "compressed-and-encrypted"] as const;
const VALUE_BYTES = [100, 10_000, 100_000];
const STEPS = 5;
const IN_FLIGHT = 32;

/** Measures runs of five steps with each codec and size, each for `durationMs`. Yields one result each. */
export async function* payloads(folder: string, durationMs: number): AsyncGenerator<object> {
  for (const codec of CODECS) {
    await using trio = await Trio.start(folder, `payloads-${codec}`, {
      module: "./nodes/payloads-node.ts",
      settings: { codec },
    });
    const driver = trio.child(0);
    await driver.call("lead");
    for (const valueBytes of VALUE_BYTES) {
      const load = { inFlight: IN_FLIGHT, warmUpMs: Math.min(1_000, durationMs / 4), durationMs };
      const options = { load, steps: STEPS, valueBytes };
      const { perSecond, p50Ms, p99Ms } = await driver.call<Measured>("load", options);
      const valuesPerSecond = perSecond * (STEPS + 2);
      yield { bench: "payloads", codec, valueBytes, runsPerSecond: perSecond, valuesPerSecond, p50Ms, p99Ms };
    }
  }
}
