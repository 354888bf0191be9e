// @module-tag slow

// A workflow that ends its process, on real processes that a supervisor starts again.
import { afterEach, describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";

const TEST_MS = 120_000;
const STUCK_MS = 90_000;
const INNOCENT = 50;
/** Losses with which a run is stuck. */
const LOSSES = 5;

describe("a workflow that calls process.abort()", () => {
  const cluster = useCluster(3);
  let isOver = false;
  afterEach(() => {
    isOver = true;
  });

  /** Starts the node's process whenever it has aborted, as a supervisor does. Counts how often it had to. */
  async function supervise(nodeId: number, aborted: () => void): Promise<void> {
    while (!isOver) {
      const { signal } = await cluster().process(nodeId).exited;
      if (isOver || signal !== "SIGABRT") return;
      aborted();
      for (let isUp = false; !isUp; ) {
        try {
          await cluster().startNode(nodeId);
          isUp = true;
        } catch (error) {
          // The run came back to it before it was ready.
          if (!String(error).includes("SIGABRT")) throw error;
          aborted();
        }
      }
    }
  }

  test(
    "ends five processes and is stuck, and the fifty runs beside it complete",
    async () => {
      let aborts = 0;
      const aborted = (): void => {
        aborts += 1;
      };
      for (const nodeId of cluster().nodeIds) {
        supervise(nodeId, aborted).catch((error: unknown) => console.error(error));
      }
      const { workflows } = await cluster().client(1);
      const innocent = Array.from({ length: INNOCENT }, (_, i) => `innocent-${i}`);
      for (const runId of innocent) await workflows.start("patient", undefined, { runId });
      await workflows.start("poison", undefined, { runId: "poison" });
      const stuck = await eventually(STUCK_MS, "the run to be stuck", async () => {
        const run = await workflows.describe("poison").catch(() => undefined);
        return run?.status === "stuck" && run;
      });
      expect(stuck).toMatchObject({ stuckReason: "owner-losses", owner: 0 });
      // On a busy machine a node may be taken for lost that lives.
      expect(aborts).toBeLessThanOrEqual(LOSSES);
      const before = aborts;
      expect(await Array.fromAsync(workflows.list({ status: "stuck" }))).toHaveLength(1);
      for (const runId of innocent) await workflows.signal(runId, "go", runId);
      for (const runId of innocent) expect(await workflows.result(runId, { timeoutMs: STUCK_MS })).toBe(runId);
      await workflows.cancel("poison", { reason: "it ends its owners" });
      expect(await workflows.wait("poison")).toMatchObject({ status: "cancelled", reason: "it ends its owners" });
      expect(aborts).toBe(before);
    },
    TEST_MS,
  );
});
