/**
 * Commit latency and throughput: three processes, gRPC on loopback, LMDB with real flushes, 256-byte commands proposed on the
 * leader. Latency is from `propose` to its result, so it includes the apply. It does not measure the workflow layer.
 */
import { join } from "node:path";
import { Child } from "./child-process.ts";
import type { Measured } from "./closed-loop.ts";

const BYTES = 256;
const IN_FLIGHT = [1, 64, 256];

/** Measures commits with different numbers of proposals in flight, each for `durationMs`. Yields one result each. */
export async function* commit(folder: string, durationMs: number): AsyncGenerator<object> {
  const nodes = [1, 2, 3].map((nodeId) => ({ nodeId, child: new Child("./nodes/commit-node.ts") }));
  try {
    const addresses = await Promise.all(
      nodes.map(async ({ nodeId, child }) => ({ nodeId, address: await child.call<string>("listen", nodeId) })),
    );
    await Promise.all(
      nodes.map(({ nodeId, child }) =>
        child.call("start", { nodes: addresses, folder: join(folder, `commit-${nodeId}`) }),
      ),
    );
    const [driver] = nodes;
    await driver?.child.call("lead");
    for (const inFlight of IN_FLIGHT) {
      const load = { inFlight, warmUpMs: Math.min(1_000, durationMs / 4), durationMs };
      const measured = await driver?.child.call<Measured>("load", { load, bytes: BYTES });
      yield { bench: "commit", inFlight, bytes: BYTES, ...measured };
    }
  } finally {
    await Promise.all(nodes.map(({ child }) => child.kill()));
  }
}
