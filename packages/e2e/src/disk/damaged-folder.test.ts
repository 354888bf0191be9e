// @module-tag slow

/** A byte of a node's data folder is not what was written: what the node says, and what docs/operations.md says to do then. */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Load } from "../cluster/load.ts";
import { useCluster } from "../cluster/use-cluster.ts";
import { verifyRuns } from "../cluster/verify.ts";
import { eventually } from "../harness/index.ts";
import { flipByte } from "./flip-byte.ts";

const WAIT_MS = 20_000;
const TEST_MS = 90_000;

describe("a node whose folder is damaged", () => {
  const cluster = useCluster(3);

  test(
    "refuses to start and names what to do; done so, its place is taken under load and nothing is missing",
    async () => {
      const load = new Load(cluster(), "damaged");
      try {
        await load.more(20);
        const [damaged = ""] = load.acknowledged;
        await cluster().caughtUp(3);
        await load.more(5);
        await cluster().kill(3);
        expect(flipByte(cluster().dataDir(3), damaged)).toBeGreaterThan(0);
        const refusal = await cluster()
          .startNode(3)
          .then(
            () => "it started",
            (error: Error) => error.message,
          );
        expect(refusal).toContain("STORAGE_CORRUPT");
        expect(refusal).toMatch(/remove .*node/i);

        // As docs/operations.md says: the old id out, the folder away, and an empty one in its place, at the same address.
        const tooEarly = await cluster()
          .join(cluster().address(3))
          .catch((error: Error) => error.message);
        expect(tooEarly).toContain("raftoral leave --id 3");
        await (await cluster().client(1)).cluster.removeNode(3);
        rmSync(cluster().dataDir(3), { recursive: true });
        const replacement = await cluster().join(cluster().address(3));
        expect(replacement).toBeGreaterThan(3);
        await eventually(WAIT_MS, "the members to be the right ones", async () => {
          const members = (await cluster().status(replacement)).members.map(({ nodeId }) => nodeId);
          return JSON.stringify(members.toSorted((a, b) => a - b)) === JSON.stringify([1, 2, replacement]);
        });
        await load.more(20);
        await cluster().caughtUp(replacement);
        await load.stop();
        await verifyRuns(cluster(), load.acknowledged, [1, 2, replacement]);
      } finally {
        await load.stop();
      }
    },
    TEST_MS,
  );
});
