/**
 * The port of a node: takes connections, speaks TLS on them where it is set up, HTTP/2 or HTTP/1.1 as the caller does, and says who called.
 *
 * Invariants:
 * L1. Every stream and every request comes with its caller, decided when its connection stood; those of refused callers do not come at all.
 * L2. A connection that says nothing, or does not finish its handshake, ends after `handshakeTimeoutMs`.
 * L3. Nothing that comes over the port is thrown out of a listener, whatever the owner does with a stream: an error ends the stream,
 *     or the connection if there is no stream yet, and is told by `failed`. Errors of streams need no listener elsewhere.
 * L4. A stream that its caller has reset already does not come at all: it cannot be answered.
 */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { backgroundClock } from "@raftoral/raft-core";
import type { HostPort } from "../address.ts";
import { type Caller, callerOf, PLAINTEXT_ON_TLS } from "../security/caller.ts";
import type { Security } from "../security/security.ts";
import { tlsFailure } from "../security/tls-failure.ts";
import {
  canAnswer,
  GRPC_UNAUTHENTICATED,
  MAX_SESSION_MEMORY_MB,
  SESSION_WINDOW_BYTES,
  STREAM_WINDOW_BYTES,
} from "../wire/h2.ts";
import type { ClientCall } from "./client-call.ts";
import { whenKnown } from "./first-bytes.ts";
import { Http1Port } from "./http1-port.ts";
import { listen } from "./listen.ts";
import { turnAway } from "./turn-away.ts";

/** Dead clients are noticed by the operating system; peers are, long before, by their own pings. */
const TCP_KEEPALIVE_MS = 30_000;
/**
 * From a refusal to the end of its connection, in milliseconds. Not at once: connect-node 2.1.2 lets the `error` of a connection that
 * got a GOAWAY and is aborted at that moment go unhandled, and a client aborts when it reads that it is refused: its process would end.
 * `NodeSessions` does not, but callers may use connect-node's own.
 */
const REFUSAL_LINGER_MS = 250;

/** What a {@link Listener} reports. None of these may throw. */
export interface ListenerEvents {
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[], caller: Caller): void;
  /** A request of HTTP/1.1. */
  call(call: ClientCall): void;
  /** A caller is turned away; it is told the same. */
  refused(reason: string, remote: string | undefined): void;
  /** A connection ended with an error that a member or client in order does not cause: it did not speak the protocol. */
  failed(error: Error): void;
  /** A connection that had spoken the protocol ended without a farewell: its process was killed, or did not wait. */
  cut(error: Error): void;
  /** The port itself is broken. */
  broken(error: Error): void;
}

/** One listening port (L1 to L4). */
export class Listener {
  readonly #security: Security;
  readonly #events: ListenerEvents;
  readonly #handshakeTimeoutMs: number;
  readonly #server: net.Server;
  readonly #http1: Http1Port;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<ServerHttp2Session, Caller>();
  readonly #stopWatching: () => void;

  /** Throws TRANSPORT_TLS_INVALID when TLS is set up without a certificate for this node. */
  constructor(security: Security, handshakeTimeoutMs: number, events: ListenerEvents) {
    this.#security = security;
    this.#events = events;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#http1 = new Http1Port(handshakeTimeoutMs, {
      call: (call) => events.call(call),
      failed: (error) => events.failed(error),
    });
    const secure = security.isTls ? this.#tlsServer() : undefined;
    this.#stopWatching =
      secure === undefined ? () => {} : security.onReload(() => secure.setSecureContext(security.serverOptions()));
    const plaintext: Caller = security.isTls ? PLAINTEXT_ON_TLS : callerOf(undefined, security);
    const http2Server = this.#http2Server(() => plaintext);
    this.#server = net.createServer((socket) => {
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", (error) => (isCut(error) ? this.#events.cut(error) : this.#events.failed(error)));
      // L2: until the protocol has its own timers.
      socket.setTimeout(this.#handshakeTimeoutMs, () => socket.destroy());
      whenKnown(socket, (protocol) => {
        socket.setTimeout(0);
        if (protocol === "tls" && secure !== undefined) secure.emit("connection", socket);
        else if (protocol === "http1") this.#takeHttp1(socket, plaintext);
        else http2Server.emit("connection", socket);
      });
    });
  }

  /** Resolves with where it listens. Rejects with TRANSPORT_ADDRESS_IN_USE, TRANSPORT_ADDRESS_INVALID. */
  async listen(at: HostPort): Promise<HostPort> {
    const bound = await listen(this.#server, at);
    this.#server.on("error", (error) => this.#events.broken(error));
    return bound;
  }

  /** Connections that stand, with who made them. */
  sessions(): Iterable<readonly [ServerHttp2Session, Caller]> {
    return this.#sessions;
  }

  /** Takes no further connections. Resolves when the last one has ended. */
  async close(): Promise<void> {
    this.#stopWatching();
    this.#http1.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Ends every connection now. */
  cut(): void {
    for (const session of this.#sessions.keys()) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #takeHttp1(socket: Socket, caller: Caller): void {
    if (caller.kind === "refused") this.#events.refused(caller.reason, socket.remoteAddress);
    this.#http1.take(socket, caller);
  }

  #tlsServer(): http2.Http2SecureServer {
    const secure = http2.createSecureServer({
      ...this.#http2Options(),
      ...this.#security.serverOptions(),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: this.#handshakeTimeoutMs,
      requestCert: true,
      // Who is not believed is told why, by `turnAway`, and not left with a connection that breaks.
      rejectUnauthorized: false,
    });
    this.#take(secure, (session) => callerOf(session.socket as TLSSocket, this.#security));
    // Those who do not ask for HTTP/2.
    secure.on("unknownProtocol", (socket: TLSSocket) => {
      socket.on("error", (error) => (isCut(error) ? this.#events.cut(error) : this.#events.failed(error)));
      this.#guard(
        () => this.#takeHttp1(socket, callerOf(socket, this.#security)),
        () => socket.destroy(),
      );
    });
    secure.on("tlsClientError", (error) => this.#events.failed(tlsFailure(error, "a caller") ?? error));
    return secure;
  }

  #http2Server(decide: (session: ServerHttp2Session) => Caller): Http2Server {
    const server = http2.createServer(this.#http2Options());
    this.#take(server, decide);
    return server;
  }

  #http2Options() {
    return {
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: 1000 },
    };
  }

  #take(server: http2.Http2Server | http2.Http2SecureServer, decide: (session: ServerHttp2Session) => Caller): void {
    const { failed, cut } = this.#events;
    server.on("session", (session: ServerHttp2Session) => {
      this.#guard(
        () => this.#admit(session, decide(session)),
        () => session.destroy(),
      );
    });
    server.on("sessionError", (error: Error) => (isCut(error) ? cut(error) : failed(error)));
    server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
        stream.on("error", () => {});
        this.#guard(
          () => this.#dispatch(stream, headers, rawHeaders),
          () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
        );
      },
    );
  }

  #admit(session: ServerHttp2Session, caller: Caller): void {
    this.#sessions.set(session, caller);
    session.on("close", () => this.#sessions.delete(session));
    if (caller.kind === "refused") {
      this.#events.refused(caller.reason, session.socket.remoteAddress);
      // Just the time to read why.
      session.setTimeout(this.#handshakeTimeoutMs, () => session.destroy());
    } else session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  }

  #dispatch(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    const caller = this.#sessions.get(stream.session as ServerHttp2Session);
    // L4, and a stream whose connection has ended in the meantime.
    if (caller === undefined || !canAnswer(stream)) {
      stream.destroy();
      return;
    }
    if (caller.kind !== "refused") {
      this.#events.stream(stream, headers, rawHeaders, caller);
      return;
    }
    const message = caller.reason;
    turnAway(stream, headers, { grpcStatus: GRPC_UNAUTHENTICATED, httpStatus: 401, code: "unauthenticated", message });
    const { session } = stream;
    backgroundClock.after(REFUSAL_LINGER_MS, () => session?.close());
  }

  /** L3. */
  #guard(work: () => void, end: () => void): void {
    try {
      work();
    } catch (error) {
      this.#events.failed(error instanceof Error ? error : new Error(String(error)));
      end();
    }
  }
}

/** The other side closed its session with a code, or its socket is gone; what it had said was HTTP/2. */
const CUTS: ReadonlySet<unknown> = new Set(["ERR_HTTP2_SESSION_ERROR", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

function isCut(error: Error): boolean {
  return "code" in error && CUTS.has(error.code);
}
