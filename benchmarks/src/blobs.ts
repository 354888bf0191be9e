/**
 * What large values cost: runs of one step whose value is a blob, driven from a follower, while another process drives runs of one small step from inside the leader. The small runs are
 * measured before, too, so that what the large ones do to them can be told.
 */
import type { Measured } from "./closed-loop.ts";
import { rounded } from "./statistics.ts";
import { Trio } from "./trio.ts";

const VALUE_BYTES = [512 * 1024, 4 * 1024 * 1024, 20 * 1024 * 1024];
const LARGE_IN_FLIGHT = 2;
const SMALL_IN_FLIGHT = 8;

/** Measures large values of each size, and small runs before and meanwhile, each for `durationMs`. Yields one result each. */
export async function* blobs(folder: string, durationMs: number): AsyncGenerator<object> {
  await using trio = await Trio.start(folder, "blobs", { module: "./nodes/blobs-node.ts" });
  const [leader, follower] = [trio.child(0), trio.child(1)];
  await leader.call("lead");
  const warmUpMs = Math.min(1_000, durationMs / 4);
  const small = { inFlight: SMALL_IN_FLIGHT, warmUpMs, durationMs };
  for (const valueBytes of VALUE_BYTES) {
    const idle = await leader.call<Measured>("small", small);
    // The large ones go on a little longer, so that the small ones are never alone.
    const load = { inFlight: LARGE_IN_FLIGHT, warmUpMs: 0, durationMs: durationMs + warmUpMs };
    const largeRuns = follower.call<Measured>("large", { load, bytes: valueBytes });
    const during = await leader.call<Measured>("small", small);
    const { p50Ms, p99Ms } = await largeRuns;
    // Of a closed loop, and finer than a count of whole runs.
    const valuesPerSecond = (LARGE_IN_FLIGHT * 1000) / p50Ms;
    yield {
      bench: "blobs",
      valueBytes,
      valuesPerSecond: rounded(valuesPerSecond, 2),
      mbPerSecond: rounded((valuesPerSecond * valueBytes) / 1e6, 1),
      p50Ms,
      p99Ms,
      smallRunsIdle: idle,
      smallRunsDuring: during,
      p99Ratio: rounded(during.p99Ms / idle.p99Ms, 2),
    };
  }
}
