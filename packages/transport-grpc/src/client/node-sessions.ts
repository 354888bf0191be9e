/**
 * The connection of a Connect client to one node: made at the first call, made again after it was lost.
 *
 * It stands in for connect-node's own `Http2SessionManager` (2.1.2), which leaves errors of a connection without a listener
 * between two of its states, so that a server that breaks the protocol ends the caller's process.
 *
 * Invariants:
 * N1. Each connection has a listener for its errors from its first moment to its last.
 * N2. A call fails or gets a stream; it never waits for a connection that has failed, and never for longer than `connectTimeoutMs`.
 * N3. Calls name their authority: left to itself, Node writes IPv6 addresses without their brackets.
 * N4. A connection without calls does not keep the process alive.
 */
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { backgroundClock, type Cancel, platformClock } from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";
import type { Security } from "../security/security.ts";
import { MAX_SESSION_MEMORY_MB } from "../wire/h2.ts";

/** Defaults in parentheses. */
export interface NodeSessionsOptions {
  /** A connection must stand within this time, in milliseconds (10,000). */
  readonly connectTimeoutMs?: number;
  /** While calls are under way, a connection on which nothing came for this long is pinged, in milliseconds (no pings). */
  readonly pingIntervalMs?: number;
  /** A ping without an answer for this long ends the connection and its calls, in milliseconds (15,000). */
  readonly pingTimeoutMs?: number;
  /** A connection without calls is closed after this time, in milliseconds (900,000). */
  readonly idleTimeoutMs?: number;
  /** Memory of the connection above which Node refuses what the server sends, in MB (64). */
  readonly maxSessionMemoryMb?: number;
}

/** Connections for one call: a server may close one in the moment in which it is used. */
const MAX_TRIES = 3;
const DEFAULTS = { connectTimeoutMs: 10_000, pingTimeoutMs: 15_000, idleTimeoutMs: 15 * 60_000 };

/** For the option `sessionManager` of `createGrpcTransport`. */
export class NodeSessions {
  /** Origin of the URL: what Connect compares with the one of its calls, and takes for its `baseUrl`. */
  readonly authority: string;
  readonly #options: NodeSessionsOptions;
  readonly #open: () => ClientHttp2Session;
  readonly #authority: string;
  /** Those that stand, the ones that the server is closing included. */
  readonly #connections = new Set<Connection>();
  #current: Connection | undefined;
  #abortReason: ConnectError | undefined;

  /** Does not connect yet. Certificates that `security` reloads count from the next connection on. */
  constructor(address: HostPort, security: Security, options: NodeSessionsOptions = {}) {
    const url = security.authority(address);
    this.authority = new URL(url).origin;
    this.#authority = formatAddress(address);
    this.#options = options;
    const maxSessionMemory = options.maxSessionMemoryMb ?? MAX_SESSION_MEMORY_MB;
    // Not copied: a getter reads the certificates.
    const sessionOptions = Object.assign(security.clientOptions(address), { maxSessionMemory });
    this.#open = () => http2.connect(url, sessionOptions);
  }

  /** Resolves when a connection stands. Rejects with the reason why none does. */
  async connect(): Promise<void> {
    await this.#usable();
  }

  /** Begins a call. Rejects with what is wrong with the connection. */
  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream> {
    const fields = { ":authority": this.#authority, ...headers, ":method": method, ":path": path };
    for (let tries = 1; ; tries += 1) {
      const connection = await this.#usable();
      try {
        return connection.request(fields, options);
      } catch (error) {
        if (connection.isUsable || tries === MAX_TRIES) throw error;
      }
    }
  }

  /** Bytes of a call's answer came. */
  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    for (const connection of this.#connections) connection.heard(stream);
  }

  /** Ends every connection and every call, for good. Idempotent. */
  abort(): void {
    this.#abortReason ??= new ConnectError("connection aborted", Code.Canceled);
    for (const connection of this.#connections) connection.end(this.#abortReason);
  }

  /** A connection for a new call. */
  async #usable(): Promise<Connection> {
    if (this.#abortReason !== undefined) throw this.#abortReason;
    const earlier = this.#current;
    if (earlier?.isUsable === true) {
      try {
        await earlier.ready();
        return earlier;
      } catch (error) {
        // Lost while no call used it: the node may be there all the same.
        if (!earlier.hasStood || this.#abortReason !== undefined) throw error;
      }
    }
    if (this.#current?.isUsable !== true) this.#current = this.#connected();
    const connection = this.#current;
    await connection.ready();
    return connection;
  }

  #connected(): Connection {
    const connection = new Connection(this.#open(), this.#options, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return connection;
  }
}

/** One session with its pings. */
class Connection {
  /** Whether it was ever connected. */
  hasStood = false;
  readonly #session: ClientHttp2Session;
  readonly #pingIntervalMs: number | undefined;
  readonly #pingTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #connected: Promise<void>;
  #verifying: Promise<void> | undefined;
  #reason: unknown;
  #calls = 0;
  #heardAtMs = performance.now();
  #stopPingTimer: Cancel = () => {};
  #stopIdleTimer: Cancel = () => {};

  constructor(session: ClientHttp2Session, options: NodeSessionsOptions, closed: () => void) {
    this.#session = session;
    this.#pingIntervalMs = options.pingIntervalMs;
    this.#pingTimeoutMs = options.pingTimeoutMs ?? DEFAULTS.pingTimeoutMs;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? DEFAULTS.idleTimeoutMs;
    session.on("error", (error) => {
      this.#reason ??= error;
    });
    const timeoutMs = options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs;
    this.#connected = new Promise((resolve, reject) => {
      const stopTimer = platformClock.after(timeoutMs, () =>
        this.end(new ConnectError(`no connection within ${timeoutMs} ms`, Code.Unavailable)),
      );
      session.on("connect", () => {
        stopTimer();
        this.hasStood = true;
        this.#heardAtMs = performance.now();
        session.unref();
        this.#rest();
        resolve();
      });
      session.on("close", () => {
        stopTimer();
        this.#stopPingTimer();
        this.#stopIdleTimer();
        closed();
        reject(this.#reason ?? new ConnectError("the connection was closed", Code.Unavailable));
      });
    });
    // A caller that waits for it hears of it. There may be none.
    this.#connected.catch(() => {});
  }

  /** Whether new calls may be made on it. The server's GOAWAY ends that; calls under way go on. */
  get isUsable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Resolves when it stands; one that nothing was heard of for a while is pinged first. Rejects when it does not. */
  async ready(): Promise<void> {
    await this.#connected;
    if (this.#pingIntervalMs === undefined || performance.now() - this.#heardAtMs <= this.#pingIntervalMs) return;
    this.#verifying ??= this.#ping().finally(() => {
      this.#verifying = undefined;
    });
    await this.#verifying;
  }

  /** Throws what is wrong with the connection when it cannot take the call. */
  request(headers: OutgoingHttpHeaders, options: Omit<ClientSessionRequestOptions, "signal">): ClientHttp2Stream {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(headers, options);
    } catch (error) {
      throw this.#reason ?? error;
    }
    this.#calls += 1;
    if (this.#calls === 1) {
      this.#session.ref();
      this.#stopIdleTimer();
      this.#watch();
    }
    stream.once("response", () => this.#hear());
    stream.once("close", () => {
      this.#calls -= 1;
      if (this.#calls > 0 || this.#session.destroyed) return;
      this.#stopPingTimer();
      this.#session.unref();
      this.#rest();
    });
    return stream;
  }

  heard(stream: ClientHttp2Stream): void {
    if (stream.session === this.#session) this.#hear();
  }

  end(reason: ConnectError): void {
    this.#reason ??= reason;
    if (!this.#session.destroyed) this.#session.destroy(reason, http2.constants.NGHTTP2_CANCEL);
  }

  #hear(): void {
    this.#heardAtMs = performance.now();
  }

  /** Pings while there are calls and nothing is heard. */
  #watch(): void {
    const intervalMs = this.#pingIntervalMs;
    if (intervalMs === undefined) return;
    const dueMs = this.#heardAtMs + intervalMs - performance.now();
    this.#stopPingTimer = backgroundClock.after(dueMs, () => {
      const isQuiet = performance.now() - this.#heardAtMs >= intervalMs;
      const next = (): void => {
        if (this.#calls > 0 && !this.#session.destroyed) this.#watch();
      };
      if (isQuiet) void this.#ping().then(next, next);
      else next();
    });
  }

  /** Closes the connection when no call comes for long. */
  #rest(): void {
    this.#stopIdleTimer();
    this.#stopIdleTimer = backgroundClock.after(this.#idleTimeoutMs, () => this.#session.close());
  }

  /** Resolves with an answer. Ends the connection and rejects without one. */
  async #ping(): Promise<void> {
    const silence = new ConnectError(`no answer to a ping within ${this.#pingTimeoutMs} ms`, Code.Unavailable);
    const stopTimer = backgroundClock.after(this.#pingTimeoutMs, () => this.end(silence));
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#session.destroyed) throw this.#reason ?? silence;
        this.#session.ping((error) => (error === null ? resolve() : reject(this.#reason ?? error)));
      });
      this.#hear();
    } finally {
      stopTimer();
    }
  }
}
