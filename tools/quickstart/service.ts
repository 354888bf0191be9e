// One of the three services: a program that embeds a Raftoral node. This is all it takes; the rest of it would be yours.

import { hostNode, stdoutLogger, WorkLog } from "@raftoral/e2e/harness";
import { type NodeEvent, RaftoralNode } from "raftoral";
import { processOrder } from "./order-workflow.ts";

export interface ServiceSettings {
  readonly nodeId: number;
  /** Where every service listens, this one included. */
  readonly members: readonly { readonly nodeId: number; readonly address: string }[];
  readonly dataDir: string;
  readonly workLogFile: string;
}

await hostNode<ServiceSettings, NodeEvent>(async ({ nodeId, members, dataDir, workLogFile }, tell) => {
  const node = await RaftoralNode.start({
    listen: members.find((member) => member.nodeId === nodeId)?.address ?? "",
    dataDir,
    members,
    nodeId,
    workflows: [processOrder(new WorkLog(workLogFile), nodeId)],
    logger: stdoutLogger(),
  });
  // What the node sees is what the quickstart shows.
  node.on(tell);
  return node;
});
