/**
 * Talks to a cluster from outside, through any of its nodes; when that one stops answering, through the next.
 *
 * Role: connecting, closing, and who is asked. What can be asked is {@link Workflows} and {@link Cluster}, as on a node.
 */
import { silentLogger } from "@raftoral/raft-core";
import { parseAddress, Security, type TlsOptions } from "@raftoral/transport-grpc";
import type { PayloadCodecs, PayloadCoder } from "@raftoral/workflow";
import { optionsArgument, timeoutArgument } from "../api/arguments.ts";
import { CheckedWorkflows } from "../api/checked-workflows.ts";
import { parseReachableAddress } from "../api/cluster/address.ts";
import { CheckedCluster } from "../api/cluster/checked-cluster.ts";
import type { Cluster } from "../api/cluster/cluster.ts";
import { NodeError } from "../api/errors.ts";
import type { Locks } from "../api/locks/locks.ts";
import { CodedOperations } from "../api/payloads/coded-operations.ts";
import { CodedWorkflows } from "../api/payloads/coded-workflows.ts";
import { payloadCoderOf } from "../api/payloads/payload-coder.ts";
import type { Workflows } from "../api/workflows.ts";
import { type Environment, unreferencedEnvironment } from "../platform.ts";
import { activeTrace } from "../tracing/active-trace.ts";
import { ClientCalls } from "./client-calls.ts";
import { ClientCluster } from "./client-cluster.ts";
import { ClientOperations } from "./client-operations.ts";
import { ClientWorkflows } from "./client-workflows.ts";
import { Failover } from "./failover.ts";
import { FollowedCalls } from "./followed-calls.ts";
import { MemberWatch } from "./member-watch.ts";
import { RunPolls } from "./run-polls.ts";

/** Options of a client. */
export interface ClientOptions {
  /** For calls that name no time, and for connecting, in milliseconds (10,000). */
  readonly timeoutMs?: number;
  /** Ask only the addresses given, never those of other members that they name. */
  readonly pinned?: boolean;
  /** How often the client asks who the members are now, in milliseconds (10,000). It also asks when one does not answer. */
  readonly membersIntervalMs?: number;
  /**
   * Whom to believe, and this client's own certificate; `false` asks for plaintext. Where nothing is said, loopback addresses
   * are used in plaintext and others refused.
   */
  readonly tls?: TlsOptions | false;
  /**
   * Encodes every value before it is sent, and decodes it where it is asked for (docs/payloads.md). Several are applied in their order. The nodes that execute the runs need codecs that
   * read these values. None by default.
   */
  readonly payloadCodec?: PayloadCodecs;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MEMBERS_INTERVAL_MS = 10_000;

/** What a client is made of. */
interface ClientParts {
  readonly addresses: readonly string[];
  readonly security: Security;
  readonly timeoutMs: number;
  readonly environment: Environment;
  readonly payloads: PayloadCoder;
}

/** A connection to a cluster. Made by {@link RaftoralClient.connect}. */
export class RaftoralClient {
  /** Starts runs and tells of them. */
  readonly workflows: Workflows;
  /** Locks, semaphores, rate limiters and elections: those of `workflows`. */
  readonly locks: Locks;
  /** Who belongs to the cluster, who leads it, and what operators change. */
  readonly cluster: Cluster;
  readonly #failover: Failover;
  readonly #calls: ClientCalls;
  readonly #polls: RunPolls;
  readonly #followed: FollowedCalls;
  readonly #security: Security;
  readonly #environment: Environment;
  readonly #stopWatching: () => void;
  #members: MemberWatch | undefined;

  private constructor({ addresses, security, timeoutMs, environment, payloads }: ClientParts) {
    const { clock, uuid } = environment;
    this.#security = security;
    this.#environment = environment;
    this.#failover = new Failover(addresses, security, clock);
    this.#calls = new ClientCalls(this.#failover, clock);
    this.#polls = new RunPolls(this.#failover, clock);
    this.#followed = new FollowedCalls(this.#failover, clock);
    this.#stopWatching = security.watch(clock, silentLogger);
    const port = CodedWorkflows.over(new ClientWorkflows(this.#calls, this.#polls, this.#followed), payloads);
    const operations = CodedOperations.over(new ClientOperations(this.#calls, this.#polls), payloads);
    this.workflows = new CheckedWorkflows({ port, operations, timeoutMs, uuid, clock, activeTrace });
    this.locks = this.workflows.locks;
    this.cluster = new CheckedCluster(new ClientCluster(this.#calls, addresses[0]), timeoutMs);
  }

  /**
   * Connects to the first of the nodes that answers, and learns of the others from it. Rejects with NODE_UNREACHABLE when
   * none does, with OPTIONS_INVALID for what is no address; with TRANSPORT_TLS_FAILED when certificates are not accepted, TRANSPORT_TLS_INVALID
   * when they cannot be used, TRANSPORT_PLAINTEXT_REFUSED for an address that leaves the machine when nothing was said about TLS.
   */
  static async connect(addresses: string | readonly string[], options: ClientOptions = {}): Promise<RaftoralClient> {
    const list = typeof addresses === "string" ? [addresses] : addresses;
    if (!Array.isArray(list) || list.length === 0) {
      throw new NodeError("OPTIONS_INVALID", "No address was given. Give the address of at least one node.");
    }
    for (const address of list) parseReachableAddress(address, "address");
    const { tls, timeoutMs: allowedMs, membersIntervalMs, pinned, payloadCodec } = optionsArgument(options);
    const payloads = payloadCoderOf(payloadCodec);
    const security = new Security(tls);
    for (const address of list) security.check(parseAddress(address), "connect to");
    const intervalMs = timeoutArgument(membersIntervalMs, DEFAULT_MEMBERS_INTERVAL_MS);
    const timeoutMs = timeoutArgument(allowedMs, DEFAULT_TIMEOUT_MS);
    const environment = unreferencedEnvironment;
    const client = new RaftoralClient({ addresses: list, security, timeoutMs, environment, payloads });
    try {
      const members = await client.#memberAddresses();
      if (pinned !== true) client.#watchMembers(members, intervalMs);
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

  /**
   * Reads the certificates again; connections made from now on use them. Whether anything had changed. Throws
   * TRANSPORT_TLS_INVALID, and goes on with what it had. The files are looked at now and then by themselves.
   */
  reloadTls(): boolean {
    return this.#security.reload();
  }

  /** Ends every call in progress. Idempotent. */
  close(): void {
    this.#stopWatching();
    this.#members?.close();
    this.#failover.close();
    this.#calls.close();
    this.#polls.close();
    this.#followed.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #memberAddresses(): Promise<readonly string[]> {
    return (await this.cluster.members()).map(({ address }) => address);
  }

  #watchMembers(known: readonly string[], intervalMs: number): void {
    this.#failover.learn(known);
    const watch = new MemberWatch({
      read: () => this.#memberAddresses(),
      learn: (members) => this.#failover.learn(members),
      intervalMs,
      clock: this.#environment.clock,
    });
    this.#members = watch;
    this.#failover.onFailover(() => watch.suspect());
  }
}
