/**
 * What a node answers to its services: reads behind a linearizable barrier, writes through the log, membership.
 *
 * The same for gRPC and for nodes that share a process. It must not know how a call arrived.
 */
import { randomUUID } from "node:crypto";
import type { Clock, NodeId } from "@raftoral/raft-core";
import {
  type RunHandle,
  type RunView,
  type StartOptions,
  type WorkflowCommand,
  type WorkflowDefinition,
  WorkflowError,
  type WorkflowExecutor,
  type WorkflowRuntime,
} from "@raftoral/workflow";
import type { BackupSummary, MemberInfo, NodeRole, NodeStatus } from "../client/cluster-info.ts";
import type { RunDetails, RunFilter, RunPage } from "../client/run-info.ts";
import { encodeJson } from "../json.ts";
import type { Admission, ServedNode, StartRequest, Timeout } from "../service/served-node.ts";
import { VERSION } from "../version.ts";
import { within } from "./life-cycle/within.ts";
import { type Membership, membersOf, type WorkflowCluster } from "./membership/membership.ts";
import { detailsOf, summaryOf } from "./run-details.ts";
import { RunWatch } from "./run-watch.ts";
import type { NodeBackups } from "./storage/node-backups.ts";
import type { NodeIdentity } from "./storage/node-storage.ts";

export interface NodeServiceOptions {
  readonly identity: NodeIdentity;
  /** Where others reach this node. */
  readonly address: string;
  readonly cluster: WorkflowCluster;
  readonly executor: WorkflowExecutor;
  readonly runtime: WorkflowRuntime;
  readonly membership: Membership;
  readonly clock: Clock;
  /** `type@version` of what is registered here, sorted. */
  readonly workflows: readonly string[];
  /** Hands over and leaves the configuration; the node stops afterwards. */
  readonly leave: (timeout: Timeout) => Promise<void>;
  readonly backups: NodeBackups;
}

export class NodeService implements ServedNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly #options: NodeServiceOptions;
  readonly #watch: RunWatch;
  #isRegistered = false;

  constructor(options: NodeServiceOptions) {
    this.nodeId = options.identity.nodeId;
    this.clusterId = options.identity.clusterId;
    this.#options = options;
    this.#watch = new RunWatch(options.executor);
    options.runtime.registered.then(
      () => {
        this.#isRegistered = true;
      },
      // Stopped before: whoever waits for it hears so.
      () => {},
    );
  }

  /** Whether the cluster knows what this node can execute. */
  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** Lets go of everybody who waits for a run. */
  close(): void {
    this.#watch.close();
  }

  async start(request: StartRequest, timeout: Timeout): Promise<{ readonly id: string; readonly created: boolean }> {
    const options: StartOptions = {
      ...(request.id === undefined ? {} : { id: request.id }),
      ...(request.version === 0 ? {} : { version: request.version }),
    };
    const starting = this.startRun(request.type, request.input, options);
    const handle = await within(starting, timeout, `Starting ${request.type}`);
    return { id: handle.id, created: handle.created };
  }

  /** As {@link WorkflowRuntime.startWorkflow}, once the cluster knows what this node can execute. */
  async startRun<Input, Output>(
    workflow: WorkflowDefinition<Input, Output> | string,
    input: Input,
    options?: StartOptions,
  ): Promise<RunHandle<Output>> {
    // A start right after this node's own would be of a type that nobody has registered yet.
    if (!this.#isRegistered) await this.#options.runtime.registered;
    return this.#options.runtime.startWorkflow(workflow, input, options);
  }

  async getRun(id: string, timeout: Timeout): Promise<RunDetails> {
    await this.#options.cluster.readIndex(timeout);
    return detailsOf(this.#present(id));
  }

  async listPage(filter: RunFilter, limit: number, cursor: string, timeout: Timeout): Promise<RunPage> {
    await this.#options.cluster.readIndex(timeout);
    const { runs, next } = this.#options.executor.state.list({
      limit,
      ...(cursor === "" ? {} : { cursor }),
      ...(filter.status === undefined ? {} : { status: filter.status }),
      ...(filter.workflowType === undefined ? {} : { workflowType: filter.workflowType }),
    });
    return { runs: runs.map(summaryOf), next };
  }

  async signalRun(
    id: string,
    name: string,
    payload: unknown,
    signalId: string | undefined,
    timeout: Timeout,
  ): Promise<void> {
    await this.#request(
      {
        kind: "Signal",
        runId: id,
        name,
        payload: encodeJson(payload, `signal ${name}`),
        signalId: signalId ?? randomUUID(),
        atMs: this.#options.clock.wallMs(),
      },
      timeout,
    );
  }

  async cancelRun(id: string, reason: string, timeout: Timeout): Promise<void> {
    await this.#request(
      { kind: "Cancel", runId: id, reason: reason || "on request", atMs: this.#options.clock.wallMs() },
      timeout,
    );
  }

  async awaitRun(id: string, { timeoutMs }: Timeout, stop: AbortSignal): Promise<RunDetails> {
    const { executor, cluster } = this.#options;
    const deadline = performance.now() + timeoutMs;
    // A run that is known here needs no barrier: its end will be seen when it is applied.
    if (executor.state.summary(id) === undefined) await cluster.readIndex({ timeoutMs: Math.max(timeoutMs, 1) });
    for (;;) {
      const left = Math.ceil(deadline - performance.now());
      const isRunning = executor.state.summary(id)?.status === "running";
      if (!isRunning || left <= 0 || stop.aborted) return detailsOf(this.#present(id));
      await this.#watch.wait(id, left, stop);
    }
  }

  nodeStatus(): NodeStatus {
    const { cluster, executor, address, workflows } = this.#options;
    const status = cluster.status();
    const { size } = executor.state;
    return {
      clusterId: this.clusterId,
      nodeId: this.nodeId,
      address,
      role: roleOf(status),
      leader: status.leader,
      term: status.term,
      commit: status.commit,
      applied: status.applied,
      firstIndex: status.firstIndex,
      lastIndex: status.lastIndex,
      members: membersOf(status),
      runningRuns: size.running,
      ownedRuns: executor.state.nodes().find((node) => node.nodeId === this.nodeId)?.running ?? 0,
      workflows,
      version: VERSION,
      transfers: status.transfers,
    };
  }

  admit(address: string, clusterName: string, nodeId: NodeId, timeout: Timeout): Promise<Admission> {
    return this.#options.membership.admit(address, clusterName, nodeId, timeout);
  }

  readdress(nodeId: NodeId, address: string, timeout: Timeout): Promise<readonly MemberInfo[]> {
    return this.#options.membership.readdress(nodeId, address, timeout);
  }

  removeNode(nodeId: NodeId, timeout: Timeout): Promise<void> {
    return this.#options.membership.remove(nodeId, timeout);
  }

  leaveSoon(timeout: Timeout): Promise<void> {
    return this.#options.leave(timeout);
  }

  handOver(to: NodeId | undefined, timeout: Timeout): Promise<NodeId> {
    return this.#options.membership.transfer(to, timeout);
  }

  backUp(name: string, timeout: Timeout): Promise<BackupSummary> {
    return within(this.#options.backups.makeNamed(name), timeout, "The backup");
  }

  /** Replicates a command; its refusal is an error of the workflow package. */
  async #request(command: WorkflowCommand, timeout: Timeout): Promise<void> {
    const result = await this.#options.cluster.propose(command, timeout);
    if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
  }

  #present(id: string): RunView {
    const run = this.#options.executor.state.run(id);
    if (run !== undefined) return run;
    throw new WorkflowError(
      "WORKFLOW_NOT_FOUND",
      `There is no run ${JSON.stringify(id)}: it was never started, or it ended long ago and was pruned.`,
      { details: { runId: id } },
    );
  }
}

function roleOf({ role, isLearner }: { readonly role: string; readonly isLearner: boolean }): NodeRole {
  if (isLearner) return "learner";
  if (role === "StateLeader") return "leader";
  return role === "StateFollower" ? "follower" : "candidate";
}
