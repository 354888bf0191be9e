// @module-tag slow

// The suites of the API, against every implementation.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { RaftoralClient } from "../client/raftoral-client.ts";
import type { RaftoralNode } from "../node/raftoral-node.ts";
import { type ClusterSubject, clusterConformance } from "../testing/cluster-conformance.ts";
import { CONFORMANCE_WORKFLOWS } from "../testing/conformance-workflows.ts";
import { type Kind, leaderOf, TestCluster } from "../testing/test-cluster.ts";
import { CONFORMANCE_LIMITS, type WorkflowsSubject, workflowsConformance } from "../testing/workflows-conformance.ts";

interface Trio {
  readonly cluster: TestCluster;
  readonly leader: RaftoralNode;
  readonly follower: RaftoralNode;
}

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function trio(kind: Kind): Promise<Trio> {
  const backupDir = await mkdtemp(join(tmpdir(), "raftoral-backups-"));
  folders.push(backupDir);
  const cluster = await TestCluster.create(kind, CONFORMANCE_WORKFLOWS, { limits: CONFORMANCE_LIMITS, backupDir });
  const { nodes } = await cluster.form(3);
  const leader = await leaderOf(nodes);
  return { cluster, leader, follower: nodes.find((node) => node !== leader) ?? leader };
}

type Subject = WorkflowsSubject & ClusterSubject;

async function node(kind: Kind): Promise<Subject> {
  const { cluster, follower } = await trio(kind);
  return {
    workflows: follower.workflows,
    cluster: follower.cluster,
    nodeId: follower.nodeId,
    hasFolders: kind === "grpc",
    waiting: () => cluster.waiting,
    dispose: () => cluster.dispose(),
  };
}

async function client(which: "leader" | "follower"): Promise<Subject> {
  const { cluster, ...nodes } = await trio("grpc");
  const asked = nodes[which];
  const connection = await RaftoralClient.connect(asked.address, { pinned: true });
  return {
    workflows: connection.workflows,
    cluster: connection.cluster,
    nodeId: asked.nodeId,
    hasFolders: true,
    // What a client waits for, a node waits for, too.
    waiting: () => cluster.waiting,
    dispose: async () => {
      connection.close();
      await cluster.dispose();
    },
  };
}

const IMPLEMENTATIONS: readonly [name: string, open: () => Promise<Subject>][] = [
  ["a node in memory", () => node("memory")],
  ["a node with a data folder, over gRPC", () => node("grpc")],
  ["a client of the leader", () => client("leader")],
  ["a client of a follower", () => client("follower")],
];

for (const [name, open] of IMPLEMENTATIONS) {
  workflowsConformance(name, open);
  clusterConformance(name, open);
}
