/**
 * Hands a stream to Connect's services, as `connectNodeAdapter` would, for callers that are not trusted.
 *
 * Invariants:
 * N1. Nothing that a caller sends makes a call of {@link ConnectHandler.handle} throw or reject.
 * N2. What a caller says of the authority is not read: a service never needs it, and Connect throws on what is no URL.
 * N3. A failed answer is reported to the owner's logger, never to the console.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import { type ConnectRouter, type ContextValues, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";

/** In place of the caller's `:authority` (N2). */
const AUTHORITY = "node";

/** What a {@link ConnectHandler} is made of. */
export interface ConnectHandlerOptions {
  /** Registers the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** Largest request, in bytes; larger ones get RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  /** A call whose answer could not be given: its caller went away, or did not speak the protocol. */
  readonly failed: (path: string, error: unknown) => void;
}

/** A call as the listener hands it over. */
export interface ConnectCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  readonly contextValues: ContextValues;
}

/** The handler of one server (N1 to N3). */
export class ConnectHandler {
  readonly #handlers: ReadonlyMap<string, UniversalHandler>;
  readonly #failed: ConnectHandlerOptions["failed"];

  constructor({ routes, maxRequestBytes, failed }: ConnectHandlerOptions) {
    const router = createConnectRouter({
      readMaxBytes: maxRequestBytes,
      acceptCompression: [compressionGzip, compressionBrotli],
    });
    routes(router);
    this.#handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
    this.#failed = failed;
  }

  /** Answers the call. Resolves when that is done, or the caller is gone; never rejects (N1). */
  async handle({ stream, headers, rawHeaders, contextValues }: ConnectCall): Promise<void> {
    const path = String(headers[":path"] ?? "").split("?", 1)[0] ?? "";
    try {
      const request = new http2.Http2ServerRequest(stream, { ...headers, ":authority": AUTHORITY }, {}, rawHeaders);
      const response = new http2.Http2ServerResponse(stream);
      const handler = this.#handlers.get(path);
      if (handler === undefined) {
        response.writeHead(404);
        response.end();
        return;
      }
      const answer = await handler(universalRequestFromNodeRequest(request, response, undefined, contextValues));
      await universalResponseToNodeResponse(answer, response);
    } catch (error) {
      this.#failed(path, error);
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    }
  }
}
