/**
 * A node of a cluster in this process: storage, transport, consensus, workflows and services put together.
 *
 * Role: composition and life cycle, nothing else. What it offers is done by its parts: {@link NodeService}, `Membership`,
 * `WorkflowRuntime`.
 *
 * Invariants:
 * L1. A start that fails leaves nothing open: no port, no lock on the folder, no timer.
 * L2. `stop` ends within its time, whatever the cluster does; what could not be handed over is taken over by the others.
 * L3. A node that failed or was removed says so once, through `failed`, and takes no further part.
 */
import type { MeterProvider } from "@opentelemetry/api";
import type { Clock, Logger, NodeId } from "@raftoral/raft-core";
import { NONE, RaftError, silentLogger } from "@raftoral/raft-core";
import type { RunHandle, StartOptions, WorkflowDefinition } from "@raftoral/workflow";
import { filterArgument, nodeIdArgument, runIdArgument, timeoutArgument, workflowArgument } from "../call-arguments.ts";
import type { BackupSummary, MemberInfo, NodeStatus } from "../client/cluster-info.ts";
import type { RunDetails, RunFilter, RunSummary } from "../client/run-info.ts";
import type { Timeout } from "../service/served-node.ts";
import { assemble, type NodeParts } from "./assemble.ts";
import { type NodeConfig, type NodeSettings, nodeConfig } from "./config/node-config.ts";
import { checkOptions } from "./config/options-check.ts";
import { announceAddress } from "./identity/announce.ts";
import { Departure } from "./life-cycle/departure.ts";
import { within } from "./life-cycle/within.ts";
import type { WorkflowTransport } from "./membership/node-network.ts";
import type { NodeEvent } from "./node-events.ts";
import type { NodeStorage } from "./storage/node-storage.ts";

export interface RaftoralNodeOptions extends NodeSettings {
  /** What this node can execute. Other nodes may have others. */
  readonly workflows?: readonly WorkflowDefinition[];
  /** Replaces gRPC, e.g. by an `InMemoryClusterTransport` that all nodes of a test share. Started and shut down by its owner. */
  readonly transport?: WorkflowTransport;
  /** Replaces the data folder. The node closes it. */
  readonly storage?: NodeStorage;
  /** Replaces the platform's clock for consensus, transport and workflows: for tests of clocks that jump or run fast. */
  readonly clock?: Clock;
  /** Where metrics go as well (docs/metrics.md). Defaults to the global one of `@opentelemetry/api`, if one is set when the node starts. */
  readonly meterProvider?: MeterProvider;
  /** Defaults to silence. A pino logger will do. */
  readonly logger?: Logger;
}

/** How long a call may take, in milliseconds. */
export interface CallLimit {
  readonly timeoutMs?: number;
}

/** Elections are over sooner. A node without a leader for longer asks the others whether it still belongs to them. */
const LEADERLESS_MS = 1_000;

/** Calls under way when a node stops are answered within it, or their callers ask another node. */
const LONGEST_DRAIN_MS = 2_000;

export class RaftoralNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** Where others reach this node. */
  readonly address: string;
  /** Where this node's metrics are served, with `metrics.prometheus`. */
  readonly metricsAddress: string | undefined;
  /** Resolves, with the reason, when the node cannot go on: its disk failed, or it was removed from the cluster. Never rejects. */
  readonly failed: Promise<Error>;
  /** Resolves when the node has left the cluster, by {@link leave} or because a client asked it to. */
  readonly left: Promise<"left">;
  readonly #parts: NodeParts;
  readonly #config: NodeConfig;
  readonly #logger: Logger;
  readonly #departure: Departure;
  readonly #failed = Promise.withResolvers<Error>();
  readonly #stopping = new AbortController();
  #isAnnouncing = false;
  #stopped: Promise<void> | undefined;

  /**
   * Starts a node. Resolves when it takes part: a bootstrapped one leads, a joined one votes, a restarted one is running (a
   * leader need not be known yet).
   *
   * Rejects with OPTIONS_INVALID, TRANSPORT_ADDRESS_IN_USE, CLUSTER_MISSING, CLUSTER_MISMATCH, JOIN_UNREACHABLE, NODE_REMOVED, or with
   * the storage's STORAGE_LOCKED, STORAGE_IDENTITY_MISMATCH, STORAGE_CORRUPT and so on; nothing stays open then (L1).
   */
  static async start(options: RaftoralNodeOptions): Promise<RaftoralNode> {
    const config = nodeConfig(options);
    checkOptions(options);
    const logger = options.logger ?? silentLogger;
    // The parts call back into the node, which needs the parts.
    let node: RaftoralNode | undefined;
    const parts = await assemble({
      ...options,
      config,
      logger,
      leave: (timeout) => mustExist(node).#leaveSoon(timeout),
    });
    node = new RaftoralNode(parts, config, logger);
    try {
      await node.#takePart();
      return node;
    } catch (error) {
      await node.#close();
      throw error;
    }
  }

  private constructor(parts: NodeParts, config: NodeConfig, logger: Logger) {
    this.#parts = parts;
    this.#config = config;
    this.#logger = logger;
    this.nodeId = parts.identity.nodeId;
    this.clusterId = parts.identity.clusterId;
    this.address = parts.address;
    this.metricsAddress = parts.metricsAddress;
    this.failed = this.#failed.promise;
    this.#departure = new Departure({ ...parts, logger });
    this.left = this.#departure.left;
    parts.cluster.on((event) => {
      if (event.type === "failed") this.#fail(event.error);
      else if (event.type === "removed" && !this.#departure.isLeaving) this.#fail(removed(this.nodeId));
      else if (event.type === "leader" && event.leader === NONE) this.#announceAfter(LEADERLESS_MS);
    });
  }

  /**
   * Starts a run, once per id: a second start with the same id gives a handle on the same run. Resolves once the start is
   * committed. Rejects with WORKFLOW_TYPE_UNKNOWN, INPUT_INVALID, PAYLOAD_TOO_LARGE, NO_LEADER or DEADLINE_EXCEEDED.
   */
  startWorkflow<Input, Output>(
    workflow: WorkflowDefinition<Input, Output>,
    input: Input,
    options?: StartOptions,
  ): Promise<RunHandle<Output>>;
  startWorkflow(type: string, input?: unknown, options?: StartOptions): Promise<RunHandle<unknown>>;
  async startWorkflow(
    // Any definition: the overloads tie its input to the argument.
    workflow: { readonly type: string } | string,
    input?: unknown,
    options?: StartOptions,
  ): Promise<RunHandle<unknown>> {
    workflowArgument(workflow, options?.version);
    if (options?.id !== undefined) runIdArgument(options.id);
    const { service } = this.#parts;
    const starting = service.startRun(workflow as WorkflowDefinition, input, options);
    // Until this node is registered there may be no quorum to wait for; afterwards the runtime bounds the start itself.
    return service.isRegistered ? starting : within(starting, this.#timeout({}), "Starting a run");
  }

  /** A handle on a run that may or may not exist. */
  run<Output = unknown>(id: string): RunHandle<Output> {
    return this.#parts.runtime.handle<Output>(id);
  }

  /** The run as it is now, with its checkpoints: a linearizable read. Rejects with WORKFLOW_NOT_FOUND. */
  async getRun(id: string, limit: CallLimit = {}): Promise<RunDetails> {
    return this.#parts.service.getRun(runIdArgument(id), this.#timeout(limit));
  }

  /** Runs, newest start first: a linearizable read. */
  async listRuns(filter: RunFilter = {}, limit: CallLimit = {}): Promise<readonly RunSummary[]> {
    filterArgument(filter);
    const runs: RunSummary[] = [];
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const page = await this.#parts.service.listPage(filter, 1000, cursor, this.#timeout(limit));
      runs.push(...page.runs);
      cursor = page.next;
    }
    return runs;
  }

  /** Sends a signal; it is kept until the run waits for it. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED. */
  async signal(id: string, name: string, payload?: unknown, limit: CallLimit = {}): Promise<void> {
    await this.#parts.service.signalRun(runIdArgument(id), name, payload, undefined, this.#timeout(limit));
  }

  /** Asks a run to end as cancelled. Rejects with WORKFLOW_NOT_FOUND. */
  async cancel(id: string, reason = "", limit: CallLimit = {}): Promise<void> {
    await this.#parts.service.cancelRun(runIdArgument(id), reason, this.#timeout(limit));
  }

  /** What this node knows of itself and its cluster. Needs no quorum. */
  status(): NodeStatus {
    return this.#parts.service.nodeStatus();
  }

  /** Members by id, learners included, as this node knows them. */
  members(): readonly MemberInfo[] {
    return this.#parts.membership.members();
  }

  /** Hands the leadership to a member, or to the one furthest ahead. Resolves with who leads. Rejects with NODE_UNKNOWN. */
  async transferLeadership(to?: NodeId, limit: CallLimit = {}): Promise<NodeId> {
    if (to !== undefined) nodeIdArgument(to);
    return this.#parts.membership.transfer(to, this.#timeout(limit));
  }

  /** Removes another member, such as one that will not come back; its runs go to others. Rejects with NODE_UNKNOWN or LAST_MEMBER. */
  async removeNode(nodeId: NodeId, limit: CallLimit = {}): Promise<void> {
    if (nodeIdArgument(nodeId) === this.nodeId) await this.leave(limit);
    else await this.#parts.membership.remove(nodeId, this.#timeout(limit));
  }

  /** Leaves the cluster for good: hands over runs and leadership, is removed from the configuration, stops. */
  async leave(limit: CallLimit = {}): Promise<void> {
    await this.#departure.leave(this.#timeout(limit));
    await this.stop();
  }

  /**
   * Backs this node up into a new or empty folder while it runs: everything that it had acknowledged when this was called, as its folder was at
   * one moment after. `raftoral storage restore` makes a new cluster of it. Rejects with BACKUP_REFUSED (no data folder, or one is under
   * way), STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL; the node goes on then, and nothing is left of the backup.
   */
  backup(folder: string): Promise<BackupSummary> {
    return this.#parts.backups.make(folder);
  }

  /**
   * Reads the certificates again; connections made from now on use them. Those that stand go on, unless whom to believe has
   * changed: then all are made anew. Whether anything had changed. Throws TRANSPORT_TLS_INVALID, and goes on with what it had.
   * The files are looked at now and then by themselves (`tls.reloadIntervalMs`).
   */
  reloadTls(): boolean {
    return this.#parts.reloadTls();
  }

  /** Hears what happens in the cluster and to its runs, in log order. Returns how to stop hearing. */
  on(listener: (event: NodeEvent) => void): () => void {
    return this.#parts.events.on(listener);
  }

  /** Resolves with the leader once one is known. Rejects with NO_LEADER. */
  async waitForLeader(limit: CallLimit = {}): Promise<NodeId> {
    return this.#parts.cluster.waitForLeader(this.#timeout(limit));
  }

  /**
   * Stops in order: health says so, running runs go to other nodes and the leadership to another voter, calls under way are
   * answered; then it closes. Bounded by
   * `timeoutMs` (`stopTimeoutMs` of the options). The folder keeps identity and state for the next start. Idempotent.
   */
  stop(limit: CallLimit = {}): Promise<void> {
    this.#stopped ??= this.#stop(limit.timeoutMs ?? this.#config.stopTimeoutMs);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #takePart(): Promise<void> {
    const { cluster, isNew } = this.#parts;
    const { origin, joinTimeoutMs } = this.#config;
    if (origin.kind === "bootstrap" && isNew) await cluster.waitForLeader({ timeoutMs: joinTimeoutMs });
    if (origin.kind === "join" && isNew) await this.#becomeVoter(joinTimeoutMs);
    if (!isNew) this.#announceAfter(0);
    this.#logger.info({ nodeId: this.nodeId, clusterId: this.clusterId, address: this.address }, "node started");
  }

  /** Tells the others where this node is, and hears whether it still belongs to them; until a leader is heard (L3). */
  #announceAfter(delayMs: number): void {
    if (this.#isAnnouncing || this.#departure.isLeaving || this.#stopping.signal.aborted) return;
    this.#isAnnouncing = true;
    const { cluster, membership, dial, identity, address } = this.#parts;
    const { origin } = this.#config;
    const targets = origin.kind === "join" ? origin.targets : [];
    const announcement = { cluster, membership, dial, identity, address, targets, delayMs, logger: this.#logger };
    void announceAddress(announcement, this.#stopping.signal).then((failure) => {
      this.#isAnnouncing = false;
      if (failure !== undefined && !this.#departure.isLeaving) this.#fail(failure);
    });
  }

  /** Waits until the leader has made this node a voter. A large state may take longer than anyone wants to wait; it goes on. */
  async #becomeVoter(timeoutMs: number): Promise<void> {
    const { cluster } = this.#parts;
    const isVoter = (): boolean => cluster.status().confState.voters.includes(this.nodeId);
    if (isVoter()) return;
    const { promise, resolve } = Promise.withResolvers<"voter" | "late">();
    const stopListening = cluster.on((event) => {
      if (event.type === "members" && isVoter()) resolve("voter");
    });
    const timer = setTimeout(resolve, timeoutMs, "late");
    const outcome = await Promise.race([promise, this.failed]);
    clearTimeout(timer);
    stopListening();
    if (outcome instanceof Error) throw outcome;
    if (outcome === "late")
      this.#logger.warn({ timeoutMs }, "still catching up as a learner; it becomes a voter by itself");
  }

  /** For a client: answers once the node has left, stops after the answer is out. */
  async #leaveSoon(timeout: Timeout): Promise<void> {
    await this.#departure.leave(timeout);
    setImmediate(() => void this.stop());
  }

  async #stop(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    this.#parts.sayStopping();
    await this.#departure.handOver(timeoutMs);
    const left = Math.max(0, deadline - performance.now());
    await this.#parts.drain(Math.min(left, LONGEST_DRAIN_MS));
    await this.#close();
    this.#logger.info({ nodeId: this.nodeId }, "node stopped");
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    await this.#parts.close();
  }

  #fail(error: Error): void {
    this.#logger.error({ err: error }, "this node cannot go on");
    this.#failed.resolve(error);
  }

  #timeout(limit: CallLimit): Timeout {
    return { timeoutMs: timeoutArgument(limit.timeoutMs, this.#config.limits.defaultTimeoutMs) };
  }
}

function removed(nodeId: NodeId): RaftError {
  return new RaftError(
    "NODE_REMOVED",
    `Node ${nodeId} was removed from the cluster. To come back it joins with an empty data folder.`,
  );
}

function mustExist(node: RaftoralNode | undefined): RaftoralNode {
  if (node !== undefined) return node;
  throw new RaftError("NODE_STOPPED", "The node is starting. Try again.", { retryable: true });
}
