// @module-tag slow

/** A disk that fills up under one of three nodes. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "../cluster/load.ts";
import { TestCluster } from "../cluster/test-cluster.ts";
import { verifyRuns } from "../cluster/verify.ts";
import { within } from "../harness/index.ts";
import { SmallDisk, smallDiskProblem } from "./small-disk.ts";

const DISK_MEGABYTES = 48;
const START_MS = 60_000;
const TEST_MS = 90_000;
const STOP_MS = 60_000;
/** Together more than what is free within the files that the node has already. */
const HEAVY_RUNS = 40;
const HEAVY_BYTES = 256 * 1024;
/** The node with the small disk. */
const VICTIM = 3;

const problem = smallDiskProblem();
if (problem !== undefined) console.log(`Not tested: a full disk under a real process; ${problem}.`);

describe.skipIf(problem !== undefined)("a node whose disk fills up", () => {
  let disk: SmallDisk;
  let cluster: TestCluster;

  beforeAll(async () => {
    disk = new SmallDisk(DISK_MEGABYTES);
    cluster = await TestCluster.start(3, { dataDirs: new Map([[VICTIM, join(disk.folder, "data")]]) });
  }, START_MS);
  afterAll(async () => {
    await cluster?.end();
    disk?.remove();
  });

  /** A run that takes room in every log. */
  async function startHeavy(id: string): Promise<void> {
    const input = { steps: 0, stepMs: 0, ballast: "x".repeat(HEAVY_BYTES) };
    await (await cluster.client(1)).workflows.start("tally", input, { runId: id });
  }

  test(
    "stops and says why, is not missed, and has lost nothing when there is room again",
    async () => {
      const load = new Load(cluster, "full");
      try {
        await load.more(20);
        disk.fill();
        await Promise.all(Array.from({ length: HEAVY_RUNS }, (_, i) => startHeavy(`heavy-${i}`)));
        const { code, signal } = await within(STOP_MS, "the node to stop", cluster.process(VICTIM).exited);
        expect({ code, signal }).toEqual({ code: 1, signal: null });
        expect(cluster.process(VICTIM).logTail()).toMatch(/STORAGE_FULL|[Nn]o space/);
        await load.more(20);
        disk.free();
        await cluster.startNode(VICTIM);
        await load.more(20);
        await cluster.caughtUp(VICTIM);
      } finally {
        await load.stop();
      }
      await verifyRuns(cluster, load.acknowledged);
    },
    TEST_MS,
  );
});
