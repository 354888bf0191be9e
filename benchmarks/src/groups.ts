/**
 * What many idle groups cost: three processes, each a member of all of 1,000 groups, gRPC on loopback, LMDB; nothing is
 * proposed. Processor time is `process.cpuUsage` over the measured time, at the default timing, once every group has a leader;
 * one group in the same run tells what a node costs by itself. It does not measure what groups cost that are at work.
 */
import { join } from "node:path";
import { Child } from "./child-process.ts";
import type { Idled, Started } from "./nodes/groups-node.ts";
import { rounded } from "./statistics.ts";

const SETTLE_MS = 3_000;

interface Setting {
  readonly groups: number;
  readonly coalesceHeartbeatsFrom: number;
}

const SETTINGS: readonly Setting[] = [
  { groups: 1, coalesceHeartbeatsFrom: 16 },
  { groups: 1_000, coalesceHeartbeatsFrom: 16 },
  { groups: 1_000, coalesceHeartbeatsFrom: Number.POSITIVE_INFINITY },
];

/** Measures idle groups in each setting for `durationMs`. Yields one result each. */
export async function* groups(folder: string, durationMs: number): AsyncGenerator<object> {
  for (const setting of SETTINGS) yield await idle(folder, durationMs, setting);
}

async function idle(folder: string, durationMs: number, setting: Setting): Promise<object> {
  const nodes = [1, 2, 3].map((nodeId) => ({ nodeId, child: new Child("./nodes/groups-node.ts") }));
  const name = `groups-${setting.groups}-${setting.coalesceHeartbeatsFrom}`;
  try {
    const addresses = await Promise.all(
      nodes.map(async ({ nodeId, child }) => ({ nodeId, address: await child.call<string>("listen", nodeId) })),
    );
    const started = await Promise.all(
      nodes.map(({ nodeId, child }) =>
        child.call<Started>("start", { nodes: addresses, folder: join(folder, `${name}-${nodeId}`), ...setting }),
      ),
    );
    const electMs = await Promise.all(nodes.map(({ child }) => child.call<number>("settle")));
    // What the elections left behind (first entries, flushes, collections) is not what is measured.
    await Promise.all(nodes.map(({ child }) => child.call<Idled>("idle", SETTLE_MS)));
    const measured = await Promise.all(nodes.map(({ child }) => child.call<Idled>("idle", durationMs)));
    const cpu = measured.map((one) => one.cpu);
    const seconds = durationMs / 1000;
    const sum = (of: (one: Idled) => number): number => measured.reduce((total, one) => total + of(one), 0);
    return {
      bench: "groups",
      ...setting,
      cpuPerNode: rounded(sum((one) => one.cpu) / measured.length, 4),
      cpuOfBusiest: rounded(Math.max(...cpu), 4),
      cpuOfAll: rounded(
        sum((one) => one.cpu),
        4,
      ),
      userShare: rounded(sum((one) => one.userShare) / 3, 2),
      leads: measured.map((one) => one.leads),
      termsPerGroup: rounded((measured[0]?.terms ?? 0) / setting.groups, 2),
      messagesPerSecond: rounded(sum((one) => one.messagesSent) / seconds, 0),
      framesPerSecond: rounded(sum((one) => one.framesSent) / seconds, 0),
      bytesPerSecond: rounded(sum((one) => one.bytesSent) / seconds, 0),
      openMs: rounded(Math.max(...started.map((one) => one.openMs)), 0),
      startMs: rounded(Math.max(...started.map((one) => one.startMs)), 0),
      electMs: rounded(Math.max(...electMs), 0),
      heapPerGroupKiB: rounded(Math.max(...started.map((one) => one.heapBytes)) / setting.groups / 1024, 1),
    };
  } finally {
    await Promise.all(nodes.map(({ child }) => child.kill()));
  }
}
