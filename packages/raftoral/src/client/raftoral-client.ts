/**
 * Talks to a cluster from outside, through any of its nodes; when that one stops answering, through the next.
 *
 * It must not be needed inside a node: {@link RaftoralNode} has the same methods without the network.
 */
import { randomUUID } from "node:crypto";
import { type Clock, type NodeId, platformClock, silentLogger } from "@raftoral/raft-core";
import { parseAddress, Security, type TlsOptions } from "@raftoral/transport-grpc";
import type { WorkflowDefinition } from "@raftoral/workflow";
import { parseReachableAddress } from "../api/address.ts";
import { filterArgument, nodeIdArgument, runIdArgument, timeoutArgument, workflowArgument } from "../call-arguments.ts";
import { NodeError, RemoteError } from "../errors.ts";
import { encodeJson } from "../json.ts";
import { backupFromWire } from "../service/backup-messages.ts";
import {
  memberFromWire,
  runFromWire,
  safeNumber,
  stateToWire,
  statusFromWire,
  summaryFromWire,
} from "../service/messages.ts";
import { ClientRun } from "./client-run.ts";
import type { BackupSummary, MemberInfo, NodeStatus } from "./cluster-info.ts";
import { Failover, type Send } from "./failover.ts";
import { Gate } from "./gate.ts";
import { MemberWatch } from "./member-watch.ts";
import type { RunDetails, RunFilter, RunSummary } from "./run-info.ts";

export interface Timed {
  /** How long the call may take, in milliseconds. */
  readonly timeoutMs?: number;
}

export interface ClientOptions extends Timed {
  /** Ask only the addresses given, never those of other members that they name. */
  readonly pinned?: boolean;
  /** How often the client asks who the members are now, in milliseconds (10,000). It also asks when one does not answer. */
  readonly membersIntervalMs?: number;
  /**
   * Whom to believe, and this client's own certificate; `false` asks for plaintext. Where nothing is said, loopback addresses
   * are used in plaintext and others refused.
   */
  readonly tls?: TlsOptions | false;
}

export interface ClientStartOptions extends Timed {
  /** Starting twice with one id is one run. A random one unless given. */
  readonly id?: string;
  /** The newest registered version unless given. */
  readonly version?: number;
}

/** What names a workflow: its type, or its definition. */
export type WorkflowName = string | { readonly type: string; readonly version?: number };

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MEMBERS_INTERVAL_MS = 10_000;
/** One long poll; shorter than what proxies allow a silent call. */
const POLL_MS = 20_000;
/** Added to a poll's time for the way there and back. */
const POLL_GRACE_MS = 5_000;
/** When many wait: one takes a place for no longer than this, so that the next gets it. */
const BUSY_POLL_MS = 1_000;
const PAGE_SIZE = 500;
/** Calls under way at once, and beside them polls; together fewer than the 1,000 that a node takes from one connection. */
const MAX_CALLS = 400;
const MAX_POLLS = 400;
/** Timers take no more, and fire at once for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A client that is forgotten does not keep its process alive by looking at files. */
const UNREFERENCED: Clock = {
  ...platformClock,
  every: (periodMs, fn) => {
    const timer = setInterval(fn, periodMs).unref();
    return () => clearInterval(timer);
  },
};

export class RaftoralClient {
  readonly #failover: Failover;
  readonly #security: Security;
  readonly #stopWatching: () => void;
  readonly #membersIntervalMs: number;
  #members: MemberWatch | undefined;
  readonly #timeoutMs: number;
  /** The first of the addresses given. */
  readonly #named: string | undefined;
  readonly #calls = new Gate(MAX_CALLS);
  readonly #polls = new Gate(MAX_POLLS);

  private constructor(failover: Failover, security: Security, timeoutMs: number, membersIntervalMs: number) {
    this.#membersIntervalMs = membersIntervalMs;
    this.#failover = failover;
    this.#security = security;
    this.#stopWatching = security.watch(UNREFERENCED, silentLogger);
    this.#timeoutMs = timeoutMs;
    this.#named = failover.addresses[0];
  }

  /**
   * Connects to the first of the nodes that answers, and learns of the others from it. Rejects with NODE_UNREACHABLE when
   * none does, with OPTIONS_INVALID for what is no address; with TRANSPORT_TLS_FAILED when certificates are not accepted, TRANSPORT_TLS_INVALID
   * when they cannot be used, TRANSPORT_PLAINTEXT_REFUSED for an address that leaves the machine when nothing was said about TLS.
   */
  static async connect(addresses: string | readonly string[], options: ClientOptions = {}): Promise<RaftoralClient> {
    const list = typeof addresses === "string" ? [addresses] : addresses;
    if (!Array.isArray(list) || list.length === 0)
      throw new NodeError("OPTIONS_INVALID", "Give the address of at least one node.");
    for (const address of list) parseReachableAddress(address, "address");
    const security = new Security(options.tls);
    for (const address of list) security.check(parseAddress(address), "connect to");
    const timeoutMs = timeoutArgument(options.timeoutMs, DEFAULT_TIMEOUT_MS);
    const client = new RaftoralClient(
      new Failover(list, security),
      security,
      timeoutMs,
      timeoutArgument(options.membersIntervalMs, DEFAULT_MEMBERS_INTERVAL_MS),
    );
    try {
      const { members } = await client.status();
      if (options.pinned !== true) client.#watchMembers(members.map((member) => member.address));
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** Nodes that this client would ask, in that order. */
  get addresses(): readonly string[] {
    return this.#failover.addresses;
  }

  #watchMembers(known: readonly string[]): void {
    this.#failover.learn(known);
    const watch = new MemberWatch({
      read: async () => (await this.status()).members.map((member) => member.address),
      learn: (members) => this.#failover.learn(members),
      intervalMs: this.#membersIntervalMs,
    });
    this.#members = watch;
    this.#failover.onFailover(() => watch.suspect());
  }

  /** Starts a run, once per id. Rejects with WORKFLOW_TYPE_UNKNOWN when no node has registered the type. */
  startWorkflow<Input, Output>(
    workflow: WorkflowDefinition<Input, Output>,
    input: Input,
    options?: ClientStartOptions,
  ): Promise<ClientRun<Output>>;
  startWorkflow(workflow: WorkflowName, input?: unknown, options?: ClientStartOptions): Promise<ClientRun>;
  async startWorkflow(workflow: WorkflowName, input?: unknown, options: ClientStartOptions = {}): Promise<ClientRun> {
    const { type, version } = workflowArgument(workflow, options.version);
    // Chosen here, so that a repeat after a lost answer finds the run that the first attempt started.
    const workflowId = options.id === undefined ? randomUUID() : runIdArgument(options.id);
    const request = {
      workflowType: type,
      version: version ?? 0,
      input: encodeJson(input, `the input of ${type}`),
      workflowId,
    };
    const answer = await this.#call(`starting ${type}`, true, options, (node, timeoutMs) =>
      node.workflows.startWorkflow({ ...request, timeoutMs }, { timeoutMs }),
    );
    return new ClientRun(this, answer.workflowId, answer.created);
  }

  /** A handle on a run that may or may not exist. */
  run<Output = unknown>(id: string): ClientRun<Output> {
    return new ClientRun<Output>(this, id);
  }

  /** The run as it is now, with its checkpoints. Rejects with WORKFLOW_NOT_FOUND. */
  async getRun(id: string, options: Timed = {}): Promise<RunDetails> {
    const workflowId = runIdArgument(id);
    const { run } = await this.#call(`reading run ${id}`, true, options, (node, timeoutMs) =>
      node.workflows.getRun({ workflowId, timeoutMs }, { timeoutMs }),
    );
    return runFromWire(run);
  }

  /** Runs, newest start first, fetched in pages as they are consumed. */
  async *runs(filter: RunFilter = {}, options: Timed = {}): AsyncGenerator<RunSummary, void, undefined> {
    const { status, workflowType = "" } = filterArgument(filter);
    let pageToken = "";
    do {
      const request = { pageSize: PAGE_SIZE, pageToken, state: stateToWire(status), workflowType: workflowType };
      const page = await this.#call("listing runs", true, options, (node, timeoutMs) =>
        node.workflows.listRuns({ ...request, timeoutMs }, { timeoutMs }),
      );
      for (const run of page.runs) yield summaryFromWire(run);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  /** All runs at once. Use {@link runs} where there may be many. */
  async listRuns(filter: RunFilter = {}, options: Timed = {}): Promise<readonly RunSummary[]> {
    const runs: RunSummary[] = [];
    for await (const run of this.runs(filter, options)) runs.push(run);
    return runs;
  }

  /**
   * The run once it has ended, whichever way. Rejects with DEADLINE_EXCEEDED when it has not in time (never, unless given).
   *
   * Any number may wait at once. Up to some hundred hear of the end at once; more take turns, and may hear of it later.
   */
  async waitForRun(id: string, options: Timed = {}): Promise<RunDetails> {
    const workflowId = runIdArgument(id);
    const timeoutMs = timeoutArgument(options.timeoutMs, Number.POSITIVE_INFINITY);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const details = await this.#poll(workflowId, deadline);
      if (details === undefined) {
        throw new RemoteError("DEADLINE_EXCEEDED", `Run ${id} has not ended within ${timeoutMs} ms; it goes on.`, {
          retryable: true,
        });
      }
      if (details.status !== "running") return details;
    }
  }

  /** Sends a signal; it is kept until the run waits for it. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED. */
  async signal(id: string, name: string, payload?: unknown, options: Timed = {}): Promise<void> {
    const workflowId = runIdArgument(id);
    const request = { workflowId, name, payload: encodeJson(payload, `signal ${name}`), signalId: randomUUID() };
    await this.#call(`signalling run ${id}`, true, options, (node, timeoutMs) =>
      node.workflows.signalRun({ ...request, timeoutMs }, { timeoutMs }),
    );
  }

  /** Asks a run to end as cancelled. Rejects with WORKFLOW_NOT_FOUND. */
  async cancel(id: string, reason = "", options: Timed = {}): Promise<void> {
    const workflowId = runIdArgument(id);
    await this.#call(`cancelling run ${id}`, true, options, (node, timeoutMs) =>
      node.workflows.cancelRun({ workflowId, reason, timeoutMs }, { timeoutMs }),
    );
  }

  /** What the node that answers says of itself and its cluster. Needs no quorum. */
  async status(options: Timed = {}): Promise<NodeStatus> {
    return statusFromWire(
      await this.#call("asking for the status", true, options, (node, timeoutMs) =>
        node.cluster.getStatus({}, { timeoutMs }),
      ),
    );
  }

  /** Members by id. */
  async members(options: Timed = {}): Promise<readonly MemberInfo[]> {
    return (await this.status(options)).members;
  }

  /**
   * Removes a member; without an id, the node at the first address that {@link connect} was given leaves. Only that one is
   * asked then: another would leave in its place. Rejects with NODE_UNKNOWN or LAST_MEMBER.
   */
  async removeNode(nodeId: NodeId | undefined, options: Timed = {}): Promise<NodeId> {
    const only = nodeId === undefined ? this.#named : undefined;
    const wanted = nodeId === undefined ? 0n : BigInt(nodeIdArgument(nodeId));
    const timeoutMs = timeoutArgument(options.timeoutMs, this.#timeoutMs);
    const call = { what: "removing a node", idempotent: true, timeoutMs, only };
    const answer = await this.#failover.call(call, (node, timeoutMs) =>
      node.cluster.removeNode({ nodeId: wanted, timeoutMs }, { timeoutMs }),
    );
    return safeNumber(answer.nodeId, "node_id");
  }

  /** Hands the leadership to a member, or to the one furthest ahead. Rejects with NODE_UNKNOWN. */
  async transferLeadership(to: NodeId | undefined, options: Timed = {}): Promise<NodeId> {
    const nodeId = to === undefined ? 0n : BigInt(nodeIdArgument(to));
    const answer = await this.#call("transferring the leadership", true, options, (node, timeoutMs) =>
      node.cluster.transferLeadership({ nodeId, timeoutMs }, { timeoutMs }),
    );
    return safeNumber(answer.leaderId, "leader_id");
  }

  /**
   * Has the node at the first address that {@link connect} was given, and no other, back itself up on its own machine, under `name` in the
   * folder that it keeps backups in. It goes on when the time is over. Rejects with BACKUP_REFUSED, REQUEST_INVALID,
   * STORAGE_TARGET_NOT_EMPTY or STORAGE_FULL.
   */
  async backUpNode(name: string, options: Timed = {}): Promise<BackupSummary> {
    const timeoutMs = timeoutArgument(options.timeoutMs, this.#timeoutMs);
    const call = { what: "backing a node up", idempotent: false, timeoutMs, only: this.#named };
    return backupFromWire(
      await this.#failover.call(call, (node, timeoutMs) => node.cluster.backUpNode({ name, timeoutMs }, { timeoutMs })),
    );
  }

  /**
   * Reads the certificates again; connections made from now on use them. Whether anything had changed. Throws
   * TRANSPORT_TLS_INVALID, and goes on with what it had. The files are looked at now and then by themselves.
   */
  reloadTls(): boolean {
    return this.#security.reload();
  }

  /** Asks for a place in the cluster, under `nodeId` if that is given; see RaftoralNode.start. */
  async join(
    address: string,
    clusterName: string,
    options: Timed & { readonly nodeId?: NodeId } = {},
  ): Promise<{ readonly clusterId: string; readonly nodeId: NodeId; readonly members: readonly MemberInfo[] }> {
    const place = { address, clusterName, nodeId: BigInt(options.nodeId ?? 0) };
    const answer = await this.#call("joining", true, options, (node, timeoutMs) =>
      node.cluster.joinCluster({ ...place, timeoutMs }, { timeoutMs }),
    );
    return {
      clusterId: answer.clusterId,
      nodeId: safeNumber(answer.nodeId, "node_id"),
      members: answer.members.map(memberFromWire),
    };
  }

  /** Says where a member is now. Rejects with NODE_REMOVED when it is none any more, CLUSTER_MISMATCH in another cluster. */
  async announce(
    clusterId: string,
    nodeId: NodeId,
    address: string,
    options: Timed = {},
  ): Promise<readonly MemberInfo[]> {
    const answer = await this.#call("announcing an address", true, options, (node, timeoutMs) =>
      node.cluster.announceNode({ clusterId, nodeId: BigInt(nodeId), address, timeoutMs }, { timeoutMs }),
    );
    return answer.members.map(memberFromWire);
  }

  /** Ends every call in progress. Idempotent. */
  close(): void {
    this.#stopWatching();
    this.#members?.close();
    this.#failover.close();
    this.#calls.open();
    this.#polls.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Asks once, for as long as a poll may take; undefined when the time was over before its turn came. */
  async #poll(workflowId: string, deadline: number): Promise<RunDetails | undefined> {
    if (!(await this.#polls.enter(Math.min(deadline - performance.now(), LONGEST_TIMER_MS)))) return undefined;
    try {
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      const pollMs = this.#polls.load > 0.5 ? BUSY_POLL_MS : POLL_MS;
      const { run } = await this.#failover.call(
        {
          what: `waiting for run ${workflowId}`,
          idempotent: true,
          timeoutMs: left,
          attemptMs: pollMs + POLL_GRACE_MS,
          graceMs: POLL_GRACE_MS,
        },
        (node, timeoutMs, signal) => {
          const waitMs = Math.max(0, Math.min(pollMs, Math.ceil(deadline - performance.now())));
          return node.workflows.waitRun({ workflowId, waitMs }, { timeoutMs, signal });
        },
      );
      return runFromWire(run);
    } finally {
      this.#polls.leave();
    }
  }

  async #call<T>(what: string, idempotent: boolean, options: Timed, send: Send<T>): Promise<T> {
    const timeoutMs = timeoutArgument(options.timeoutMs, this.#timeoutMs);
    const deadline = performance.now() + timeoutMs;
    if (!(await this.#calls.enter(timeoutMs))) {
      throw new RemoteError(
        "DEADLINE_EXCEEDED",
        `${what} was not sent within ${timeoutMs} ms: ${MAX_CALLS} calls of this client are under way. Start fewer at once, or give them more time.`,
        { retryable: true },
      );
    }
    try {
      const left = Math.max(0, Math.ceil(deadline - performance.now()));
      return await this.#failover.call({ what, idempotent, timeoutMs: left }, send);
    } finally {
      this.#calls.leave();
    }
  }
}
