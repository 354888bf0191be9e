/**
 * Nodes are killed, cut off, stopped and misled under load; then all of it is mended, the cluster must go on, and everything
 * that was acknowledged must be there once.
 */
import { seededRng } from "@raftoral/raft-core";
import { Load } from "../cluster/load.ts";
import { TestCluster } from "../cluster/test-cluster.ts";
import { verifyRuns } from "../cluster/verify.ts";
import { RegisterClients } from "../registers/register-clients.ts";
import { verifyWhole } from "../registers/verify-whole.ts";
import { formatDeed, type KillLoopFigures } from "./figures.ts";
import { LeaderWatch } from "./leader-watch.ts";
import { Nemesis } from "./nemesis.ts";

export interface KillLoopOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly durationMs: number;
  /** Whether logs and data folders are kept also when all is well (false). */
  readonly keep?: boolean;
}

/** Finished runs must stay: they are looked at in the end, and clocks jump by hours meanwhile. */
const WORKFLOW_LIMITS = { retentionMs: 7 * 24 * 3_600_000, maxFinishedRuns: 1_000_000 };
const PROGRESS_OPERATIONS = 50;
const PROGRESS_RUNS = 5;

/** What a loop that did not stand it leaves behind. */
export class KillLoopError extends Error {
  override readonly name = "KillLoopError";
}

/**
 * Resolves with what was done and stood. Rejects with a KillLoopError that tells the story and how to repeat it; logs and data
 * folders are kept then.
 */
export async function killLoop(options: KillLoopOptions): Promise<KillLoopFigures> {
  const { seed, nodes, durationMs } = options;
  const rng = seededRng(seed);
  const cluster = await TestCluster.start(nodes, {
    networkSeed: rng.below(2 ** 32),
    registers: true,
    settings: { workflowLimits: WORKFLOW_LIMITS },
  });
  const watch = new LeaderWatch(cluster);
  const clients = new RegisterClients(() => cluster.running, { rng, clients: 10, thinkMs: 60 });
  const load = new Load(cluster, `loop-${seed}`, { clients: 3, pauseMs: 250 });
  const nemesis = new Nemesis(cluster, () => watch.leader, rng);
  let files: "keep" | "remove" = options.keep === true ? "keep" : "remove";
  try {
    await nemesis.rage(durationMs);
    await mend(cluster);
    await clients.more(PROGRESS_OPERATIONS);
    await load.more(PROGRESS_RUNS);
    await Promise.all([clients.stop(), load.stop(), watch.stop()]);
    const registers = await verifyWhole(cluster, clients.history);
    await verifyRuns(cluster, load.acknowledged);
    if (cluster.crashes.length > 0) throw new Error(`processes ended by themselves:\n${cluster.crashes.join("\n")}`);
    return {
      ...options,
      faults: nemesis.counts,
      registers,
      runs: load.acknowledged.length,
      failedStarts: load.failures,
      leaderChanges: watch.changes,
      gaps: { registers: clients.gaps.longest, runs: load.gaps.longest },
      story: nemesis.story,
    };
  } catch (error) {
    files = "keep";
    const minutes = durationMs / 60_000;
    const command = `npm run chaos -- --minutes ${minutes} --nodes ${nodes} --seed ${seed}`;
    const story = nemesis.story.map(formatDeed).join("\n");
    const reason = error instanceof Error ? error.message : String(error);
    throw new KillLoopError(`seed ${seed}: ${reason}\nTo repeat: ${command}\nWhat was done:\n${story}`, {
      cause: error,
    });
  } finally {
    await Promise.allSettled([clients.stop(), load.stop(), watch.stop()]);
    const folder = await cluster.end(files);
    if (files === "keep") console.error(`Logs and data of all nodes are in ${folder}`);
  }
}

/** Everything up, going, connected, and with right clocks from now on: a clock that ran wrong is not set right, it only keeps time. */
async function mend(cluster: TestCluster): Promise<void> {
  cluster.network.heal();
  for (const nodeId of cluster.nodeIds) {
    const node = cluster.process(nodeId);
    node.resume();
    if (!node.isRunning) await cluster.startNode(nodeId);
    else await cluster.shiftClock(nodeId, { rate: 1 });
  }
}
