/**
 * A node with the tests' workflows, in a process of its own, with registers beside them if it is told so. Started by
 * TestCluster, which may lead its connections through a proxy and set its clock wrong.
 */
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { type NodeSettings, RaftoralNode } from "raftoral";
import { type HostedNode, hostNode, type Routes, routeConnections, stdoutLogger, WorkLog } from "../harness/index.ts";
import type { RegisterQuestion } from "../registers/register-command.ts";
import { RegisterGroup, type RegisterSettings } from "../registers/register-group.ts";
import { type ClockShift, ShiftedClock } from "./shifted-clock.ts";
import { testWorkflows } from "./workflows.ts";

export interface WorkflowNodeSettings {
  readonly node: NodeSettings & { readonly dataDir: string };
  readonly workLogFile: string;
  readonly routes?: Routes;
  readonly registers?: RegisterSettings;
  /** Kills itself, as kill -9 does, so long after its program began. */
  readonly diesAfterMs?: number;
}

/** What the process answers. */
export type NodeQuestion = RegisterQuestion | ({ readonly about: "clock" } & ClockShift);

await hostNode<WorkflowNodeSettings, never>(async ({ node, workLogFile, routes = {}, registers, diesAfterMs }) => {
  if (diesAfterMs !== undefined) setTimeout(() => process.kill(process.pid, "SIGKILL"), diesAfterMs);
  routeConnections(routes);
  const logger = stdoutLogger();
  const clock = new ShiftedClock();
  const { dataDir, ...settings } = node;
  const storage = await LmdbEnvironment.open({ path: dataDir, logger });
  const group = registers && (await RegisterGroup.start(registers, storage, clock, logger));
  const workflows = testWorkflows(new WorkLog(workLogFile));
  const started = await RaftoralNode.start({ ...settings, storage, clock, workflows, logger });
  const { nodeId, address, failed, left } = started;
  return {
    nodeId,
    address,
    failed,
    left,
    stop: async () => {
      await group?.stop();
      await started.stop();
    },
    answer: async (asked) => {
      const question = asked as NodeQuestion;
      if (question.about === "clock") return clock.shift(question);
      if (group === undefined) throw new Error("this node has no registers");
      return await group.answer(question);
    },
  } satisfies HostedNode;
});
