/**
 * A node's server: peer streams, RaftService, and whatever services and plain HTTP its owner adds, on one port.
 *
 * Peer streams are taken off before Connect sees them (see grpc-framing.ts); all else is Connect's.
 */

import type { ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { AnyExecutor, Cancel, NodeId } from "@raftoral/raft-core";
import { formatAddress, parseAddress } from "../address.ts";
import type { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import type { HealthBoard } from "../health/health-board.ts";
import type { LocalPeer } from "../local-peer.ts";
import { ASK_PATH, DELEGATE_SNAPSHOT_PATH, EXCHANGE_PATH, encodingOf, SEND_SNAPSHOT_PATH } from "../wire/h2.ts";
import { http2Call } from "./client-call.ts";
import { handleDelegation } from "./delegate-handler.ts";
import { handleExchange, type InboundCall, type InboundStream } from "./exchange-handler.ts";
import type { GrpcServer, GrpcServerOptions } from "./grpc-server.ts";
import { Listener } from "./listener.ts";
import { routeRaftService } from "./raft-service.ts";
import { RefusalLog } from "./refusal-log.ts";
import { handleRequest } from "./request-handler.ts";
import { Services } from "./services.ts";
import { handleSnapshot } from "./snapshot-handler.ts";

const DEFAULT_GRACE_MS = 2_000;
/** Calls under way when whom to believe has changed may take so long: more than a long poll. */
const ROLL_GRACE_MS = 30_000;

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
  transport.security.check(at, "listen on");
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

/** The server of one node. */
class NodeServer implements GrpcServer {
  readonly nodeId: NodeId;
  address = "";
  readonly #local: LocalPeer;
  readonly #listener: Listener;
  readonly #refusals: RefusalLog;
  readonly #services: Services;
  readonly #stopListening: Cancel;
  #stopRollTimer: Cancel = () => {};
  readonly #exchanges = new Map<ServerHttp2Stream, InboundStream>();
  #closing: Promise<void> | undefined;

  constructor(local: LocalPeer, options: GrpcServerOptions, highestKnownNodeId: () => NodeId) {
    const { settings, counters, logger } = local;
    this.#local = local;
    this.nodeId = local.nodeId;
    this.#refusals = new RefusalLog(logger);
    this.#services = new Services({
      nodeId: this.nodeId,
      maxRequestBytes: options.maxRequestBytes ?? settings.maxFrameBytes,
      http: options.http,
      allowedOrigins: options.allowedOrigins ?? [],
      isServing: options.isServing ?? true,
      logger,
      routes: (router) => {
        routeRaftService(router, { local, address: () => this.address, highestKnownNodeId });
        options.routes?.(router);
      },
    });
    this.#listener = new Listener(settings.security, settings.connectTimeoutMs, {
      stream: (stream, headers, rawHeaders, caller) => {
        const path = headers[":path"];
        if (path === EXCHANGE_PATH) this.#onExchange({ stream, caller, encoding: encodingOf(headers) });
        else if (path === SEND_SNAPSHOT_PATH)
          this.#watch(stream, handleSnapshot(stream, local, this.#refusals, caller));
        else if (path === DELEGATE_SNAPSHOT_PATH)
          this.#watch(stream, handleDelegation(stream, local, this.#refusals, caller));
        else if (path === ASK_PATH) this.#watch(stream, handleRequest(stream, local, this.#refusals, caller));
        else this.#services.handle(http2Call(stream, headers, rawHeaders, caller));
      },
      call: (call) => this.#services.handle(call),
      refused: (reason, remote) => {
        counters.sessionsRejected += 1;
        this.#refusals.report({ peer: undefined, remote, reason: "TLS", message: reason });
      },
      failed: (error) => {
        counters.sessionsRejected += 1;
        logger.debug({ err: error }, "a connection ended with an error");
      },
      cut: (error) => logger.debug({ err: error }, "a connection was cut"),
      broken: (error) => logger.error({ err: error }, "the server failed"),
    });
    this.#stopListening = settings.security.onReload(({ isOtherTrust }) => {
      if (isOtherTrust) this.#roll();
    });
  }

  async listen(address: string): Promise<void> {
    this.address = formatAddress(await this.#listener.listen(parseAddress(address)));
    const { security } = this.#local.settings;
    this.#local.logger.info({ nodeId: this.nodeId, address: this.address, tls: security.isTls }, "listening");
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? DEFAULT_GRACE_MS);
    return this.#closing;
  }

  get health(): HealthBoard {
    return this.#services.health;
  }

  async drain(options: { readonly graceMs?: number } = {}): Promise<void> {
    const drained = this.#services.drain();
    const peers = new Set([...this.#exchanges.keys()].map((stream) => stream.session));
    // Callers are told to go elsewhere; calls under way finish. Peers stay: those calls need them.
    for (const [session] of this.#listener.sessions()) if (!peers.has(session)) session.close();
    const late = Promise.withResolvers<void>();
    const stopTimer = this.#local.clock.after(options.graceMs ?? DEFAULT_GRACE_MS, late.resolve);
    await Promise.race([drained, late.promise]);
    stopTimer();
  }

  async #close(graceMs: number): Promise<void> {
    this.#stopListening();
    this.#stopRollTimer();
    void this.#services.drain();
    const closed = this.#listener.close();
    if (graceMs === 0) this.#listener.cut();
    for (const exchange of this.#exchanges.values()) exchange.shutDown();
    for (const [session] of this.#listener.sessions()) session.close();
    const stopTimer = this.#local.clock.after(graceMs, () => this.#listener.cut());
    await closed;
    stopTimer();
    // Those that were cut would wait for a connection that cannot be made.
    this.#local.snapshots.receipts.close();
  }

  /** Whom to believe has changed: callers come again, and are judged again. Calls under way may finish. */
  #roll(): void {
    // Not a refusal, after which a peer stays away for a while.
    for (const stream of this.#exchanges.keys()) stream.close(http2.constants.NGHTTP2_CANCEL);
    const sessions = [...this.#listener.sessions()].map(([session]) => session);
    for (const session of sessions) session.close();
    // A stream that its caller never ends would go on under the old verdict.
    this.#stopRollTimer();
    this.#stopRollTimer = this.#local.clock.after(ROLL_GRACE_MS, () => {
      for (const session of sessions) session.destroy();
    });
  }

  /** An error of this side while it handles a call ends the call, and nothing else. */
  #watch(stream: ServerHttp2Stream, handled: Promise<void>): void {
    handled.catch((error: unknown) => {
      this.#local.logger.error({ err: error }, "a call of a peer could not be handled; it ends");
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    });
  }

  #onExchange(call: InboundCall): void {
    const { stream } = call;
    const exchange = handleExchange(call, this.#local, this.#refusals);
    this.#exchanges.set(stream, exchange);
    stream.on("close", () => this.#exchanges.delete(stream));
  }
}
