// A stranger's project: a cluster of one node, a workflow of two steps, and the layers that a program can take alone.

import { DEFAULT_TIMING } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport } from "@raftoral/transport-grpc";
import { InMemoryClusterTransport } from "@raftoral/transport-memory";
import { WorkflowExecutor } from "@raftoral/workflow";
import { RaftoralNode, workflow } from "raftoral";

for (const layer of [LmdbEnvironment, GrpcClusterTransport, InMemoryClusterTransport, WorkflowExecutor]) {
  if (typeof layer !== "function") throw new Error("a layer is missing");
}
if (DEFAULT_TIMING.tickMs <= 0) throw new Error("raft-core has no timing");

const double = workflow("double", { version: 1 }, async (ctx, value: number) => {
  const first = await ctx.step("first", () => value);
  const second = await ctx.step("second", () => value);
  return first + second;
});

const node = await RaftoralNode.start({
  listen: "127.0.0.1:0",
  dataDir: "data",
  bootstrap: true,
  workflows: [double],
});
const run = await node.workflows.start(double, 21, { runId: "the-answer" });
const result: number = await run.result();
await node.stop();
if (result !== 42) throw new Error(`the workflow said ${result}`);
