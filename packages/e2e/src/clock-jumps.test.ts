// @module-tag slow

/** Wall clocks that jump by an hour, and clocks that run fast and slow: timers, elections and reads go by elapsed time. */
import { seededRng } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { endedCopyOf, eventually } from "./harness/index.ts";
import type { NapInput } from "./programs/workflows.ts";
import { askRegisters } from "./registers/ask-registers.ts";
import { RegisterClients } from "./registers/register-clients.ts";
import { verifyWhole } from "./registers/verify-whole.ts";

const HOUR_MS = 3_600_000;
const NAP_MS = 700;
const DELAY_MS = 3_000;
/** An hour is not within it. */
const WAIT_MS = 20_000;
const TEST_MS = 60_000;
const SEED = 5;

describe("a cluster whose clocks are wrong", () => {
  const cluster = useCluster(3, { registers: true });

  /** A run on this node, in the middle of its nap. */
  async function napping(nodeId: number, id: string, how: NapInput["how"] = "sleep"): Promise<void> {
    await (await cluster().client(nodeId)).workflows.start("nap", { ms: NAP_MS, how } satisfies NapInput, {
      runId: id,
    });
    await eventually(WAIT_MS, `${id} to begin its nap`, () =>
      cluster()
        .workLog.executions()
        .some(({ run, acknowledged }) => run === id && acknowledged),
    );
  }

  /** The run once it has ended, as this node sees it; in far less than an hour. */
  async function awake(id: string, nodeId: number) {
    return endedCopyOf((await cluster().client(nodeId)).workflows, id, WAIT_MS);
  }

  test.each(["sleep", "wait"] as const)(
    "a %s is no longer because its owner's clock is set back meanwhile",
    async (how) => {
      await napping(1, `back-${how}`, how);
      await cluster().shiftClock(1, { jumpMs: -HOUR_MS });
      expect(await awake(`back-${how}`, 2)).toMatchObject({ status: "completed", result: 1 });
      await cluster().shiftClock(1, { jumpMs: HOUR_MS });
    },
    TEST_MS,
  );

  test.each(["sleep", "wait"] as const)(
    "a %s is no longer because another node's clock was ahead for a while",
    async (how) => {
      await cluster().shiftClock(2, { jumpMs: HOUR_MS });
      await napping(2, `ahead-${how}`);
      await cluster().shiftClock(2, { jumpMs: -HOUR_MS });
      // The log's clock never goes back: from here on it is an hour ahead of all of theirs.
      await napping(3, `behind-${how}`, how);
      expect(await awake(`behind-${how}`, 1)).toMatchObject({ status: "completed", result: 3 });
      expect(await awake(`ahead-${how}`, 1)).toMatchObject({ status: "completed", result: 2 });
    },
    TEST_MS,
  );

  test(
    "a run that is taken over from a node whose clock was ahead naps no longer either",
    async () => {
      await cluster().shiftClock(3, { jumpMs: 5 * HOUR_MS });
      await napping(3, "taken-over");
      await cluster().kill(3);
      expect(await awake("taken-over", 1)).toMatchObject({ status: "completed", takeovers: 1 });
      await cluster().startNode(3);
    },
    TEST_MS,
  );

  test.each([-HOUR_MS, HOUR_MS])(
    "a delayed run begins after its delay, though the leader's clock jumps by %i ms meanwhile",
    async (jumpMs) => {
      const leader = await cluster().leader();
      const { workflows } = await cluster().client(leader);
      const runId = `delayed-${jumpMs}`;
      const sinceMs = performance.now();
      await workflows.start("delayed", "done", { runId, delayMs: DELAY_MS });
      await cluster().shiftClock(leader, { jumpMs });
      expect(await workflows.result(runId, { timeoutMs: WAIT_MS })).toBe("done");
      expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(DELAY_MS);
      await cluster().shiftClock(leader, { jumpMs: -jumpMs });
    },
    TEST_MS,
  );

  test(
    "jumping wall clocks depose no leader; clocks that run a tenth fast or slow lose nothing",
    async () => {
      const { term } = await askRegisters.status(cluster().process(await cluster().leader()));
      const clients = new RegisterClients(() => cluster().running, { rng: seededRng(SEED) });
      try {
        await clients.more(20);
        for (const jumpMs of [HOUR_MS, -2 * HOUR_MS, HOUR_MS]) {
          for (const nodeId of cluster().nodeIds) await cluster().shiftClock(nodeId, { jumpMs });
          await clients.more(20);
        }
        const terms = await Promise.all(cluster().running.map(async (node) => (await askRegisters.status(node)).term));
        expect(terms).toEqual([term, term, term]);
        for (const nodeId of cluster().nodeIds) await cluster().shiftClock(nodeId, { rate: 0.8 + nodeId / 10 });
        await clients.more(60);
      } finally {
        await clients.stop();
      }
      expect((await verifyWhole(cluster(), clients.history)).unfinished).toEqual([]);
    },
    TEST_MS,
  );
});
