// @module-tag slow

import { describe, expect, test } from "vitest";
import { Load } from "./cluster/load.ts";
import { useCluster } from "./cluster/use-cluster.ts";
import { verifyRuns } from "./cluster/verify.ts";
import { endedCopyOf, eventually } from "./harness/index.ts";

const TEST_MS = 90_000;
const WAIT_MS = 15_000;

describe("a node that is stopped with SIGTERM", () => {
  const cluster = useCluster(3);

  test(
    "lets its step finish, hands its runs over and ends with exit code 0; another goes on, and nothing runs twice",
    async () => {
      const owner = await cluster().leader();
      const other = cluster().nodeIds.find((nodeId) => nodeId !== owner) ?? 0;
      const input = { steps: 3, stepMs: 700 };
      await (await cluster().client(owner)).workflows.start("tally", input, { runId: "handed-over" });
      await eventually(WAIT_MS, "its first step to begin", () => cluster().workLog.executions().length === 1);
      expect(await cluster().process(owner).stop()).toEqual({ code: 0, signal: null });

      const run = await endedCopyOf((await cluster().client(other)).workflows, "handed-over", WAIT_MS);
      expect(run).toMatchObject({ status: "completed", result: 6, takeovers: 1 });
      expect(run.owner).not.toBe(owner);
      const executions = cluster().workLog.executions();
      expect(executions.map(({ step, ended }) => ({ step, ended }))).toEqual(
        [1, 2, 3].map((n) => ({ step: `step-${n}`, ended: true })),
      );
      expect(executions[0]?.node).toBe(owner);
      await cluster().startNode(owner);
    },
    TEST_MS,
  );

  test(
    "is missed by no client: all nodes are restarted in turn under load, and nothing acknowledged is lost",
    async () => {
      const load = new Load(cluster(), "rolling");
      try {
        for (const nodeId of cluster().nodeIds) {
          await load.more(20);
          expect(await cluster().process(nodeId).stop()).toEqual({ code: 0, signal: null });
          await load.more(20);
          await cluster().startNode(nodeId);
          await cluster().caughtUp(nodeId);
        }
      } finally {
        await load.stop();
      }
      await verifyRuns(cluster(), load.acknowledged);
    },
    TEST_MS,
  );
});
