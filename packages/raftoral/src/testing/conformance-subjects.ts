/** The implementations of the API that the conformance suites run against, each on a cluster of three. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PayloadCodecs } from "@raftoral/workflow";
import { afterAll } from "vitest";
import { RaftoralClient } from "../client/raftoral-client.ts";
import type { RaftoralNode } from "../node/raftoral-node.ts";
import type { ClusterSubject } from "./cluster-conformance.ts";
import { CONFORMANCE_WORKFLOWS } from "./conformance-workflows.ts";
import { type Kind, leaderOf, TestCluster } from "./test-cluster.ts";
import { CONFORMANCE_BLOB_LIMITS, CONFORMANCE_LIMITS, type WorkflowsSubject } from "./workflows-conformance.ts";

interface Trio {
  readonly cluster: TestCluster;
  readonly leader: RaftoralNode;
  readonly follower: RaftoralNode;
}

/** An implementation of both interfaces. */
export type Subject = WorkflowsSubject & ClusterSubject;

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function trio(kind: Kind, payloadCodec: PayloadCodecs): Promise<Trio> {
  const backupDir = await mkdtemp(join(tmpdir(), "raftoral-backups-"));
  folders.push(backupDir);
  const cluster = await TestCluster.create(kind, CONFORMANCE_WORKFLOWS, {
    limits: CONFORMANCE_LIMITS,
    blobLimits: CONFORMANCE_BLOB_LIMITS,
    backupDir,
    payloadCodec,
  });
  const { nodes } = await cluster.form(3);
  const leader = await leaderOf(nodes);
  return { cluster, leader, follower: nodes.find((node) => node !== leader) ?? leader };
}

/** A follower. */
export async function nodeSubject(kind: Kind, payloadCodec: PayloadCodecs = []): Promise<Subject> {
  const { cluster, follower } = await trio(kind, payloadCodec);
  return {
    workflows: follower.workflows,
    cluster: follower.cluster,
    nodeId: follower.nodeId,
    hasFolders: kind === "grpc",
    isCoded: isCoded(payloadCodec),
    waiting: () => cluster.waiting,
    dispose: () => cluster.dispose(),
  };
}

/** A client of the leader or of a follower. */
export async function clientSubject(which: "leader" | "follower", payloadCodec: PayloadCodecs = []): Promise<Subject> {
  const { cluster, ...nodes } = await trio("grpc", payloadCodec);
  const asked = nodes[which];
  const connection = await RaftoralClient.connect(asked.address, { pinned: true, payloadCodec });
  return {
    workflows: connection.workflows,
    cluster: connection.cluster,
    nodeId: asked.nodeId,
    hasFolders: true,
    isCoded: isCoded(payloadCodec),
    // What a client waits for, a node waits for, too.
    waiting: () => cluster.waiting,
    dispose: async () => {
      connection.close();
      await cluster.dispose();
    },
  };
}

function isCoded(payloadCodec: PayloadCodecs): boolean {
  return !Array.isArray(payloadCodec) || payloadCodec.length > 0;
}
