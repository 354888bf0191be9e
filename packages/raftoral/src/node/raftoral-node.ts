/**
 * A node of a cluster in this process: storage, transport, consensus, workflows and services put together.
 *
 * Role: composition and life cycle, nothing else. What can be asked of a node is {@link Workflows} and {@link Cluster}, as of a client.
 *
 * Invariants:
 * L1. A start that fails leaves nothing open: no port, no lock on the folder, no timer.
 * L2. `stop` ends within its time, whatever the cluster does; what could not be handed over is taken over by the others.
 * L3. A node that failed or was removed says so once, through `failed`, and takes no further part.
 */
import type { MeterProvider } from "@opentelemetry/api";
import type { Clock, Logger, NodeId } from "@raftoral/raft-core";
import { NONE, RaftError, silentLogger } from "@raftoral/raft-core";
import type { PayloadCodecs, WorkflowDefinition } from "@raftoral/workflow";
import { limitArgument, timeoutArgument } from "../api/arguments.ts";
import { abortable, type CallOptions } from "../api/call-options.ts";
import type { BackupSummary, Cluster } from "../api/cluster/cluster.ts";
import { nodeStarting } from "../api/errors.ts";
import type { Locks } from "../api/locks/locks.ts";
import type { Workflows } from "../api/workflows.ts";
import { type Environment, platformEnvironment } from "../platform.ts";
import { Deadline, type Timeout } from "../time/deadline.ts";
import type { ArchiveHook } from "./archiving/run-archiver.ts";
import { assemble } from "./assemble.ts";
import { type NodeConfig, type NodeSettings, nodeConfig } from "./config/node-config.ts";
import { checkOptions } from "./config/options-check.ts";
import { announceAddress } from "./identity/announce.ts";
import { Departure } from "./life-cycle/departure.ts";
import type { WorkflowTransport } from "./membership/node-network.ts";
import type { NodeEvent } from "./node-events.ts";
import type { NodeInternals, NodeParts } from "./node-plan.ts";
import type { NodeStorage } from "./storage/node-storage.ts";

/** Options of a node. */
export interface RaftoralNodeOptions extends NodeSettings {
  /** What this node can execute. Other nodes may have others. */
  readonly workflows?: readonly WorkflowDefinition[];
  /**
   * Gets every run that has ended, once it is committed that it has; a run is pruned only after that. The node that leads calls it, so give all nodes the same; while any node has it, no leader prunes what it has not taken. See docs/operations.md.
   */
  readonly archive?: ArchiveHook;
  /** Replaces gRPC, e.g. by an `InMemoryClusterTransport` that all nodes of a test share. Started and shut down by its owner. */
  readonly transport?: WorkflowTransport;
  /** Replaces the data folder. The node closes it. */
  readonly storage?: NodeStorage;
  /** Replaces the platform's clock for everything that the node does: for tests on virtual time, and of clocks that jump or run fast. */
  readonly clock?: Clock;
  /**
   * Encodes every value before it is recorded, and decodes it where a body or a caller of this node asks for it: encryption, compression (docs/payloads.md). Several are applied in their
   * order. Nodes and clients of one cluster need codecs that read each other's values. None by default: values are recorded as JSON.
   */
  readonly payloadCodec?: PayloadCodecs;
  /** Where metrics go as well (docs/metrics.md). Defaults to the global one of `@opentelemetry/api`, if one is set when the node starts. */
  readonly meterProvider?: MeterProvider;
  /** Defaults to silence. A pino logger will do. */
  readonly logger?: Logger;
}

/** Elections are over sooner. A node without a leader for longer asks the others whether it still belongs to them. */
const LEADERLESS_MS = 1_000;

/** Calls under way when a node stops are answered within it, or their callers ask another node. */
const LONGEST_DRAIN_MS = 2_000;

let startWith: (options: RaftoralNodeOptions, internals: NodeInternals) => Promise<RaftoralNode>;

/** As {@link RaftoralNode.start}, with another inside. For the testing kit; not exported by the package. */
export function startNode(options: RaftoralNodeOptions, internals: NodeInternals): Promise<RaftoralNode> {
  return startWith(options, internals);
}

let countWaits: (node: RaftoralNode) => number;

/** How many calls of this node wait for a run to end. For tests; not exported by the package. */
export function waitsOf(node: RaftoralNode): number {
  return countWaits(node);
}

/** A node of a cluster. Made by {@link RaftoralNode.start}. */
export class RaftoralNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** Where others reach this node. */
  readonly address: string;
  /** Where this node's metrics are served, with `metrics.prometheus`. */
  readonly metricsAddress: string | undefined;
  /** Resolves, with the reason, when the node cannot go on: its disk failed, or it was removed from the cluster. Never rejects. */
  readonly failed: Promise<Error>;
  /** Resolves when the node has left the cluster, by {@link leave} or because somebody asked it to. */
  readonly left: Promise<"left">;
  /** Starts runs and tells of them: the same API as a client's. */
  readonly workflows: Workflows;
  /** Locks, semaphores, rate limiters and elections: those of `workflows`. */
  readonly locks: Locks;
  /** Who belongs to the cluster, who leads it, and what operators change: the same API as a client's. */
  readonly cluster: Cluster;
  readonly #parts: NodeParts;
  readonly #config: NodeConfig;
  readonly #environment: Environment;
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
  static start(options: RaftoralNodeOptions): Promise<RaftoralNode> {
    return RaftoralNode.#start(options, {});
  }

  static {
    startWith = RaftoralNode.#start;
    countWaits = (node) => node.#parts.waits();
  }

  static async #start(options: RaftoralNodeOptions, internals: NodeInternals): Promise<RaftoralNode> {
    const config = nodeConfig(options);
    checkOptions(options);
    const { logger = silentLogger, clock = platformEnvironment.clock } = options;
    const environment = { ...platformEnvironment, clock, ...internals.environment };
    // The parts call back into the node, which needs the parts.
    let node: RaftoralNode | undefined;
    const parts = await assemble({
      ...options,
      config,
      environment,
      internals,
      logger,
      leave: (timeout) => mustExist(node).#leaveSoon(timeout),
    });
    node = new RaftoralNode(parts, config, environment, logger);
    try {
      await node.#takePart();
      return node;
    } catch (error) {
      await node.#close();
      throw error;
    }
  }

  private constructor(parts: NodeParts, config: NodeConfig, environment: Environment, logger: Logger) {
    this.#parts = parts;
    this.#config = config;
    this.#environment = environment;
    this.#logger = logger;
    this.workflows = parts.workflows;
    this.locks = parts.workflows.locks;
    this.cluster = parts.cluster;
    this.nodeId = parts.identity.nodeId;
    this.clusterId = parts.identity.clusterId;
    this.address = parts.address;
    this.metricsAddress = parts.metricsAddress;
    this.failed = this.#failed.promise;
    this.#departure = new Departure({ ...parts, cluster: parts.group, clock: environment.clock, logger });
    this.left = this.#departure.left;
    parts.group.on((event) => {
      if (event.type === "failed") this.#fail(event.error);
      else if (event.type === "removed" && !this.#departure.isLeaving) this.#fail(removed(this.nodeId));
      else if (event.type === "leader" && event.leader === NONE) this.#announceAfter(LEADERLESS_MS);
    });
  }

  /**
   * Leaves the cluster for good: hands over runs and leadership, is removed from the configuration, stops. Rejects with LAST_MEMBER, NO_LEADER or
   * DEADLINE_EXCEEDED; the node is a member as before then.
   */
  async leave(options?: CallOptions): Promise<void> {
    const limit = limitArgument(options, this.#config.limits.defaultTimeoutMs);
    await abortable(limit, "Leaving the cluster", () => this.#departure.leave(limit));
    await this.stop();
  }

  /**
   * Backs this node up into a new or empty folder while it runs: everything that it had acknowledged when this was called, as its folder was at
   * one moment after. `raftoral storage restore` makes a new cluster of it. Rejects with BACKUP_REFUSED (no data folder, or one is under
   * way), STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL; the node goes on then, and nothing is left of the backup.
   */
  backUp(folder: string): Promise<BackupSummary> {
    return this.#parts.backups.make(folder);
  }

  /**
   * Reads the certificates again; connections made from now on use them. Those that stand go on, unless whom to believe has
   * changed: then all are made again. Whether anything had changed. Throws TRANSPORT_TLS_INVALID, and goes on with what it had.
   * The files are looked at now and then by themselves (`tls.reloadIntervalMs`).
   */
  reloadTls(): boolean {
    return this.#parts.reloadTls();
  }

  /** Hears what happens in the cluster and to its runs, in log order. Returns how to stop hearing. */
  on(listener: (event: NodeEvent) => void): () => void {
    return this.#parts.events.on(listener);
  }

  /**
   * Stops in order: health says so, running runs go to other nodes and the leadership to another voter, calls under way are
   * answered; then it closes. Bounded by
   * `timeoutMs` (`stopTimeoutMs` of the options). The folder keeps identity and state for the next start. Idempotent.
   */
  stop(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(timeoutArgument(options.timeoutMs, this.#config.stopTimeoutMs));
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #takePart(): Promise<void> {
    const { group, isNew } = this.#parts;
    const { origin, joinTimeoutMs } = this.#config;
    if (origin.kind === "bootstrap" && isNew) await group.waitForLeader({ timeoutMs: joinTimeoutMs });
    if (origin.kind === "join" && isNew) await this.#becomeVoter(joinTimeoutMs);
    if (!isNew) this.#announceAfter(0);
    this.#logger.info({ nodeId: this.nodeId, clusterId: this.clusterId, address: this.address }, "node started");
  }

  /** Tells the others where this node is, and hears whether it still belongs to them; until a leader is heard (L3). */
  #announceAfter(delayMs: number): void {
    if (this.#isAnnouncing || this.#departure.isLeaving || this.#stopping.signal.aborted) return;
    this.#isAnnouncing = true;
    const { group: cluster, membership, dial, identity, address } = this.#parts;
    const { origin } = this.#config;
    const targets = origin.kind === "join" ? origin.targets : [];
    if (origin.kind === "members") {
      for (const member of origin.members) membership.suggest(member.nodeId, member.address);
    }
    const { clock } = this.#environment;
    const announcement = {
      cluster,
      membership,
      dial,
      identity,
      address,
      targets,
      delayMs,
      clock,
      logger: this.#logger,
    };
    void announceAddress(announcement, this.#stopping.signal).then((failure) => {
      this.#isAnnouncing = false;
      if (failure !== undefined && !this.#departure.isLeaving) this.#fail(failure);
    });
  }

  /** Waits until the leader has made this node a voter. A large state may take longer than anyone wants to wait; it goes on. */
  async #becomeVoter(timeoutMs: number): Promise<void> {
    const { group } = this.#parts;
    const isVoter = (): boolean => group.status().confState.voters.includes(this.nodeId);
    if (isVoter()) return;
    const { promise, resolve } = Promise.withResolvers<"voter" | "late">();
    const stopListening = group.on((event) => {
      if (event.type === "members" && isVoter()) resolve("voter");
    });
    const cancel = this.#environment.clock.after(timeoutMs, () => resolve("late"));
    const outcome = await Promise.race([promise, this.failed]);
    cancel();
    stopListening();
    if (outcome instanceof Error) throw outcome;
    if (outcome === "late")
      this.#logger.warn({ timeoutMs }, "still catching up as a learner; it becomes a voter by itself");
  }

  /** For a client: answers once the node has left, stops after the answer is out. */
  async #leaveSoon(timeout: Timeout): Promise<void> {
    await this.#departure.leave(timeout);
    this.#environment.clock.soon(() => void this.stop());
  }

  async #stop(timeoutMs: number): Promise<void> {
    const deadline = new Deadline({ timeoutMs }, this.#environment.clock);
    this.#parts.sayStopping();
    await this.#departure.handOver(timeoutMs);
    await this.#parts.drain(Math.min(Math.max(0, deadline.leftMs), LONGEST_DRAIN_MS));
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
}

function removed(nodeId: NodeId): RaftError {
  return new RaftError(
    "NODE_REMOVED",
    `Node ${nodeId} was removed from the cluster. To come back it joins with an empty data folder.`,
  );
}

function mustExist(node: RaftoralNode | undefined): RaftoralNode {
  if (node !== undefined) return node;
  throw nodeStarting(undefined);
}
