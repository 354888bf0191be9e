/**
 * Hands calls that are no service's to the owner's handler of plain HTTP, in the terms of the web: a `Request` and a `Response`.
 *
 * Invariants:
 * HH1. Nothing that a caller sends, and nothing that the owner's handler does, makes a call of {@link HttpHandler.handle} throw or reject.
 */
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { Caller } from "../security/caller.ts";
import type { ClientCall, Exchange } from "./client-call.ts";

/** Answers a request; undefined for a path that it does not know. The request's signal is aborted when the caller goes away. */
export type HttpRoutes = (request: Request, caller: Caller) => Promise<Response | undefined>;

/** Headers of a connection, not of a request. HTTP/2 has none of them. */
const OF_A_CONNECTION: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);

/** The handler of one server (HH1). */
export class HttpHandler {
  readonly #routes: HttpRoutes;
  readonly #failed: (path: string, error: unknown) => void;

  constructor(routes: HttpRoutes, failed: (path: string, error: unknown) => void) {
    this.#routes = routes;
    this.#failed = failed;
  }

  /** Answers the call. Resolves when that is done, or the caller is gone. */
  async handle(call: ClientCall, headers: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      const exchange = call.open();
      const ended = new AbortController();
      exchange.response.once("close", () => ended.abort());
      for (const [name, value] of Object.entries(headers)) exchange.response.setHeader(name, String(value));
      const request = requestOf(exchange, call, ended.signal);
      const answer = request === undefined ? undefined : await this.#routes(request, call.caller);
      await send(exchange, answer ?? new Response(null, { status: request === undefined ? 400 : 404 }));
    } catch (error) {
      this.#failed(call.path, error);
      call.breakOff();
    }
  }
}

/** Undefined for what the web has no request for: a method or a target that it does not allow. */
function requestOf({ request }: Exchange, { method, headers }: ClientCall, signal: AbortSignal): Request | undefined {
  try {
    const own = new Headers();
    for (const [name, value] of Object.entries(headers)) {
      if (name.startsWith(":") || OF_A_CONNECTION.has(name) || value === undefined) continue;
      for (const each of Array.isArray(value) ? value : [value]) own.append(name, each);
    }
    const hasBody = method !== "GET" && method !== "HEAD";
    return new Request(new URL(request.url ?? "/", "http://node"), {
      method,
      headers: own,
      signal,
      ...(hasBody
        ? { body: Readable.toWeb(request as Readable) as ReadableStream<Uint8Array>, duplex: "half" as const }
        : {}),
    });
  } catch {
    return undefined;
  }
}

async function send({ request, response }: Exchange, answer: Response): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.body === null || request.method === "HEAD") {
    response.end();
    return;
  }
  for await (const piece of answer.body) {
    if (response.destroyed) return;
    if (!write(response, piece)) await drained(response);
  }
  response.end();
}

function write(response: Exchange["response"], piece: Uint8Array): boolean {
  // Both kinds of responses have this form of the method; their types share none.
  return (response as { write(piece: Uint8Array): boolean }).write(piece);
}

/** Resolves when more may be written, or the caller is gone. */
function drained(response: Exchange["response"]): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}
