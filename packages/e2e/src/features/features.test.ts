// @module-tag slow

// Every feature of workflows on real processes: a run of each is in its middle on one node, which is killed (feature.ts). One cluster, one kill.
import { RaftoralClient } from "raftoral";
import { beforeAll, describe, expect, test } from "vitest";
import { useCluster } from "../cluster/use-cluster.ts";
import type { AfterKill, BeforeKill, Feature } from "./feature.ts";
import { FEATURES } from "./table.ts";

const KILLED = 1;
const TEST_MS = 60_000;

describe("a run whose owner is killed in the middle", () => {
  const cluster = useCluster(3);
  /** By feature: what is left to do, or why it did not get to its middle. */
  const endings = new Map<Feature, PromiseSettledResult<(after: AfterKill) => Promise<void>>>();
  let after: AfterKill;

  beforeAll(async () => {
    const addresses = cluster().nodeIds.map((nodeId) => cluster().address(nodeId));
    const others = cluster().nodeIds.filter((nodeId) => nodeId !== KILLED);
    const clients = await Promise.all(others.map((nodeId) => cluster().client(nodeId)));
    const before: BeforeKill = {
      workflows: (await cluster().client(KILLED)).workflows,
      connect: () => RaftoralClient.connect(addresses, { tls: false }),
      others: clients.map(({ workflows }) => workflows),
    };
    for (const isTimed of [false, true]) {
      const begun = FEATURES.filter((feature) => feature.isTimed === isTimed);
      const settled = await Promise.allSettled(begun.map((feature) => feature.begin(before)));
      for (const [at, feature] of begun.entries()) endings.set(feature, settled[at] ?? never());
    }
    await cluster().kill(KILLED);
    let restarted: Promise<void> | undefined;
    after = {
      workflows: clients[0]?.workflows ?? never(),
      killed: KILLED,
      restart: () => {
        restarted ??= cluster().startNode(KILLED);
        return restarted;
      },
    };
  }, TEST_MS);

  test.each(FEATURES)(
    "$title",
    async (feature) => {
      const ending = endings.get(feature) ?? never();
      if (ending.status === "rejected") throw ending.reason;
      await ending.value(after);
    },
    TEST_MS,
  );

  test("is under way on no node in the end, and no process ended by itself", async () => {
    const running = await Array.fromAsync(after.workflows.list({ status: "running" }));
    expect(running.map(({ runId }) => runId)).toEqual([]);
    expect(cluster().crashes).toEqual([]);
  });
});

function never(): never {
  throw new Error("a feature or a node of the cluster is missing");
}
