/**
 * Streams: three processes, gRPC on loopback, LMDB with real flushes. Runs on the leader write chunks at a fixed rate; one other node follows all of their
 * streams, and so does a client of the third. A chunk's delay is from its write to its reader's turn, on one machine's clock.
 */

import type { Followed } from "./nodes/workflow-node.ts";
import { Trio } from "./trio.ts";

/** Runs, and chunks that each of them writes in a second. */
const LOADS = [
  { runs: 1, chunksPerSecond: 100 },
  { runs: 10, chunksPerSecond: 1_000 },
];

/** Measures each load for `durationMs`. Yields one result each. */
export async function* stream(folder: string, durationMs: number): AsyncGenerator<object> {
  await using trio = await Trio.start(folder, "stream");
  const driver = trio.child(0);
  await driver.call("lead");
  for (const { runs, chunksPerSecond } of LOADS) {
    const warmUpMs = Math.min(1_000, durationMs / 4);
    const runIds = Array.from({ length: runs }, (_, at) => `talks-${runs}-${at}`);
    await driver.call("talk", { runIds, chunksPerSecond, durationMs: durationMs + warmUpMs });
    const follow = { runIds, warmUpMs };
    const [node, client] = await Promise.all([
      trio.child(1).call<Followed>("follow", { ...follow, isClient: false }),
      trio.child(2).call<Followed>("follow", { ...follow, isClient: true }),
    ]);
    const { perSecond, p50Ms, p99Ms } = node;
    const ofClient = { clientP50Ms: client.p50Ms, clientP99Ms: client.p99Ms };
    yield { bench: "stream", runs, offeredPerSecond: runs * chunksPerSecond, perSecond, p50Ms, p99Ms, ...ofClient };
  }
}
