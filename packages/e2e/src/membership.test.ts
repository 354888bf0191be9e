// @module-tag slow

import { describe, expect, test } from "vitest";
import { Load, TALLY, TALLY_SUM } from "./cluster/load.ts";
import { useCluster } from "./cluster/use-cluster.ts";
import { verifyRuns } from "./cluster/verify.ts";
import { eventually, within } from "./harness/index.ts";

const TEST_MS = 60_000;
const CHANGE_MS = 20_000;

describe("under load", () => {
  const cluster = useCluster(3);

  test(
    "a node is added and works, and others are removed, the leader among them; nothing acknowledged is lost",
    async () => {
      const load = new Load(cluster(), "members");
      try {
        await load.more(20);

        const added = await cluster().join();
        expect(added).toBe(4);
        expect((await cluster().status(added)).members).toMatchObject(
          [1, 2, 3, 4].map((nodeId) => ({ nodeId, voter: true })),
        );
        const client = await cluster().client(added);
        const run = await client.workflows.start("tally", TALLY, { runId: "on-the-new-node" });
        await expect(run.result({ timeoutMs: CHANGE_MS })).resolves.toBe(TALLY_SUM);
        expect(await run.describe()).toMatchObject({ owner: added, takeovers: 0 });
        await load.more(10);

        const leader = await cluster().leader();
        const follower = [1, 2, 3].find((nodeId) => nodeId !== leader) ?? 0;
        for (const removed of [follower, leader]) {
          await client.cluster.removeNode(removed, { timeoutMs: CHANGE_MS });
          const exit = within(CHANGE_MS, `the process of node ${removed} to end`, cluster().process(removed).exited);
          await expect(exit).resolves.toBeDefined();
          await eventually(CHANGE_MS, `the cluster to be without node ${removed}`, async () =>
            (await cluster().status(added)).members.every((member) => member.nodeId !== removed),
          );
          await load.more(10);
        }
        const remaining = [1, 2, 3, 4].filter((nodeId) => nodeId !== follower && nodeId !== leader);
        await load.stop();
        await verifyRuns(cluster(), [...load.acknowledged, "on-the-new-node"], remaining);

        // It finds its folder, takes itself for a member, and is told otherwise.
        await cluster().startNode(follower);
        await within(CHANGE_MS, "the removed node to end", cluster().process(follower).exited);
        expect(cluster().process(follower).logTail()).toContain(`Node ${follower} was removed from the cluster`);
      } finally {
        await load.stop();
      }
    },
    TEST_MS,
  );
});
