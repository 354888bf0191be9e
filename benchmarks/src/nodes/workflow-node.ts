/** One of three processes of a Raftoral cluster, as a service that embeds it would be: gRPC, LMDB, workflows of empty steps, and of tokens. */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { RaftoralClient, RaftoralNode, stream, workflow } from "raftoral";
import { serve } from "../child-process.ts";
import { closedLoop, type Load, type Measured } from "../closed-loop.ts";
import { percentile, rounded } from "../statistics.ts";

const STARTS_IN_FLIGHT = 512;

/** Steps one after the other, each of which records a small result. What a step does is not what is measured. */
const steps = workflow("bench_steps", { version: 1 }, async (ctx, input: { readonly steps: number }) => {
  for (let i = 0; i < input.steps; i++) await ctx.step("step", () => ({ done: i }));
  return input.steps;
});

/** Records a step every `periodMs` until it is cancelled: its silence is the failover. */
const pulse = workflow("bench_pulse", { version: 1 }, async (ctx, input: { readonly periodMs: number }) => {
  for (;;) {
    await ctx.step("beat", () => new Promise((resolve) => setTimeout(resolve, input.periodMs, true)));
  }
});

/** Waits for ever: what a takeover of many runs has to move. */
const waiting = workflow("bench_waiting", { version: 1 }, async (ctx) => {
  await ctx.waitFor("go");
});

/** A chunk as a token is: some text, and when it was written. */
interface Token {
  readonly writtenAtMs: number;
  readonly text: string;
}

const tokens = stream<Token>("tokens");
/** A writer writes so often. */
const WRITE_EVERY_MS = 10;

/** Writes tokens at a fixed rate for a while. */
const talking = workflow("bench_talking", { version: 1 }, async (ctx, input: Talk) => {
  const out = ctx.stream(tokens);
  await ctx.step("talk", async () => {
    const beginMs = performance.now();
    for (let written = 0; ; ) {
      const elapsedMs = performance.now() - beginMs;
      if (elapsedMs >= input.durationMs) return;
      const due = Math.floor((elapsedMs * input.chunksPerSecond) / 1_000);
      for (; written < due; written++) await out.write({ writtenAtMs: wallMs(), text: `token number ${written}` });
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS));
    }
  });
  await out.end();
});

/** How long, and how much, a run talks. */
interface Talk {
  readonly chunksPerSecond: number;
  readonly durationMs: number;
}

/** What a follower of streams saw. */
export interface Followed {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The machine's time, finer than a millisecond: the same for all processes. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** What a survivor saw of a takeover. Times are wall times in ms. */
export interface SeenTakeover {
  readonly lostAtMs: number;
  readonly movedAtMs: number;
  readonly begunAtMs: number;
  /** Bodies that began here. */
  readonly begun: number;
  /** Nodes that were taken for lost. */
  readonly lost: readonly number[];
  readonly longestDelayMs: number;
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
      workflows: [steps, pulse, waiting, talking],
    });
    return node.address;
  },
  nodeId: () => running().nodeId,
  async lead(): Promise<void> {
    const { nodeId } = running();
    if ((await running().cluster.waitForLeader()) !== nodeId) await running().cluster.transferLeadership(nodeId);
  },
  async load(options: { readonly load: Load; readonly steps: number }): Promise<Measured> {
    return await closedLoop(options.load, async () => {
      const run = await running().workflows.start(steps, { steps: options.steps });
      await run.result();
    });
  },
  /** Starts runs that talk, owned by this node. */
  async talk({ runIds, ...talk }: Talk & { readonly runIds: readonly string[] }): Promise<void> {
    await Promise.all(runIds.map((runId) => running().workflows.start(talking, talk, { runId })));
  },
  /** Reads the streams of runs to their ends; what came in the warm-up does not count. */
  async follow(options: {
    readonly runIds: readonly string[];
    readonly warmUpMs: number;
    readonly isClient: boolean;
  }): Promise<Followed> {
    const client = options.isClient ? await RaftoralClient.connect(running().address) : undefined;
    const { workflows } = client ?? running();
    const delaysMs: number[] = [];
    let [beginMs, endMs] = [Number.POSITIVE_INFINITY, 0];
    const warmMs = wallMs() + options.warmUpMs;
    await Promise.all(
      options.runIds.map(async (runId) => {
        for await (const { value } of workflows.stream(runId, tokens)) {
          if (value.writtenAtMs < warmMs) continue;
          endMs = wallMs();
          beginMs = Math.min(beginMs, endMs);
          delaysMs.push(endMs - value.writtenAtMs);
        }
      }),
    );
    client?.close();
    return {
      perSecond: rounded(delaysMs.length / ((endMs - beginMs) / 1_000), 0),
      p50Ms: rounded(percentile(delaysMs, 0.5)),
      p99Ms: rounded(percentile(delaysMs, 0.99)),
    };
  },
  async startPulse(id: string): Promise<void> {
    await running().workflows.start(pulse, { periodMs: 5 }, { runId: id });
  },
  /** Starts as many runs that wait, owned by this node. */
  async startWaiting(count: number): Promise<void> {
    let started = 0;
    const start = async (): Promise<void> => {
      while (started < count) await running().workflows.start(waiting, undefined, { runId: `waits-${started++}` });
    };
    await Promise.all(Array.from({ length: STARTS_IN_FLIGHT }, start));
  },
  /** Runs that are this node's. */
  owned: async () => (await running().cluster.status()).ownedRuns,
  /**
   * Resolves once `count` runs have another owner, and a body here for each of those that are this node's. A run may be moved twice, when a survivor is taken
   * for lost meanwhile.
   */
  takeover(count: number): Promise<SeenTakeover> {
    const { promise, resolve } = Promise.withResolvers<SeenTakeover>();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const { nodeId } = running();
    const lost: number[] = [];
    const moved = new Set<string>();
    const withoutBody = new Set<string>();
    let [begun, lostAtMs, movedAtMs] = [0, 0, 0];
    const stop = running().on((event) => {
      if (event.type === "node-changed" && event.status === "lost") {
        lost.push(event.nodeId);
        lostAtMs ||= Date.now();
      } else if (event.type === "owner-changed") {
        moved.add(event.runId);
        if (event.to === nodeId) withoutBody.add(event.runId);
        else withoutBody.delete(event.runId);
        if (moved.size === count) movedAtMs ||= Date.now();
      } else if (event.type === "body-started") {
        begun += 1;
        withoutBody.delete(event.runId);
      }
      if (moved.size < count || withoutBody.size > 0) return;
      stop();
      delay.disable();
      const longestDelayMs = delay.max / 1e6;
      resolve({ lostAtMs, movedAtMs, begunAtMs: Date.now(), begun, lost, longestDelayMs });
    });
    return promise;
  },
  cancel: (id: string) => running().workflows.cancel(id),
  /** Resolves with the wall time, in milliseconds, of the first step of `run` that another node than `dead` recorded. */
  continued(options: { readonly run: string; readonly dead: number }): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const stop = running().on((event) => {
      if (event.type !== "record-committed" || event.runId !== options.run || event.owner === options.dead) return;
      stop();
      resolve(Date.now());
    });
    return promise;
  },
});
