/** What a cluster of five does while its network fails, one kind of failure at a time, and after it is healed. */
import { seededRng } from "@raftoral/raft-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { between, bridge, oneWay, pairsOf, ring, split } from "./network/partitions.ts";
import { askRegisters } from "./registers/ask-registers.ts";
import { RegisterClients } from "./registers/register-clients.ts";
import { verifyWhole } from "./registers/verify-whole.ts";

const SEED = 4;
const TEST_MS = 40_000;
const WAIT_MS = 15_000;

describe("five nodes whose network fails", () => {
  const cluster = useCluster(5, { networkSeed: SEED, registers: true });
  let clients: RegisterClients;

  beforeAll(() => {
    clients = new RegisterClients(() => cluster().running, { rng: seededRng(SEED), clients: 12 });
  });
  afterEach(() => cluster().network.heal());
  afterAll(() => clients.stop());

  const writes = (nodeId: number, timeoutMs: number) => clients.probe(cluster().process(nodeId), timeoutMs);

  const soon = (nodeId: number) =>
    eventually(WAIT_MS, `node ${nodeId} to have a command acknowledged`, () => writes(nodeId, 1_000));

  const leader = () =>
    eventually(WAIT_MS, "a leader of the registers", async () => {
      const found = await Promise.all(cluster().nodeIds.map((id) => askRegisters.status(cluster().process(id))));
      const [newest] = found.filter(({ role }) => role === "StateLeader").sort((a, b) => b.term - a.term);
      return newest?.leader;
    });

  const others = (...nodeIds: readonly number[]) => cluster().nodeIds.filter((nodeId) => !nodeIds.includes(nodeId));

  test(
    "a minority with the old leader acknowledges nothing, the majority goes on",
    async () => {
      const lost = await leader();
      const [beside = 0, ...majority] = others(lost);
      cluster().network.cut(split(cluster().nodeIds, [lost, beside]));
      for (const nodeId of majority) await soon(nodeId);
      expect(await Promise.all([writes(lost, 500), writes(beside, 500)])).toEqual([false, false]);
      cluster().network.heal();
      for (const nodeId of cluster().nodeIds) await soon(nodeId);
    },
    TEST_MS,
  );

  test(
    "a leader that is not heard is replaced, though it hears all others",
    async () => {
      const mute = await leader();
      cluster().network.cut(oneWay([mute], others(mute)));
      for (const nodeId of others(mute)) await soon(nodeId);
      cluster().network.heal();
      await soon(mute);
    },
    TEST_MS,
  );

  test(
    "a leader that hears nobody gives up, and the others go on",
    async () => {
      const deaf = await leader();
      cluster().network.cut(oneWay(others(deaf), [deaf]));
      for (const nodeId of others(deaf)) await soon(nodeId);
      cluster().network.heal();
      await soon(deaf);
    },
    TEST_MS,
  );

  test(
    "a follower that hears nobody does not disturb the others when it is back",
    async () => {
      const first = await leader();
      const [deaf = 0] = others(first);
      cluster().network.cut(oneWay(others(deaf), [deaf]));
      await clients.more(40);
      cluster().network.heal();
      await soon(deaf);
    },
    TEST_MS,
  );

  test(
    "two halves that meet in one node go on",
    async () => {
      const middle = others(await leader())[0] ?? 0;
      cluster().network.cut(bridge(cluster().nodeIds, middle));
      await soon(middle);
      await clients.more(30);
    },
    TEST_MS,
  );

  test(
    "a ring in which each sees another majority goes on",
    async () => {
      await leader();
      cluster().network.cut(ring(cluster().nodeIds));
      await clients.more(30);
    },
    TEST_MS,
  );

  test(
    "all cut off from all: nothing is acknowledged, and all of them go on afterwards",
    async () => {
      await leader();
      cluster().network.cut(pairsOf(cluster().nodeIds));
      const tried = await Promise.all(cluster().nodeIds.map((nodeId) => writes(nodeId, 1_500)));
      expect(tried).toEqual([false, false, false, false, false]);
      cluster().network.heal();
      for (const nodeId of cluster().nodeIds) await soon(nodeId);
    },
    TEST_MS,
  );

  test(
    "a leader that takes connections and never answers is replaced, and comes back",
    async () => {
      const silent = await leader();
      const pairs = between([silent], others(silent));
      cluster().network.receive(pairs, "muted");
      cluster().network.mute(pairs);
      for (const nodeId of others(silent)) await soon(nodeId);
      // The connections stay dead: each side must give them up by itself.
      cluster().network.heal();
      await soon(silent);
    },
    TEST_MS,
  );

  test.each(["near", "far"] as const)(
    "connections that only their %s end has lost are made anew",
    async (end) => {
      const pairs = pairsOf(cluster().nodeIds);
      cluster().network.drop(pairs, end);
      for (const nodeId of cluster().nodeIds) await soon(nodeId);
    },
    TEST_MS,
  );

  test(
    "connections that are reset again and again are made anew",
    async () => {
      for (let round = 0; round < 5; round += 1) {
        cluster().network.reset(pairsOf(cluster().nodeIds));
        await clients.more(10);
      }
      for (const nodeId of cluster().nodeIds) await soon(nodeId);
    },
    TEST_MS,
  );

  test.each([
    ["slow and uneven", { delayMs: 40, jitterMs: 60 }],
    ["lossy", { lossRate: 0.03 }],
    ["narrow", { bytesPerSecond: 40_000 }],
    ["all of it", { delayMs: 20, jitterMs: 40, lossRate: 0.01, bytesPerSecond: 100_000 }],
  ])(
    "links that are %s carry the load",
    async (_kind, weather) => {
      cluster().network.setWeather(pairsOf(cluster().nodeIds), weather);
      await clients.more(40);
    },
    TEST_MS,
  );

  test(
    "after all of it every acknowledged command is there once on every node, and histories are linearizable",
    async () => {
      cluster().network.heal();
      await clients.more(30);
      await clients.stop();
      const verdict = await verifyWhole(cluster(), clients.history);
      expect(verdict.unfinished).toEqual([]);
      expect(verdict.acknowledged).toBeGreaterThan(500);
      console.log(
        `registers, seed ${SEED}: ${JSON.stringify(verdict)}; longest gap ${Math.round(clients.longestGapMs)} ms`,
      );
    },
    TEST_MS,
  );
});
