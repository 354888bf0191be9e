// @module-tag slow

// One list of scenarios for every transport and storage: each may take the other's place.
import { afterEach, beforeEach, describe, test } from "vitest";
import { CLUSTER_SCENARIOS } from "./scenarios/cluster-scenarios.ts";
import { LedgerCluster } from "./scenarios/ledger-cluster.ts";
import { NODE_SCENARIOS } from "./scenarios/node-scenarios.ts";
import { NODE_NETWORKS, NodeTrio } from "./scenarios/node-trio.ts";
import { STORAGES } from "./scenarios/storages.ts";
import { TRANSPORTS } from "./scenarios/transports.ts";

const COMBINATIONS = TRANSPORTS.flatMap((transport) => STORAGES.map((storage) => ({ ...transport, ...storage })));

describe.each(COMBINATIONS)("three replicas on $transportName and $storageName", (kind) => {
  let cluster: LedgerCluster | undefined;

  beforeEach(async () => {
    cluster = await LedgerCluster.start(kind, kind);
  });
  afterEach(async () => {
    await cluster?.end();
    cluster = undefined;
  });

  test.each(CLUSTER_SCENARIOS)("$name", async ({ play }) => {
    if (cluster === undefined) throw new Error("the cluster did not start");
    await play(cluster);
  });
});

describe.each(NODE_NETWORKS)("three nodes with workflows on $networkName", (network) => {
  let trio: NodeTrio | undefined;

  beforeEach(async () => {
    trio = await NodeTrio.start(network);
  });
  afterEach(async () => {
    await trio?.end();
    trio = undefined;
  });

  test.each(NODE_SCENARIOS)("$name", async ({ play }) => {
    if (trio === undefined) throw new Error("the nodes did not start");
    await play(trio);
  });
});
