/**
 * A large snapshot: three processes of one group, one of which has nothing and needs it, while the others commit. What the disk itself
 * takes for as many bytes, and what commits cost while nothing is sent, is measured in the same run.
 */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Child } from "./child-process.ts";
import { rounded } from "./statistics.ts";

const STATE_BYTES = 1024 ** 3;
const COMMAND_BYTES = 256;
const PIECE_BYTES = 256 * 1024;
const FLUSH_BYTES = 8 * 1024 * 1024;

/** MB/s of writing and flushing that many bytes to a new file, and nothing else. */
async function diskMbPerSecond(folder: string): Promise<number> {
  const path = join(folder, "disk-floor");
  const handle = await open(path, "w");
  const piece = Buffer.alloc(PIECE_BYTES, 7);
  const start = performance.now();
  let flushing: Promise<void> = Promise.resolve();
  for (let at = 0; at < STATE_BYTES; at += PIECE_BYTES) {
    await handle.write(piece, 0, PIECE_BYTES, at);
    if (at % FLUSH_BYTES !== 0) continue;
    await flushing;
    flushing = handle.datasync();
  }
  await flushing;
  await handle.sync();
  const seconds = (performance.now() - start) / 1000;
  await handle.close();
  await rm(path);
  return STATE_BYTES / 1e6 / seconds;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Measures the transfer of a large snapshot, and commits with and without it. Yields one result each. */
export async function* snapshot(folder: string, durationMs: number): AsyncGenerator<object> {
  // Bytes a second that nodes may send; 0 for no limit. Given to see what a limit does to commits.
  const bytesPerSecond = Number(process.env["SNAPSHOT_BYTES_PER_SECOND"] ?? 0);
  const disk = await diskMbPerSecond(folder);
  const nodes = [1, 2, 3].map((nodeId) => ({ nodeId, child: new Child("./nodes/snapshot-node.ts") }));
  try {
    const addresses = await Promise.all(
      nodes.map(async ({ nodeId, child }) => {
        const options = { nodeId, stateBytes: STATE_BYTES, bytesPerSecond };
        return { nodeId, address: await child.call<string>("listen", options) };
      }),
    );
    const [leader, follower, late] = nodes.map(({ child }) => child) as [Child, Child, Child];
    const start = (child: Child, at: number) =>
      child.call("start", { nodes: addresses, folder: join(folder, `snapshot-${at}`) });
    await Promise.all([start(leader, 1), start(follower, 2)]);
    await leader.call("lead");
    await leader.call("propose", 10);
    const takenMs = await leader.call<number>("takeSnapshot");
    await follower.call("takeSnapshot");
    const measured = async (work: () => Promise<unknown>) => {
      await leader.call("beginLoad", COMMAND_BYTES);
      await work();
      return await leader.call<{ p50Ms: number; p99Ms: number }>("endLoad");
    };
    await measured(() => wait(Math.min(1_000, durationMs / 4)));
    const idle = await measured(() => wait(durationMs));
    await Promise.all(nodes.map(({ child }) => child.call("watchLoop")));
    let received = { seconds: Number.NaN, bytes: 0 };
    const during = await measured(async () => {
      await start(late, 3);
      received = await late.call("received");
    });
    const loops = await Promise.all(nodes.map(({ child }) => child.call<object>("loop")));
    yield {
      bench: "snapshot",
      bytes: received.bytes,
      seconds: received.seconds,
      mbPerSecond: rounded(received.bytes / 1e6 / received.seconds, 0),
      diskMbPerSecond: rounded(disk, 0),
      takenMbPerSecond: rounded(STATE_BYTES / 1e3 / takenMs, 0),
      commitsIdle: idle,
      commitsDuring: during,
      p99Ratio: rounded(during.p99Ms / idle.p99Ms, 2),
      loops,
    };
  } finally {
    await Promise.all(nodes.map(({ child }) => child.kill()));
  }
}
