// @module-tag slow

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HeldLock, RaftoralClient } from "raftoral";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import type { VaultEntry } from "./programs/vault.ts";

const TEST_MS = 120_000;
const WAIT_MS = 60_000;

describe("locks, when their owners and the leader are killed", () => {
  const cluster = useCluster(3);
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "raftoral-locks-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const connect = (): Promise<RaftoralClient> =>
    RaftoralClient.connect(
      cluster().nodeIds.map((nodeId) => cluster().address(nodeId)),
      { tls: false },
    );

  /** What the file says: each token, in the order in which it came first, and how many were in at once. */
  async function read(file: string): Promise<{ readonly tokens: readonly number[]; readonly most: number }> {
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as VaultEntry);
    const [inside, seen, gone] = [new Set<number>(), new Set<number>(), new Set<number>()];
    let most = 0;
    for (const { what, token } of entries) {
      // A step that was cut off runs again: the same token, by the same run.
      seen.add(token);
      if (what === "out") {
        inside.delete(token);
        gone.add(token);
      } else if (!gone.has(token)) inside.add(token);
      most = Math.max(most, inside.size);
    }
    return { tokens: [...seen], most };
  }

  test.each([
    ["a mutex", 1],
    ["a semaphore of three", 3],
  ])(
    "at most as many as its permits are within %s, and its tokens grow in the order of entering",
    async (_, permits) => {
      const name = `vault-${permits}`;
      const file = join(folder, name);
      const client = await connect();
      try {
        const { workflows, locks } = client;
        const runs = await Promise.all(
          Array.from({ length: 9 }, async (__, run) => {
            const nodeId = cluster().nodeIds[run % 3] ?? 1;
            const { workflows: own } = await cluster().client(nodeId);
            const input = { lock: name, permits, file, times: 4, stepMs: 50 };
            return await own.start("vault", input, { runId: `${name}-${run}` });
          }),
        );
        await expect.poll(async () => (await locks.get(name))?.waiting ?? 0, { timeout: WAIT_MS }).toBeGreaterThan(2);
        // Some of the runs of each node hold the lock or wait for it. First the leader, then another one.
        for (const choose of [true, false]) {
          const leader = await cluster().leader();
          const victim = choose ? leader : (cluster().nodeIds.find((nodeId) => nodeId !== leader) ?? 1);
          await cluster().kill(victim);
          await cluster().leader();
          await cluster().startNode(victim);
          await cluster().caughtUp(victim);
        }
        const results = await Promise.all(
          runs.map(({ runId }) => workflows.run(runId).result({ timeoutMs: WAIT_MS }) as Promise<number[]>),
        );
        const { tokens, most } = await read(file);
        expect(most).toBeLessThanOrEqual(permits);
        expect(tokens.toSorted((a, b) => a - b)).toEqual(results.flat().toSorted((a, b) => a - b));
        // Within a mutex no one comes in before another one is out; within a semaphore the first steps of several may change places.
        if (permits === 1) expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
        for (const own of results) expect(own).toEqual(own.toSorted((a, b) => a - b));
        await expect.poll(() => locks.get(name), { timeout: WAIT_MS }).toBeUndefined();
      } finally {
        client.close();
      }
    },
    TEST_MS,
  );

  test(
    "a process keeps its lock while the leader changes, and one that dies leaves it to the next within its lease",
    async () => {
      const [lasting, dying] = [await connect(), await connect()];
      try {
        const held = await lasting.locks.acquire("kept", { leaseMs: 10_000, value: "lasting" });
        const dead = await dying.locks.acquire("left", { leaseMs: 3_000, value: "dying" });
        const waits: Promise<HeldLock>[] = [lasting.locks.acquire("left", { leaseMs: 3_000 })];
        // A process that dies while it waits holds up no one either.
        const ghost = dying.locks.acquire("kept", { leaseMs: 3_000 });
        ghost.catch(() => {});
        await expect.poll(async () => (await lasting.locks.get("kept"))?.waiting, { timeout: WAIT_MS }).toBe(1);
        const behind = lasting.locks.acquire("kept", { leaseMs: 10_000 });
        dying.close();
        await cluster().kill(await cluster().leader());
        const next = await waits[0];
        expect(next?.token).toBeGreaterThan(dead.token);
        expect(dead.signal.aborted).toBe(true);
        expect(held.signal.aborted).toBe(false);
        await held.release();
        const last = await behind;
        expect(last.token).toBeGreaterThan(held.token);
        expect(last.signal.aborted).toBe(false);
        await Promise.all([next?.release(), last.release()]);
      } finally {
        lasting.close();
        dying.close();
        const dead = cluster().nodeIds.filter((nodeId) => !cluster().process(nodeId).isRunning);
        for (const nodeId of dead) await cluster().startNode(nodeId);
      }
    },
    TEST_MS,
  );

  test(
    "a limiter gives at most its rate, also while its leader is killed",
    async () => {
      const client = await connect();
      try {
        const began = performance.now();
        const runs = await Promise.all(
          Array.from({ length: 6 }, (_, run) =>
            client.workflows.start("tap", { limiter: "tap", times: 10 }, { runId: `tap-${run}` }),
          ),
        );
        await expect
          .poll(async () => (await client.locks.get("tap"))?.taken ?? 0, { timeout: WAIT_MS })
          .toBeGreaterThan(8);
        const leader = await cluster().leader();
        await cluster().kill(leader);
        const inTime = async (): Promise<void> => {
          const taken = (await client.locks.get("tap"))?.taken ?? 0;
          expect(taken).toBeLessThanOrEqual(5 + ((performance.now() - began) * 20) / 1_000);
        };
        await cluster().leader();
        await inTime();
        for (const { runId } of runs) {
          await client.workflows.run(runId).result({ timeoutMs: WAIT_MS });
          await inTime();
        }
        expect(await client.locks.get("tap")).toMatchObject({ waiting: 0, taken: 60 });
        await cluster().startNode(leader);
      } finally {
        client.close();
      }
    },
    TEST_MS,
  );
});
