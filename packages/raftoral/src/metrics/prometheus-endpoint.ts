/**
 * The HTTP port that a Prometheus server scrapes: `GET /metrics`. A port of its own, for the node's speaks HTTP/2 without a
 * word of HTTP/1.1, which is what Prometheus speaks.
 *
 * Role: HTTP and nothing else; what there is to say comes from {@link PrometheusEndpoint.serve}. Without TLS and without
 * passwords: it tells numbers, and those to anyone who reaches the port.
 *
 * E1. At most one page is made at a time; who asks meanwhile gets the same one.
 * E2. Closed, it holds no port and no connection.
 * E3. No request throws out of a listener or leaves a rejection behind: the worst is the end of its connection.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "@raftoral/raft-core";
import { formatAddress, parseAddress } from "../api/cluster/address.ts";
import { NodeError } from "../api/errors.ts";
import { PROMETHEUS_CONTENT_TYPE } from "./prometheus-text.ts";

const PATH = "/metrics";
/** Scrapers are a few; more connections are closed at once. */
const MAX_CONNECTIONS = 32;
/** A request without a body has come by then. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Longer than the usual pause between two scrapes, so that the connection is there for the next one. */
const KEEP_ALIVE_MS = 75_000;

/** The endpoint of one node (E1 to E3). Begin with {@link PrometheusEndpoint.serve}, end with `close`. */
export class PrometheusEndpoint {
  /** Where it listens, with the port that was taken for 0. */
  readonly address: string;
  readonly #server: Server;
  readonly #logger: Logger;
  #render: (() => Promise<string>) | undefined;
  #rendering: Promise<string> | undefined;

  /** Listens; until there is something to {@link serve} it answers 503. Rejects with METRICS_LISTEN_FAILED. */
  static async open(listen: string, logger: Logger): Promise<PrometheusEndpoint> {
    const { host, port } = parseAddress(listen, "metrics.prometheus");
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
    server.maxConnections = MAX_CONNECTIONS;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port, exclusive: true }, resolve);
      });
    } catch (error) {
      throw listenFailure(listen, error);
    }
    const bound = server.address();
    const address = formatAddress({ host, port: typeof bound === "object" && bound !== null ? bound.port : port });
    logger.info({ address: `http://${address}${PATH}` }, "metrics are served");
    return new PrometheusEndpoint(server, address, logger);
  }

  private constructor(server: Server, address: string, logger: Logger) {
    this.#server = server;
    this.address = address;
    this.#logger = logger;
    server.on("request", (request, response) => {
      response.on("error", () => {});
      this.#answer(request, response).catch((error: unknown) => {
        logger.warn({ err: error }, "a request for metrics could not be answered");
        response.destroy();
      });
    });
    server.on("error", (error) => logger.warn({ err: error }, "the metrics endpoint has a problem"));
  }

  /** Answers with what `render` makes, from now on; with 503 again after `undefined`. */
  serve(render: (() => Promise<string>) | undefined): void {
    this.#render = render;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = "" } = request;
    // Nothing that is sent along is read.
    request.resume();
    if (url.split("?", 1)[0] !== PATH) return plain(response, 404, `metrics are at ${PATH}`);
    if (method !== "GET" && method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return plain(response, 405, "only GET and HEAD are answered");
    }
    if (this.#render === undefined) return plain(response, 503, "the node is starting or stopping");
    try {
      const text = await this.#text(this.#render);
      response.writeHead(200, { "content-type": PROMETHEUS_CONTENT_TYPE, "content-length": Buffer.byteLength(text) });
      response.end(method === "HEAD" ? undefined : text);
    } catch (error) {
      this.#logger.warn({ err: error }, "metrics could not be read");
      plain(response, 500, "metrics could not be read; the node's log says why");
    }
  }

  /** E1. */
  #text(render: () => Promise<string>): Promise<string> {
    this.#rendering ??= render().finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

function listenFailure(listen: string, error: unknown): NodeError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  const why = code === "EADDRINUSE" ? "something listens there already" : reason;
  return new NodeError(
    "METRICS_LISTEN_FAILED",
    `The metrics endpoint cannot listen on ${listen}: ${why}. Give it another address with metrics.prometheus (--metrics).`,
    { cause: error, details: { address: listen } },
  );
}
