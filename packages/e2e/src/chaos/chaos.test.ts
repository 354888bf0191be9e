// @module-tag slow

/**
 * Random workflows on a cluster whose network and nodes fail at random, checked against what was acknowledged and recorded.
 *
 * RAFTORAL_CHAOS_SEED=<n> runs one seed; RAFTORAL_CHAOS_SECONDS=<n> lets each rage longer (3). Time is real: a seed brings back
 * the plans and the faults, and nearly always the failure, but not the exact interleaving.
 */
import { seededRng } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { ChaosCluster } from "./chaos-cluster.ts";
import { Clients } from "./clients.ts";
import { Journal } from "./journal.ts";
import { Nemesis } from "./nemesis.ts";
import { randomWorkflow } from "./random-workflow.ts";
import { sameIndex, verifyEvents, verifyRun } from "./verify.ts";

const SEEDS =
  process.env.RAFTORAL_CHAOS_SEED === undefined ? [1, 2, 3, 4, 5, 6] : [Number(process.env.RAFTORAL_CHAOS_SEED)];
const RAGE_MS = Number(process.env.RAFTORAL_CHAOS_SECONDS ?? 3) * 1000;
const CLIENTS = 6;
const HEALED_WITHIN_MS = 20_000;

describe("random workflows under random faults", () => {
  for (const seed of SEEDS) {
    test(`seed ${seed}`, async () => await survive(seed), RAGE_MS + 60_000);
  }
});

async function survive(seed: number): Promise<void> {
  const journal = new Journal();
  const cluster = new ChaosCluster(seed, [randomWorkflow(journal)]);
  const clients = new Clients(cluster, seededRng(seed * 2 + 1));
  const nemesis = new Nemesis(cluster, seededRng(seed * 2));
  try {
    await cluster.start();
    const working = Array.from({ length: CLIENTS }, (_, client) => clients.work(`${seed}-${client}`));
    await nemesis.rage(RAGE_MS);
    await cluster.heal();
    clients.finish();
    const deadlineMs = performance.now() + HEALED_WITHIN_MS;
    await within(deadlineMs, Promise.all(working), "clients are still waiting");
    const [anyone] = cluster.running();
    await anyone?.cluster.readIndex({ timeoutMs: 5_000 });
    for (const { runId } of clients.asked) {
      await within(
        deadlineMs,
        anyone?.requests.wait(runId, { timeoutMs: HEALED_WITHIN_MS }),
        () => `${runId} does not end: ${describeRun(runId)}`,
      );
    }
    const [state, ...others] = await sameIndex(cluster, deadlineMs);
    for (const other of others) expect(other.equals(state as Buffer), "the nodes' states differ").toBe(true);
    const executions = journal.byKey();
    for (const asked of clients.asked) {
      verifyRun(
        asked,
        cluster.running().map(({ executor }) => executor.state.run(asked.runId)),
        executions,
      );
    }
    verifyEvents(cluster.lives);
    for (const { cluster: group } of cluster.lives) expect(group.failure).toBeUndefined();
    expect(clients.surprises).toEqual([]);
    expect(clients.asked.length).toBeGreaterThanOrEqual(CLIENTS);
  } catch (error) {
    const command = `RAFTORAL_CHAOS_SEED=${seed} npx vitest run --config ../../vitest.config.ts --root . chaos`;
    throw new Error(`seed ${seed}; to repeat, in packages/e2e: ${command}\n${nemesis.story.join("\n")}`, {
      cause: error,
    });
  } finally {
    clients.finish();
    await cluster.shutdown();
  }

  function describeRun(runId: string): string {
    const asked = JSON.stringify(clients.asked.find((each) => each.runId === runId));
    const nodes = cluster.running().map(({ cluster: group, executor }) => {
      const { role, term, applied } = group.status();
      return JSON.stringify({ role, term, applied, run: executor.state.summary(runId) });
    });
    const recorded =
      cluster
        .running()[0]
        ?.executor.state.run(runId)
        ?.history.map(([key]) => key) ?? [];
    return [asked, ...nodes, ...recorded].join("\n");
  }
}

async function within<T>(deadlineMs: number, promise: T | Promise<T>, what: string | (() => string)): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const leftMs = Math.max(0, deadlineMs - performance.now());
    timer = setTimeout(() => reject(new Error(typeof what === "string" ? what : what())), leftMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
