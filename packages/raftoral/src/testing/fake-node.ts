/** A node that answers from memory, served over real HTTP/2: for tests of services, client and command line. */
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { NodeId } from "@raftoral/raft-core";
import { RaftError } from "@raftoral/raft-core";
import { WorkflowError } from "@raftoral/workflow";
import type { BackupSummary, MemberInfo, NodeStatus } from "../client/cluster-info.ts";
import type { RunDetails, RunFilter, RunPage } from "../client/run-info.ts";
import { registerClusterService } from "../service/cluster-routes.ts";
import type { Admission, ServedNode, StartRequest, Timeout } from "../service/served-node.ts";
import { registerWorkflowService } from "../service/workflow-routes.ts";

export class FakeNode implements ServedNode {
  readonly nodeId = 1;
  readonly clusterId = "fake-000000000000";
  readonly runs = new Map<string, RunDetails>();
  readonly signals: unknown[][] = [];
  /** Every call, by name, with its timeout. */
  readonly calls: { readonly name: string; readonly timeoutMs: number }[] = [];
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  members: MemberInfo[] = [];
  transfers: NodeStatus["transfers"] = [];

  async start(request: StartRequest, timeout: Timeout): Promise<{ readonly id: string; readonly created: boolean }> {
    this.#enter("start", timeout);
    const id = request.id ?? "chosen-by-the-node";
    const created = !this.runs.has(id);
    if (created)
      this.runs.set(id, run(id, { workflowType: request.type, version: request.version || 1, input: request.input }));
    return { id, created };
  }

  async getRun(id: string, timeout: Timeout): Promise<RunDetails> {
    this.#enter("getRun", timeout);
    const found = this.runs.get(id);
    if (found === undefined) throw new WorkflowError("WORKFLOW_NOT_FOUND", `There is no run ${id}.`);
    return found;
  }

  async listPage(filter: RunFilter, limit: number, cursor: string, timeout: Timeout): Promise<RunPage> {
    this.#enter("listPage", timeout);
    const all = [...this.runs.values()].filter((run) => filter.status === undefined || run.status === filter.status);
    const from = Number(cursor || "0");
    const next = from + limit < all.length ? String(from + limit) : undefined;
    return { runs: all.slice(from, from + limit), next };
  }

  async signalRun(
    id: string,
    name: string,
    payload: unknown,
    signalId: string | undefined,
    timeout: Timeout,
  ): Promise<void> {
    await this.getRun(id, timeout);
    this.signals.push([id, name, payload, signalId]);
  }

  async cancelRun(id: string, reason: string, timeout: Timeout): Promise<void> {
    const found = await this.getRun(id, timeout);
    this.runs.set(id, {
      ...found,
      status: "cancelled",
      error: { name: "cancelled", code: "WORKFLOW_CANCELLED", message: reason },
    });
  }

  async awaitRun(id: string, timeout: Timeout): Promise<RunDetails> {
    return this.getRun(id, timeout);
  }

  nodeStatus(): NodeStatus {
    return {
      clusterId: this.clusterId,
      nodeId: this.nodeId,
      address: "10.0.0.1:5001",
      role: "leader",
      leader: 1,
      term: 3,
      commit: 41,
      applied: 40,
      firstIndex: 2,
      lastIndex: 42,
      members: this.members,
      runningRuns: 5,
      ownedRuns: 2,
      workflows: ["process_order@1"],
      version: "0.0.0",
      transfers: this.transfers,
    };
  }

  async admit(address: string, clusterName: string, _nodeId: number, timeout: Timeout): Promise<Admission> {
    this.#enter("admit", timeout);
    return {
      clusterId: `${clusterName}-1`,
      nodeId: 4,
      members: [{ nodeId: 4, address, voter: false, match: 0, recentlyActive: false }],
    };
  }

  async readdress(_nodeId: NodeId, _address: string, timeout: Timeout): Promise<readonly MemberInfo[]> {
    this.#enter("readdress", timeout);
    return this.members;
  }

  async removeNode(nodeId: NodeId, timeout: Timeout): Promise<void> {
    this.#enter("removeNode", timeout);
    if (nodeId > 3) throw new RaftError("NODE_UNKNOWN", `There is no node ${nodeId}; members are 1, 2, 3.`);
  }

  async leaveSoon(timeout: Timeout): Promise<void> {
    this.#enter("leaveSoon", timeout);
  }

  async handOver(to: NodeId | undefined, timeout: Timeout): Promise<NodeId> {
    this.#enter("handOver", timeout);
    return to ?? 2;
  }

  async backUp(name: string, timeout: Timeout): Promise<BackupSummary> {
    this.#enter("backUp", timeout);
    const groups = [{ group: 1, commit: 8, lastIndex: 9 }];
    const createdAt = "2026-01-02T03:04:05.678Z";
    return { nodeId: 1, clusterId: "test-1", path: `/backups/${name}`, createdAt, files: 4, bytes: 2_000_000, groups };
  }

  #enter(name: string, { timeoutMs }: Timeout): void {
    this.calls.push({ name, timeoutMs });
    if (this.failure !== undefined) throw this.failure;
  }
}

/** A run with every field set. */
export function run(id: string, fields: Partial<RunDetails> = {}): RunDetails {
  return {
    runId: id,
    workflowType: "process_order",
    version: 1,
    status: "running",
    owner: 1,
    epoch: 7,
    attempt: 1,
    input: undefined,
    result: undefined,
    error: undefined,
    startedAtMs: 1_700_000_000_000,
    endedAtMs: 0,
    recordCount: 0,
    history: [],
    lifecycle: [],
    ...fields,
  };
}

export interface FakeServer {
  readonly address: string;
  /** Closes the port and every connection. */
  close(): Promise<void>;
}

/** Serves a node on a free port of the loopback. */
export async function serveFake(node: ServedNode): Promise<FakeServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server: Http2Server = createServer(
    // As a real node's, see transport-grpc.
    { settings: { maxConcurrentStreams: 1000 } },
    connectNodeAdapter({
      routes: (router) => {
        registerWorkflowService(router, () => node, 10_000);
        registerClusterService(router, () => node, 10_000);
      },
    }),
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => resolve());
      }),
  };
}
