/** One of three processes of a Raftoral cluster, as a service that embeds it would be: gRPC, LMDB, workflows of empty steps. */
import { join } from "node:path";
import { RaftoralNode, workflow } from "raftoral";
import { serve } from "./child-process.ts";
import { closedLoop, type Load, type Measured } from "./closed-loop.ts";

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
      workflows: [steps, pulse],
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
  async startPulse(id: string): Promise<void> {
    await running().workflows.start(pulse, { periodMs: 5 }, { runId: id });
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
