/** Calls one node's RaftService: for tools, tests, and nodes that look for a cluster to join. */
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type GroupId, RaftError, TransportError } from "@raftoral/raft-core";
import { encodeMessage, type Message } from "@raftoral/raft-core/transport";
import { formatAddress, parseAddress } from "../address.ts";
import { RaftService } from "../gen/raftoral/raft_service_pb.ts";
import { Security } from "../security/security.ts";
import type { TlsOptions } from "../security/tls-options.ts";
import { GROUP_HEADER } from "../wire/group-header.ts";
import { type DiscoveryResponse, discoveryFrom } from "../wire/raft-service-codec.ts";
import { securityFailure } from "./call-failure.ts";
import { NodeSessions } from "./node-sessions.ts";

/** Defaults in parentheses. */
export interface RaftClientOptions {
  /** How long a call may take, in milliseconds, at least 1 (10,000). More than a day is a day. */
  readonly timeoutMs?: number;
  /** The group that calls are about (1). */
  readonly groupId?: GroupId;
  /**
   * Whom to believe, and this client's own certificate, read once; `false` asks for plaintext. Where nothing is said, loopback
   * addresses are used in plaintext and others refused.
   */
  readonly tls?: TlsOptions | false;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** A gRPC deadline has eight digits at most: a good day. */
const LONGEST_TIMEOUT_MS = 99_999_999;

/**
 * A client of one node. Calls reject with TransportError: TRANSPORT_PEER_UNREACHABLE, TRANSPORT_REQUEST_FAILED, or a code of TLS. `close` ends its
 * connection.
 */
export class RaftClient {
  /** As given to {@link connect}. */
  readonly address: string;
  readonly #sessions: NodeSessions;
  readonly #client: Client<typeof RaftService>;
  readonly #callOptions: { readonly timeoutMs: number; readonly headers: Record<string, string> };

  private constructor(address: string, sessions: NodeSessions, options: RaftClientOptions) {
    this.address = address;
    this.#sessions = sessions;
    const transport = createGrpcTransport({ baseUrl: sessions.authority, sessionManager: sessions });
    this.#client = createClient(RaftService, transport);
    this.#callOptions = {
      timeoutMs: Math.min(Math.ceil(options.timeoutMs ?? DEFAULT_TIMEOUT_MS), LONGEST_TIMEOUT_MS),
      headers: options.groupId === undefined ? {} : { [GROUP_HEADER]: String(options.groupId) },
    };
  }

  /**
   * A client of the node at `address`, connected. Rejects with TRANSPORT_ADDRESS_INVALID, TRANSPORT_PLAINTEXT_REFUSED or
   * TRANSPORT_TLS_INVALID, with CONFIG_INVALID for a timeout that is no length of time, with TRANSPORT_PEER_UNREACHABLE when no node answers there, with TRANSPORT_TLS_FAILED when what answers
   * has not the right certificate. A node that does not accept this client's says so at the first call.
   */
  static async connect(address: string, options: RaftClientOptions = {}): Promise<RaftClient> {
    const parsed = parseAddress(address);
    const security = new Security(options.tls);
    security.check(parsed, "connect to");
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!(timeoutMs >= 1)) {
      throw new RaftError("CONFIG_INVALID", `timeoutMs is ${timeoutMs}; it must be a number of milliseconds from 1.`, {
        details: { option: "timeoutMs", value: timeoutMs },
      });
    }
    const sessions = new NodeSessions(parsed, security, { connectTimeoutMs: timeoutMs });
    const client = new RaftClient(formatAddress(parsed), sessions, options);
    try {
      await sessions.connect();
    } catch (error) {
      sessions.abort();
      throw client.#unreachable(error);
    }
    return client;
  }

  /** Hands one Raft message to the node. Rejects with TRANSPORT_REQUEST_FAILED when the node does not take it. */
  async sendMessage(message: Message): Promise<void> {
    await this.#send({ raftMessage: encodeMessage(message) });
  }

  /** Has the node propose a command; resolves once it is applied there. `command` is what the executor's `encode` gives. */
  async sendCommand(command: Uint8Array): Promise<void> {
    await this.#send({ command });
  }

  async discover(): Promise<DiscoveryResponse> {
    try {
      return discoveryFrom(await this.#client.discover({}, this.#callOptions));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Closes the connection; calls under way fail. */
  close(): void {
    this.#sessions.abort();
  }

  async #send(request: { readonly raftMessage?: Uint8Array; readonly command?: Uint8Array }): Promise<void> {
    let response: { readonly success: boolean; readonly error: string };
    try {
      response = await this.#client.sendMessage(request, this.#callOptions);
    } catch (error) {
      throw this.#failed(error);
    }
    if (response.success) return;
    throw new TransportError("TRANSPORT_REQUEST_FAILED", `${this.address} did not take it: ${response.error}`, {
      details: { address: this.address, reason: response.error },
    });
  }

  #failed(error: unknown): TransportError {
    const insecure = securityFailure(error, this.address);
    if (insecure !== undefined) return insecure;
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.Unavailable || code === Code.Aborted) return this.#unreachable(error);
    return new TransportError(
      "TRANSPORT_REQUEST_FAILED",
      `The call to ${this.address} failed (${Code[code]}): ${rawMessage}`,
      {
        retryable: code === Code.DeadlineExceeded,
        cause: error,
        details: { address: this.address, reason: Code[code] },
      },
    );
  }

  #unreachable(cause: unknown): TransportError {
    const insecure = securityFailure(cause, this.address);
    if (insecure !== undefined) return insecure;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new TransportError(
      "TRANSPORT_PEER_UNREACHABLE",
      `No node answers at ${this.address} (${why}). Check the address and that the node runs.`,
      { retryable: true, cause, details: { address: this.address } },
    );
  }
}
