/**
 * HTTP/1.1 on a node's port: for browsers, proxies and plain `curl`.
 *
 * Invariants:
 * HP1. As L1 to L3 of listener.ts: a request comes with its caller, who was decided on with the connection; a refused one does not come at all; nothing that
 *      comes over a connection is thrown out of a listener.
 * HP2. A request whose head does not come in `handshakeTimeoutMs`, or whose body does not in {@link REQUEST_TIMEOUT_MS}, ends its connection, and so does a connection that is
 *      idle for {@link IDLE_MS}.
 */
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Caller } from "../security/caller.ts";
import type { ClientCall } from "./client-call.ts";
import { http1Call } from "./client-call.ts";

/** From the first byte of a request to its last, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Between two requests on a connection, in milliseconds. */
const IDLE_MS = 60_000;
/** As Node's HTTP/2 allows. */
const MAX_HEADER_BYTES = 64 * 1024;

/** What an {@link Http1Port} reports. None of these may throw. */
export interface Http1Events {
  call(call: ClientCall): void;
  /** A connection did not speak HTTP/1.1. */
  failed(error: Error): void;
}

/** The connections of one port that speak HTTP/1.1 (HP1, HP2). */
export class Http1Port {
  readonly #server: Server;
  readonly #callers = new WeakMap<Socket, Caller>();
  readonly #events: Http1Events;

  constructor(handshakeTimeoutMs: number, events: Http1Events) {
    this.#events = events;
    this.#server = http.createServer(
      {
        headersTimeout: handshakeTimeoutMs,
        connectionsCheckingInterval: handshakeTimeoutMs,
        requestTimeout: Math.max(REQUEST_TIMEOUT_MS, handshakeTimeoutMs),
        keepAliveTimeout: IDLE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        insecureHTTPParser: false,
      },
      (request, response) => this.#take(request, response),
    );
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") events.failed(error);
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
      else socket.destroy();
    });
    // Without an answer Node ends these connections itself, but only where there is a listener does it say why.
    this.#server.on("connect", (_request: IncomingMessage, socket: Socket) => {
      socket.end("HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\n\r\n");
    });
    // Connections are handed over, so the server never listens itself; this begins its watch over slow requests (HP2).
    this.#server.emit("listening");
  }

  /** Takes over a connection. The caller has read none of its bytes, or put them back. */
  take(socket: Socket, caller: Caller): void {
    this.#callers.set(socket, caller);
    this.#server.emit("connection", socket);
  }

  /** Takes no further requests: connections end after those under way. */
  close(): void {
    this.#server.close(() => {});
    this.#server.closeIdleConnections();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    request.on("error", () => {});
    response.on("error", () => {});
    const caller = this.#callers.get(request.socket) ?? UNSEEN;
    const call = http1Call(request, response, caller);
    try {
      if (caller.kind !== "refused") this.#events.call(call);
      else call.turnAway({ grpcStatus: 16, httpStatus: 401, code: "unauthenticated", message: caller.reason });
    } catch (error) {
      this.#events.failed(error instanceof Error ? error : new Error(String(error)));
      call.breakOff();
    }
  }
}

/** No connection comes but by {@link Http1Port.take}. */
const UNSEEN: Caller = Object.freeze({ kind: "refused", reason: "this connection was not judged; connect again" });
