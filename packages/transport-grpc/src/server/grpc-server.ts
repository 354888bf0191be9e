/**
 * A node's server: peer streams, RaftService, and whatever services its owner adds, on one HTTP/2 port.
 *
 * Peer streams are taken off before Connect sees them (see grpc-framing.ts); all else is Connect's.
 */

import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { AnyExecutor, NodeId } from "@raftoral/raft-core";
import { formatAddress, parseAddress } from "../address.ts";
import type { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import type { LocalPeer } from "../local-peer.ts";
import {
  EXCHANGE_PATH,
  MAX_SESSION_MEMORY_MB,
  SEND_SNAPSHOT_PATH,
  SESSION_WINDOW_BYTES,
  STREAM_WINDOW_BYTES,
} from "../wire/h2.ts";
import { handleExchange, type InboundStream } from "./exchange-handler.ts";
import { listen } from "./listen.ts";
import { routeRaftService } from "./raft-service.ts";
import { RefusalLog } from "./refusal-log.ts";
import { handleSnapshot } from "./snapshot-handler.ts";

/** Defaults in parentheses. */
export interface GrpcServerOptions {
  /** Adds services of the node's owner to the same port. */
  readonly routes?: (router: ConnectRouter) => void;
  /** Largest request of those services and of RaftService in bytes (the transport's maxFrameBytes). */
  readonly maxRequestBytes?: number;
  /** Where others reach this node, if that is not where it listens. */
  readonly advertise?: string;
}

export interface GrpcServer {
  readonly nodeId: NodeId;
  /** Where it listens; a port of 0 has become the real one. */
  readonly address: string;
  /**
   * Takes no more calls, tells peers that this node stops, gives running calls up to `graceMs` (2,000) and closes. Idempotent.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

const DEFAULT_GRACE_MS = 2_000;
/** Dead clients are noticed by the operating system; peers are, long before, by their own pings. */
const TCP_KEEPALIVE_MS = 30_000;

/**
 * Listens for `nodeId`, which is added to the transport if it is not there yet; a port of 0 picks a free one and the transport
 * learns it. Throws TRANSPORT_ADDRESS_IN_USE, TRANSPORT_ADDRESS_INVALID.
 */
export async function startGrpcServer<E extends AnyExecutor>(
  address: string,
  transport: GrpcClusterTransport<E>,
  nodeId: NodeId,
  options: GrpcServerOptions = {},
): Promise<GrpcServer> {
  const at = parseAddress(address);
  if (options.advertise !== undefined) parseAddress(options.advertise);
  if (transport.getNodeAddress(nodeId) === undefined) {
    transport.addNode({ nodeId, address: options.advertise ?? address });
  }
  const server = new NodeServer(transport.peer(nodeId), options, () => transport.nodeIds().at(-1) ?? nodeId);
  await server.listen(address);
  const known = transport.getNodeAddress(nodeId);
  if (options.advertise !== undefined) transport.addNode({ nodeId, address: options.advertise });
  else if (at.port === 0 || known === undefined || parseAddress(known).port === 0) {
    transport.addNode({ nodeId, address: server.address });
  }
  transport.adopt(server);
  return server;
}

class NodeServer implements GrpcServer {
  readonly nodeId: NodeId;
  address = "";
  readonly #local: LocalPeer;
  readonly #server: Http2Server;
  readonly #refusals: RefusalLog;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #exchanges = new Set<InboundStream>();
  #closing: Promise<void> | undefined;

  constructor(local: LocalPeer, options: GrpcServerOptions, highestKnownNodeId: () => NodeId) {
    this.#local = local;
    this.nodeId = local.nodeId;
    this.#refusals = new RefusalLog(local.logger);
    const connect = connectNodeAdapter({
      routes: (router) => {
        routeRaftService(router, { local, address: () => this.address, highestKnownNodeId });
        options.routes?.(router);
      },
      readMaxBytes: options.maxRequestBytes ?? local.settings.maxFrameBytes,
    });
    this.#server = http2.createServer({
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: 1000 },
    });
    this.#server.on("connection", (socket: Socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
    this.#server.on("session", (session) => this.#onSession(session));
    this.#server.on("sessionError", (error) => {
      local.counters.sessionsRejected += 1;
      local.logger.debug({ err: error }, "a connection ended with an error");
    });
    this.#server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
        const path = headers[":path"];
        if (path === EXCHANGE_PATH) this.#onExchange(stream);
        else if (path === SEND_SNAPSHOT_PATH) void handleSnapshot(stream, local, this.#refusals);
        else connect(...compatibility(stream, headers, rawHeaders));
      },
    );
  }

  async listen(address: string): Promise<void> {
    this.address = formatAddress(await listen(this.#server, parseAddress(address)));
    this.#server.on("error", (error) => this.#local.logger.error({ err: error }, "the server failed"));
    this.#local.logger.info({ nodeId: this.nodeId, address: this.address }, "listening");
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? DEFAULT_GRACE_MS);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const cut = () => {
      for (const session of this.#sessions) session.destroy();
    };
    if (graceMs === 0) cut();
    for (const exchange of this.#exchanges) exchange.shutDown();
    for (const session of this.#sessions) session.close();
    const stopTimer = this.#local.clock.after(graceMs, cut);
    await closed;
    stopTimer();
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  }

  #onExchange(stream: ServerHttp2Stream): void {
    const exchange = handleExchange(stream, this.#local, this.#refusals);
    this.#exchanges.add(exchange);
    stream.on("close", () => this.#exchanges.delete(exchange));
  }
}

/** Node's request and response objects for a stream, as its own compatibility layer would make them. */
function compatibility(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
): [http2.Http2ServerRequest, http2.Http2ServerResponse] {
  return [new http2.Http2ServerRequest(stream, headers, {}, rawHeaders), new http2.Http2ServerResponse(stream)];
}
