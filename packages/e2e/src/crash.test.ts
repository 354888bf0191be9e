// @module-tag slow

import { describe, expect, test } from "vitest";
import { Load } from "./cluster/load.ts";
import { useCluster } from "./cluster/use-cluster.ts";
import { verifyRuns } from "./cluster/verify.ts";

const TEST_MS = 60_000;

describe("a cluster under load loses nothing that it acknowledged", () => {
  const cluster = useCluster(3);

  /** Kills in the middle of the load, restarts while it goes on, and looks at everything that was acknowledged. */
  async function survives(name: string, kill: () => Promise<readonly number[]>, betweenKillAndRestart: number) {
    const load = new Load(cluster(), name);
    try {
      await load.more(20);
      const killed = await kill();
      await load.more(betweenKillAndRestart);
      await Promise.all(killed.map((nodeId) => cluster().startNode(nodeId)));
      await load.more(20);
      for (const nodeId of killed) await cluster().caughtUp(nodeId);
    } finally {
      await load.stop();
    }
    await verifyRuns(cluster(), load.acknowledged);
  }

  async function kill(...nodeIds: readonly number[]): Promise<readonly number[]> {
    await cluster().kill(...nodeIds);
    return nodeIds;
  }

  test(
    "when its leader is killed and restarted",
    () => survives("leader", async () => kill(await cluster().leader()), 20),
    TEST_MS,
  );

  test(
    "when a follower is killed and restarted",
    () =>
      survives(
        "follower",
        async () => {
          const leader = await cluster().leader();
          return kill(
            ...cluster()
              .nodeIds.filter((nodeId) => nodeId !== leader)
              .slice(0, 1),
          );
        },
        20,
      ),
    TEST_MS,
  );

  test(
    "when the owner of unfinished runs is killed",
    async () => {
      const leader = await cluster().leader();
      const [owner = 0] = cluster().nodeIds.filter((nodeId) => nodeId !== leader);
      const ids = Array.from({ length: 10 }, (_, i) => `owned-${i}`);
      await survives(
        "owner",
        async () => {
          const client = await cluster().client(owner);
          for (const id of ids) await client.workflows.start("tally", { steps: 3, stepMs: 40 }, { runId: id });
          return kill(owner);
        },
        10,
      );
      await verifyRuns(cluster(), ids);
      const runs = await Promise.all(ids.map(async (id) => (await cluster().client(leader)).workflows.describe(id)));
      expect(runs.some((run) => run.takeovers > 0)).toBe(true);
    },
    TEST_MS,
  );

  test(
    "when all of its nodes are killed at once and restarted",
    () => survives("all", () => kill(...cluster().nodeIds), 0),
    TEST_MS,
  );
});
