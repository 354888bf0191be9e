/** What three whole nodes with workflows do, whichever transport is between them. */
import { expect } from "vitest";
import { TALLY, TALLY_SUM } from "../cluster/load.ts";
import { eventually } from "../harness/index.ts";
import type { NodeTrio } from "./node-trio.ts";

const WAIT_MS = 15_000;

export interface NodeScenario {
  readonly name: string;
  readonly play: (trio: NodeTrio) => Promise<void>;
}

export const NODE_SCENARIOS: readonly NodeScenario[] = [
  {
    name: "execute a run where it was started, and show it alike on every node",
    play: async ({ nodes }) => {
      for (const [i, node] of nodes.entries()) {
        const run = await node.workflows.start("tally", TALLY, { runId: `run-${i}` });
        await expect(run.result()).resolves.toBe(TALLY_SUM);
        const views = await Promise.all(nodes.map((other) => other.workflows.describe(`run-${i}`)));
        expect(views[0]).toMatchObject({ status: "completed", owner: node.nodeId, takeovers: 0 });
        for (const view of views) expect(view).toEqual(views[0]);
      }
    },
  },
  {
    name: "start a run once, however many nodes are asked to",
    play: async ({ nodes }) => {
      const handles = await Promise.all(nodes.map((node) => node.workflows.start("tally", TALLY, { runId: "once" })));
      expect(handles.filter((handle) => handle.created)).toHaveLength(1);
      expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(nodes.map(() => TALLY_SUM));
      const { runs } = (await nodes[0]?.workflows.listPage({ workflowType: "tally" })) ?? { runs: [] };
      expect(runs).toHaveLength(1);
    },
  },
  {
    name: "hand runs over when their owner stops in order, and finish them",
    play: async (trio) => {
      const [leaving, staying] = trio.nodes;
      await leaving?.workflows.start("hold", { firstMs: 30_000, laterMs: 10, blocks: false }, { runId: "handed-over" });
      await eventually(WAIT_MS, "the step to begin", () => trio.workLog.executions().length === 1);
      await leaving?.stop({ timeoutMs: 2_000 });
      await expect(staying?.workflows.run("handed-over").result()).resolves.not.toBe(leaving?.nodeId);
      expect(await staying?.workflows.describe("handed-over")).toMatchObject({
        status: "completed",
        takeovers: 1,
        recordCount: 1,
      });
    },
  },
  {
    name: "refuse a workflow that no node has registered, and say what there is",
    play: async ({ nodes }) => {
      await expect(nodes[1]?.workflows.start("no_such_type", {})).rejects.toMatchObject({
        code: "WORKFLOW_TYPE_UNKNOWN",
      });
      await expect(nodes[1]?.workflows.start("no_such_type", {})).rejects.toThrow("tally@1");
    },
  },
];
