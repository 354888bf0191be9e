/** One of three processes of a Raftoral cluster with payload codecs: gRPC, LMDB, and workflows whose steps give values of a size. */
import { join } from "node:path";
import { type PayloadCodecs, RaftoralNode, workflow } from "raftoral";
import { compression, encryption } from "raftoral/codecs";
import { serve } from "../child-process.ts";
import { closedLoop, type Load, type Measured } from "../closed-loop.ts";

const encrypting = encryption({ keys: { k1: new Uint8Array(32).fill(1) }, activeKeyId: "k1" });
const CODECS: Readonly<Record<string, PayloadCodecs>> = {
  plain: [],
  encrypted: encrypting,
  "compressed-and-encrypted": [compression(), encrypting],
};

interface Input {
  readonly steps: number;
  readonly text: string;
}

const values = workflow("bench_values", { version: 1 }, async (ctx, { steps, text }: Input) => {
  for (let i = 0; i < steps; i++) await ctx.step("step", () => text);
  return text.length;
});

let node: RaftoralNode | undefined;

function running(): RaftoralNode {
  if (node === undefined) throw new Error("call start first");
  return node;
}

interface Settings {
  readonly folder: string;
  readonly name: string;
  readonly join?: string;
  readonly codec: string;
}

serve({
  async start(options: Settings): Promise<string> {
    node = await RaftoralNode.start({
      listen: "127.0.0.1:0",
      dataDir: join(options.folder, options.name),
      ...(options.join === undefined ? { bootstrap: true } : { join: options.join }),
      workflows: [values],
      payloadCodec: CODECS[options.codec] ?? [],
    });
    return node.address;
  },
  async lead(): Promise<void> {
    const { nodeId } = running();
    if ((await running().cluster.waitForLeader()) !== nodeId) await running().cluster.transferLeadership(nodeId);
  },
  async load(options: { readonly load: Load; readonly steps: number; readonly valueBytes: number }): Promise<Measured> {
    const text = "some text of a value ".repeat(Math.ceil(options.valueBytes / 21)).slice(0, options.valueBytes);
    return await closedLoop(options.load, async () => {
      const run = await running().workflows.start(values, { steps: options.steps, text });
      await run.result();
    });
  },
});
