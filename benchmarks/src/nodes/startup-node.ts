/** A process that fills a node's data folder, or starts a node on a filled one. */
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport } from "@raftoral/transport-grpc";
import { type CommandResult, type WorkflowCommand, WorkflowExecutor } from "@raftoral/workflow";
import { RaftoralNode, workflow } from "raftoral";
import { serve } from "../child-process.ts";

const IDENTITY = { nodeId: 1, clusterId: "startup-1" };
const ADDRESS = "127.0.0.1:1";
/** Proposals at once while filling. */
const IN_FLIGHT = 2_000;
const NOTHING = new Uint8Array(0);

const types = [{ type: "bench", version: 1 }];

export interface Contents {
  readonly folder: string;
  /** Runs that have ended, with results of this size. */
  readonly finishedRuns: number;
  readonly resultBytes: number;
  /** Entries of the log that is kept, each a small step. */
  readonly logEntries: number;
}

export interface Filled {
  readonly logEntries: number;
  readonly folderMb: number;
  readonly tookMs: number;
}

export interface Started {
  /** From the call of `RaftoralNode.start` until it has resolved. */
  readonly startMs: number;
  /** Processor time of that, which a busy machine does not change as much. */
  readonly startCpuMs: number;
  /** From there until a first run has ended. */
  readonly firstRunMs: number;
  readonly logEntries: number;
  /** Memory that is the process's own, without the pages of the data folder that are mapped into it; NaN where Linux does not tell. */
  readonly ownMb: number;
  readonly highestOwnMb: number;
  /** With those pages, which the system takes back when it needs them. */
  readonly rssMb: number;
}

async function* commands({ finishedRuns, resultBytes, logEntries }: Contents): AsyncGenerator<WorkflowCommand> {
  yield { kind: "NodeRegister", nodeId: 1, incarnation: "fill", types, atMs: 1 };
  let epoch = 0;
  const start = (runId: string): WorkflowCommand => {
    epoch += 1;
    return {
      kind: "WorkflowStart",
      runId,
      workflowType: "bench",
      version: 1,
      input: NOTHING,
      owner: 1,
      atMs: 2,
      seed: NOTHING,
    };
  };
  for (let i = 0; i < finishedRuns; i++) {
    const runId = `run-${i}`;
    yield start(runId);
    const result = new Uint8Array(resultBytes).fill(i);
    yield { kind: "WorkflowEnd", runId, outcome: { status: "completed", result }, atMs: 3, owner: 1, epoch };
  }
  const perRun = 100;
  for (let i = 0; i < logEntries; i += perRun) {
    const runId = `steps-${i}`;
    yield start(runId);
    for (let step = 1; step < perRun; step++) {
      const value = new Uint8Array(32).fill(step);
      yield { kind: "Checkpoint", runId, path: `step#${step}`, value, atMs: 4, owner: 1, epoch, recordKind: "step" };
    }
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const { blocks } = await stat(join(folder, name));
    bytes += blocks * 512;
  }
  return bytes;
}

function ownBytes(): number {
  try {
    return Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

let node: RaftoralNode | undefined;

serve({
  async fill(contents: Contents): Promise<Filled> {
    const startedMs = performance.now();
    const environment = await LmdbEnvironment.open({ path: contents.folder, ...IDENTITY });
    await environment.setIdentity(IDENTITY);
    const store = environment.state(1);
    const executor = new WorkflowExecutor({ store });
    const transport = new GrpcClusterTransport<WorkflowExecutor>([{ nodeId: 1, address: ADDRESS }], {
      clusterId: IDENTITY.clusterId,
      incarnation: environment.incarnation,
    });
    await transport.start();
    const cluster = await transport.createCluster(1, {
      executor: () => executor,
      storage: () => environment.group(1),
      limits: { keepEntries: contents.logEntries },
    });
    await cluster.waitForLeader();
    const flying = new Set<Promise<CommandResult>>();
    for await (const command of commands(contents)) {
      const proposed = cluster.propose(command, { timeoutMs: 60_000 });
      flying.add(proposed);
      void proposed.then((result) => {
        if (!result.ok) throw new Error(result.message);
        flying.delete(proposed);
      });
      if (flying.size >= IN_FLIGHT) await Promise.race(flying);
    }
    await Promise.all(flying);
    const { firstIndex, lastIndex } = cluster.status();
    await transport.shutdown();
    await environment.close();
    return {
      logEntries: lastIndex - firstIndex + 1,
      folderMb: Math.round((await folderBytes(contents.folder)) / 1e6),
      tookMs: Math.round(performance.now() - startedMs),
    };
  },
  async start(options: { readonly folder: string; readonly keepEntries: number }): Promise<Started> {
    let highest = 0;
    const watch = setInterval(() => {
      highest = Math.max(highest, ownBytes());
    }, 20);
    const bench = workflow("bench_start", { version: 1 }, async () => "started");
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    node = await RaftoralNode.start({
      listen: "127.0.0.1:0",
      dataDir: options.folder,
      workflows: [bench],
      limits: { keepEntries: options.keepEntries },
      // What was filled is to stay.
      workflowLimits: { retentionMs: 86_400_000_000_000, maxFinishedRuns: 1_000_000_000 },
    });
    const resolvedMs = performance.now();
    const cpu = process.cpuUsage(cpuBefore);
    await (await node.workflows.start(bench, undefined)).result();
    const ranMs = performance.now();
    const { firstIndex, lastIndex } = await node.cluster.status();
    clearInterval(watch);
    const own = ownBytes();
    return {
      startMs: Math.round(resolvedMs - startedMs),
      startCpuMs: Math.round((cpu.user + cpu.system) / 1_000),
      firstRunMs: Math.round(ranMs - resolvedMs),
      logEntries: lastIndex - firstIndex + 1,
      ownMb: Math.round(own / 1e6),
      highestOwnMb: Math.round(Math.max(highest, own) / 1e6),
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    };
  },
});
