// Delayed runs while owners and leaders die, on whole clusters under virtual time.
import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

test.each([1, 2, 3])(
  "delayed runs begin once, when they are due, whichever node leads then (seed %i)",
  async (seed) => {
    const began = new Map<string, number[]>();
    const later = workflow("later", { version: 1 }, async (ctx) => {
      began.set(ctx.runId, [...(began.get(ctx.runId) ?? []), cluster.time.nowMs]);
    });
    await using cluster = await TestCluster.start({ workflows: [later], seed });
    const dueMs = new Map<string, number>();
    for (let run = 1; run <= 20; run++) {
      const runId = `later-${run}`;
      const isDelay = run % 2 === 0;
      dueMs.set(runId, cluster.time.nowMs + run * 7000);
      const when = isDelay ? { delayMs: run * 7000 } : { startAt: new Date(cluster.time.nowMs + run * 7000) };
      await cluster.workflows.start(later, undefined, { runId, ...when });
    }
    for (let kill = 0; kill < 4; kill++) {
      await cluster.time.advance("31s");
      const leader = cluster.leader?.nodeId;
      if (leader === undefined) continue;
      cluster.kill(leader);
      await cluster.time.advance("5s");
      await cluster.startNode(leader);
    }
    await cluster.time.advance("30s");
    for (const [runId, atMs] of dueMs) {
      expect((await cluster.workflows.describe(runId)).status, runId).toBe("completed");
      const times = began.get(runId) ?? [];
      // A body whose owner dies begins again.
      expect(times.length, runId).toBeGreaterThanOrEqual(1);
      expect(Math.min(...times), runId).toBeGreaterThanOrEqual(atMs);
      expect(Math.min(...times) - atMs, runId).toBeLessThan(15_000);
    }
  },
);
