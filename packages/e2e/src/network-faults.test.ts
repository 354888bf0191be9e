// @module-tag slow

/** What a cluster of five does while its network fails, one kind of failure at a time, and after it is healed. */
import { seededRng } from "@raftoral/raft-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { between, bridge, oneWay, pairsOf, ring, split } from "./network/partitions.ts";
import { RegisterClients } from "./registers/register-clients.ts";
import { RegisterProbe } from "./registers/register-probe.ts";
import { verifyWhole } from "./registers/verify-whole.ts";

const SEED = Number(process.env.RAFTORAL_CHAOS_SEED ?? 4);
const TEST_MS = 40_000;

describe(`five nodes whose network fails, seed ${SEED}`, () => {
  const cluster = useCluster(5, { networkSeed: SEED, registers: true });
  let clients: RegisterClients;
  let probe: RegisterProbe;

  beforeAll(() => {
    clients = new RegisterClients(() => cluster().running, { rng: seededRng(SEED), clients: 12 });
    probe = new RegisterProbe(cluster(), clients);
  });
  afterEach(() => cluster().network.heal());
  afterAll(() => clients.stop());

  test(
    "a minority with the old leader acknowledges nothing, the majority goes on",
    async () => {
      const lost = await probe.leader();
      const [beside = 0, ...majority] = probe.others(lost);
      cluster().network.cut(split(cluster().nodeIds, [lost, beside]));
      await probe.takePart(...majority);
      expect(await Promise.all([probe.acknowledges(lost, 500), probe.acknowledges(beside, 500)])).toEqual([
        false,
        false,
      ]);
      cluster().network.heal();
      await probe.takePart(...cluster().nodeIds);
    },
    TEST_MS,
  );

  test(
    "a leader that is not heard is replaced, though it hears all others",
    async () => {
      const mute = await probe.leader();
      cluster().network.cut(oneWay([mute], probe.others(mute)));
      await probe.takePart(...probe.others(mute));
      cluster().network.heal();
      await probe.takePart(mute);
    },
    TEST_MS,
  );

  test(
    "a leader that hears no other node gives up, and the others go on",
    async () => {
      const deaf = await probe.leader();
      cluster().network.cut(oneWay(probe.others(deaf), [deaf]));
      await probe.takePart(...probe.others(deaf));
      cluster().network.heal();
      await probe.takePart(deaf);
    },
    TEST_MS,
  );

  test(
    "a follower that hears no other node does not disturb the others when it is back",
    async () => {
      const first = await probe.leader();
      const [deaf = 0] = probe.others(first);
      cluster().network.cut(oneWay(probe.others(deaf), [deaf]));
      await clients.more(40);
      cluster().network.heal();
      await probe.takePart(deaf);
    },
    TEST_MS,
  );

  test(
    "two halves that meet in one node go on",
    async () => {
      const middle = probe.others(await probe.leader())[0] ?? 0;
      cluster().network.cut(bridge(cluster().nodeIds, middle));
      await probe.takePart(middle);
      await clients.more(30);
    },
    TEST_MS,
  );

  test(
    "a ring in which each sees another majority goes on",
    async () => {
      await probe.leader();
      cluster().network.cut(ring(cluster().nodeIds));
      await clients.more(30);
    },
    TEST_MS,
  );

  test(
    "all cut off from all: nothing is acknowledged, and all of them go on afterwards",
    async () => {
      await probe.leader();
      cluster().network.cut(pairsOf(cluster().nodeIds));
      const tried = await Promise.all(cluster().nodeIds.map((nodeId) => probe.acknowledges(nodeId, 1_500)));
      expect(tried).toEqual([false, false, false, false, false]);
      cluster().network.heal();
      await probe.takePart(...cluster().nodeIds);
    },
    TEST_MS,
  );

  test(
    "a leader that takes connections and never answers is replaced, and comes back",
    async () => {
      const silent = await probe.leader();
      const pairs = between([silent], probe.others(silent));
      cluster().network.receive(pairs, "muted");
      cluster().network.mute(pairs);
      await probe.takePart(...probe.others(silent));
      // The connections stay dead: each side must give them up by itself.
      cluster().network.heal();
      await probe.takePart(silent);
    },
    TEST_MS,
  );

  test.each(["near", "far"] as const)(
    "connections that only their %s end has lost are made again",
    async (end) => {
      const pairs = pairsOf(cluster().nodeIds);
      cluster().network.drop(pairs, end);
      await probe.takePart(...cluster().nodeIds);
    },
    TEST_MS,
  );

  test(
    "connections that are reset many times are made again",
    async () => {
      for (let round = 0; round < 5; round += 1) {
        cluster().network.reset(pairsOf(cluster().nodeIds));
        await clients.more(10);
      }
      await probe.takePart(...cluster().nodeIds);
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
        `registers, seed ${SEED}: ${JSON.stringify(verdict)}; longest gap ${Math.round(clients.gaps.longest.ms)} ms`,
      );
    },
    TEST_MS,
  );
});
