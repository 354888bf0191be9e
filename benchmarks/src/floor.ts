/**
 * What nothing above it can beat on this machine at this moment: one flush of a small append to the disk that holds the data,
 * and one round trip of a message between two processes over the transport's stream. A commit needs about one of each.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Child } from "./child-process.ts";
import { percentile, rounded } from "./statistics.ts";

const FLUSHES = 2_000;
const ROUND_TRIPS = 5_000;

/** Median of write and fdatasync of `bytes` at the end of a file in `folder`, in milliseconds. */
function fdatasyncP50Ms(folder: string, bytes: number): number {
  const file = openSync(join(folder, "floor"), "w");
  const data = Buffer.alloc(bytes, 1);
  const latencies: number[] = [];
  for (let i = 0; i < FLUSHES; i++) {
    const start = performance.now();
    writeSync(file, data);
    fdatasyncSync(file);
    latencies.push(performance.now() - start);
  }
  closeSync(file);
  return percentile(latencies, 0.5);
}

/** Median round trip of a 256-byte message between two processes, in milliseconds. */
async function roundTripP50Ms(): Promise<number> {
  const [a, b] = [new Child("./nodes/echo-node.ts"), new Child("./nodes/echo-node.ts")];
  try {
    const [addressA, addressB] = [
      await a.call<string>("listen", { nodeId: 1, peer: 2 }),
      await b.call<string>("listen", { nodeId: 2, peer: 1 }),
    ];
    await Promise.all([a.call("connect", addressB), b.call("connect", addressA)]);
    return await a.call<number>("roundTripP50Ms", ROUND_TRIPS);
  } finally {
    await Promise.all([a.kill(), b.kill()]);
  }
}

/** Measures one flush into `folder` and one round trip between two processes. */
export async function floor(folder: string): Promise<object> {
  const flush = fdatasyncP50Ms(folder, 256);
  const roundTrip = await roundTripP50Ms();
  return { bench: "floor", fdatasyncP50Ms: rounded(flush), roundTripP50Ms: rounded(roundTrip) };
}
