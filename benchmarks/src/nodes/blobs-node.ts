/** One of three processes of a Raftoral cluster whose workflows have large values: gRPC and LMDB. */
import { join } from "node:path";
import { RaftoralNode, workflow } from "raftoral";
import { serve } from "../child-process.ts";
import { closedLoop, type Load, type Measured } from "../closed-loop.ts";

/** A text that no other one is equal to: equal values are one blob. */
let made = 0;
const large = workflow("bench_large", { version: 1 }, async (ctx, bytes: number) => {
  await ctx.step("step", () => `${process.pid}-${made++}-`.padEnd(bytes, "large "));
});
const small = workflow("bench_small", { version: 1 }, async (ctx) => {
  await ctx.step("step", () => "small");
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
      workflows: [large, small],
    });
    return node.address;
  },
  async lead(): Promise<void> {
    const { nodeId } = running();
    if ((await running().cluster.waitForLeader()) !== nodeId) await running().cluster.transferLeadership(nodeId);
  },
  async small(load: Load): Promise<Measured> {
    return await closedLoop(load, async () => {
      await (await running().workflows.start(small, undefined)).result();
    });
  },
  async large({ load, bytes }: { readonly load: Load; readonly bytes: number }): Promise<Measured> {
    return await closedLoop(load, async () => {
      await (await running().workflows.start(large, bytes)).result({ timeoutMs: 60_000 });
    });
  },
});
