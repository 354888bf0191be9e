// @module-tag slow

// Values of some MiB on real processes: owners and the leader are killed where a value is in one place only, and afterwards every node has every value.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TestCluster } from "./cluster/test-cluster.ts";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { type BulkyInput, grown } from "./programs/bulky.ts";

const TEST_MS = 60_000;
const WAIT_MS = 30_000;

interface Grown {
  /** The fencing token of the ownership under which the step ran. */
  readonly by: number;
  readonly text: string;
}

/** Two MiB that no other run has. */
function textOf(name: string): string {
  return Array.from({ length: 2 * 16 * 1024 }, (_, line) => `${name} ${line} `.padEnd(64, "~")).join("");
}

function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Hashes of a node's whole blobs by name, each with whether its bytes are those of its name. */
function blobsOf(cluster: TestCluster, nodeId: number): ReadonlyMap<string, boolean> {
  const folder = join(cluster.dataDir(nodeId), "blobs");
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^..\/[0-9a-f]{64}$/.test(name),
  );
  return new Map(files.map((name) => [name.slice(3), sha256(readFileSync(join(folder, name))) === name.slice(3)]));
}

describe("values of some MiB", () => {
  const cluster = useCluster(3);

  /** Starts a run on a follower, which owns it then. */
  async function started(runId: string, input: (owner: number) => BulkyInput): Promise<number> {
    const leader = await cluster().leader();
    const [owner = 0] = cluster().nodeIds.filter((nodeId) => nodeId !== leader);
    const { workflows } = await cluster().client(owner);
    await workflows.start("bulky", input(owner), { runId });
    return owner;
  }

  test(
    "survive their owner and the leader, and are on every node in the end",
    async () => {
      const texts = { acknowledged: textOf("acknowledged"), kept: textOf("kept") };
      // Right after the start was acknowledged.
      const first = await started("acknowledged", () => ({ text: texts.acknowledged }));
      await cluster().kill(first);
      // Its value of the step comes to be while it is down; those who would go on to push it end, too.
      const others = cluster().nodeIds.filter((nodeId) => nodeId !== first);
      const client = await cluster().client(others[0] ?? 0);
      await client.workflows.run("acknowledged").result({ timeoutMs: WAIT_MS });
      await cluster().kill(...others);
      await Promise.all(cluster().nodeIds.map((nodeId) => cluster().startNode(nodeId)));
      await cluster().caughtUp(first);
      // While the step's value is being kept, before its record; then the leader.
      const second = await started("kept", (owner) => ({
        text: texts.kept,
        diesAtPartIn: join(cluster().dataDir(owner), "blobs", "parts"),
      }));
      expect((await cluster().process(second).exited).signal).toBe("SIGKILL");
      const leader = await cluster().leader();
      await cluster().kill(leader);
      await Promise.all([second, leader].map((nodeId) => cluster().startNode(nodeId)));

      // Asked of one node; the others bring what they lack without being asked for it.
      const { workflows } = await cluster().client(leader);
      const results = new Map<string, string>();
      const wanted = new Set<string>();
      for (const [runId, text] of Object.entries(texts)) {
        const result = (await workflows.run(runId).result({ timeoutMs: WAIT_MS })) as Grown;
        expect(sha256(result.text)).toBe(sha256(grown(text)));
        results.set(runId, sha256(JSON.stringify(result)));
        wanted.add(sha256(JSON.stringify(result)));
        wanted.add(sha256(JSON.stringify((await workflows.input(runId)).value())));
      }
      // The first body of this run had a value, and died before its record.
      expect((await workflows.describe("kept")).takeovers).toBeGreaterThan(0);
      expect(wanted.size).toBe(4);
      for (const nodeId of cluster().nodeIds.filter((id) => id !== leader)) {
        const blobs = await eventually(WAIT_MS, `every value on node ${nodeId}`, async () => {
          const found = blobsOf(cluster(), nodeId);
          return [...wanted].every((hash) => found.has(hash)) && found;
        });
        expect([...blobs.values()].every((isWhole) => isWhole)).toBe(true);
      }
      for (const nodeId of cluster().nodeIds) {
        const asked = (await cluster().client(nodeId)).workflows;
        for (const [runId, hash] of results)
          expect(sha256(JSON.stringify(await asked.run(runId).result({ timeoutMs: WAIT_MS })))).toBe(hash);
      }
    },
    TEST_MS,
  );
});
