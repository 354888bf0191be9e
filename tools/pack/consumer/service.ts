// A stranger's service that is bundled: a node in memory runs a workflow. No `await` outside of a function: a bundle may be CommonJS.

import { RaftoralNode, workflow } from "raftoral";

const double = workflow("double", { version: 1 }, async (ctx, value: number) => {
  return (await ctx.step("value", () => value)) * 2;
});

async function main(): Promise<void> {
  const node = await RaftoralNode.start({ listen: "127.0.0.1:0", bootstrap: true, workflows: [double] });
  const run = await node.workflows.start(double, 21, { runId: "the-answer" });
  const result: number = await run.result();
  await node.stop();
  if (result !== 42) throw new Error(`the workflow said ${result}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
