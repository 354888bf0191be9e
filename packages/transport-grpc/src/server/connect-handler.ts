/**
 * Hands a call to Connect's services, as `connectNodeAdapter` would, for callers that are not trusted.
 *
 * Invariants:
 * N1. Nothing that a caller sends makes a call of {@link ConnectHandler.handle} throw or reject.
 * N2. What a caller says of the authority is not read (client-call.ts).
 * N3. A failed answer is reported to the owner's logger, never to the console.
 */
import { type ConnectRouter, type ContextValues, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { ClientCall } from "./client-call.ts";

/** What a {@link ConnectHandler} is made of. */
export interface ConnectHandlerOptions {
  /** Registers the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** Largest request, in bytes; larger ones get RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  /** A call whose answer could not be given: its caller went away, or did not speak the protocol. */
  readonly failed: (path: string, error: unknown) => void;
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

  /** Whether a service has this path. */
  has(path: string): boolean {
    return this.#handlers.has(path);
  }

  /** Answers the call. Resolves when that is done, or the caller is gone; never rejects (N1). */
  async handle(
    call: ClientCall,
    contextValues: ContextValues,
    headers: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { path } = call;
    try {
      const { request, response } = call.open();
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value));
      const handler = this.#handlers.get(path);
      if (handler === undefined) {
        response.statusCode = 404;
        response.end();
        return;
      }
      const answer = await handler(universalRequestFromNodeRequest(request, response, undefined, contextValues));
      await universalResponseToNodeResponse(answer, response);
    } catch (error) {
      this.#failed(path, error);
      call.breakOff();
    }
  }
}
