/** A node with the tests' workflows, in a process of its own. Started by TestCluster. */
import { type NodeSettings, RaftoralNode } from "raftoral";
import { hostNode, stdoutLogger, WorkLog } from "../harness/index.ts";
import { testWorkflows } from "./workflows.ts";

export interface WorkflowNodeSettings {
  readonly node: NodeSettings;
  readonly workLogFile: string;
}

await hostNode<WorkflowNodeSettings, never>(({ node, workLogFile }) =>
  RaftoralNode.start({ ...node, workflows: testWorkflows(new WorkLog(workLogFile)), logger: stdoutLogger() }),
);
