/** One of three processes of a Raftoral cluster that has schedules. */
import { join } from "node:path";
import { RaftoralNode, workflow } from "raftoral";
import { serve } from "../child-process.ts";
import { percentile, rounded } from "../statistics.ts";

const CREATED_AT_ONCE = 256;
/** Until when after the beginning of a window occurrences are waited for, in ms. */
const REST_MS = 10_000;

/** Ends at once. */
const empty = workflow("bench_empty", { version: 1 }, async () => undefined);

/** What a node used and saw in a window of time. */
export interface Window {
  /** CPU of the process in percent of one core. */
  readonly cpuPercent: number;
  /** Runs that began, as this node heard. */
  readonly started: number;
  /** From an occurrence to the moment at which this node heard of its run. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

let node: RaftoralNode | undefined;

function running(): RaftoralNode {
  if (node === undefined) throw new Error("call start first");
  return node;
}

serve({
  async start(options: { readonly folder: string; readonly name: string; readonly join?: string }): Promise<string> {
    node = await RaftoralNode.start({
      listen: "127.0.0.1:0",
      dataDir: join(options.folder, options.name),
      ...(options.join === undefined ? { bootstrap: true } : { join: options.join }),
      workflows: [empty],
    });
    return node.address;
  },
  nodeId: () => running().nodeId,
  async lead(): Promise<void> {
    const { nodeId } = running();
    if ((await running().cluster.waitForLeader()) !== nodeId) await running().cluster.transferLeadership(nodeId);
  },
  /** Creates schedules with an interval; offsets spread them over it. */
  async create({ count, everyMs }: { readonly count: number; readonly everyMs: number }): Promise<void> {
    let created = 0;
    const create = async (): Promise<void> => {
      for (let at = created++; at < count; at = created++) {
        const offsetMs = Math.floor((at * everyMs) / count);
        const times = { everyMs, offsetMs, catchUp: "all" } as const;
        await running().workflows.schedules.create(`s-${at}`, { workflow: empty, ...times });
      }
    };
    await Promise.all(Array.from({ length: CREATED_AT_ONCE }, create));
  },
  /** Moves all schedules to another interval. */
  async update({ count, everyMs }: { readonly count: number; readonly everyMs: number }): Promise<void> {
    let updated = 0;
    const update = async (): Promise<void> => {
      for (let at = updated++; at < count; at = updated++) {
        const offsetMs = Math.floor((at * everyMs) / count);
        await running().workflows.schedules.update(`s-${at}`, { everyMs, offsetMs });
      }
    };
    await Promise.all(Array.from({ length: CREATED_AT_ONCE }, update));
  },
  /** What happens within `ms`, or until `runs` have begun. */
  async window({ ms, runs }: { readonly ms: number; readonly runs: number }): Promise<Window> {
    const latenessMs: number[] = [];
    const before = process.cpuUsage();
    const beginMs = performance.now();
    const enough = Promise.withResolvers<void>();
    const stop = running().on((event) => {
      if (event.type !== "run-started" || event.workflowType !== empty.type) return;
      latenessMs.push(Date.now() - Date.parse(event.runId.slice(event.runId.indexOf("/") + 1)));
      if (latenessMs.length === runs) enough.resolve();
    });
    const limit = setTimeout(enough.resolve, runs === 0 ? ms : ms + REST_MS);
    await enough.promise;
    clearTimeout(limit);
    stop();
    const used = process.cpuUsage(before);
    const elapsedMs = performance.now() - beginMs;
    return {
      cpuPercent: rounded((used.user + used.system) / 10 / elapsedMs),
      started: latenessMs.length,
      p50Ms: latenessMs.length === 0 ? 0 : rounded(percentile(latenessMs, 0.5)),
      p99Ms: latenessMs.length === 0 ? 0 : rounded(percentile(latenessMs, 0.99)),
    };
  },
});
