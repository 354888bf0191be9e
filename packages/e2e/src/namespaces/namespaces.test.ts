// @module-tag slow

/** Three nodes with a network each, where packets are lost without a notice. */
import { seededRng } from "@raftoral/raft-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { RegisterClients } from "../registers/register-clients.ts";
import { RegisterProbe } from "../registers/register-probe.ts";
import { verifyWhole } from "../registers/verify-whole.ts";
import { labProblem, NetLab } from "./net-lab.ts";

const SEED = Number(process.env.RAFTORAL_CHAOS_SEED ?? 6);
const START_MS = 60_000;
const TEST_MS = 60_000;

const problem = labProblem();
if (problem !== undefined) console.log(`Not tested: real packet loss; ${problem}.`);

describe.skipIf(problem !== undefined)(`three nodes whose packets are lost, seed ${SEED}`, () => {
  let lab: NetLab;
  let cluster: TestCluster;
  let clients: RegisterClients;
  let probe: RegisterProbe;

  beforeAll(async () => {
    lab = new NetLab(3);
    cluster = await TestCluster.start(3, { lab, registers: true });
    clients = new RegisterClients(() => cluster.running, { rng: seededRng(SEED) });
    probe = new RegisterProbe(cluster, clients);
  }, START_MS);
  afterAll(async () => {
    await clients?.stop();
    await cluster?.end();
    lab?.remove();
  });

  test(
    "a leader whose cable is pulled acknowledges nothing, the others go on, and it comes back without a restart",
    async () => {
      const lost = await probe.leader();
      lab.pull(lost);
      await probe.takePart(...probe.others(lost));
      expect(await probe.acknowledges(lost, 500)).toBe(false);
      lab.plug(lost);
      await probe.takePart(lost);
    },
    TEST_MS,
  );

  test(
    "a leader whose packets are lost, though it hears all others, is replaced and comes back",
    async () => {
      const mute = await probe.leader();
      for (const other of probe.others(mute)) lab.lose(mute, other);
      await probe.takePart(...probe.others(mute));
      for (const other of probe.others(mute)) lab.find(mute, other);
      await probe.takePart(mute);
    },
    TEST_MS,
  );

  test(
    "with every cable pulled nothing is acknowledged, and all go on when they are plugged in again",
    async () => {
      for (const nodeId of cluster.nodeIds) lab.pull(nodeId);
      const tried = await Promise.all(cluster.nodeIds.map((nodeId) => probe.acknowledges(nodeId, 1_500)));
      expect(tried).toEqual([false, false, false]);
      for (const nodeId of cluster.nodeIds) lab.plug(nodeId);
      await probe.takePart(...cluster.nodeIds);
    },
    TEST_MS,
  );

  test(
    "everything acknowledged is there once on every node, and histories are linearizable",
    async () => {
      await clients.more(30);
      await clients.stop();
      expect((await verifyWhole(cluster, clients.history)).unfinished).toEqual([]);
    },
    TEST_MS,
  );
});
