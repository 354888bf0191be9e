/**
 * The services of a node's port that clients call, as opposed to its peers' streams: RaftService, its owner's, health and
 * reflection.
 *
 * Invariants:
 * V1. Once drained, a new call is turned away before its service hears of it; those under way finish. Health answers to the end,
 *     so that probes are told.
 */
import type { IncomingHttpHeaders } from "node:http2";
import type { DescService } from "@bufbuild/protobuf";
import { type ConnectRouter, createContextValues } from "@connectrpc/connect";
import type { Logger, NodeId } from "@raftoral/raft-core";
import { PeerService } from "../gen/raftoral/v1/peer_pb.ts";
import { HealthBoard, OVERALL } from "../health/health-board.ts";
import { routeHealth } from "../health/health-service.ts";
import { Descriptors } from "../reflection/descriptors.ts";
import { routeReflection } from "../reflection/reflection-service.ts";
import { CALLER } from "../security/caller.ts";
import { GRPC_PERMISSION_DENIED, GRPC_UNAVAILABLE } from "../wire/h2.ts";
import type { ClientCall } from "./client-call.ts";
import { ConnectHandler } from "./connect-handler.ts";
import { CrossOrigin } from "./cross-origin.ts";
import { HttpHandler, type HttpRoutes } from "./http-handler.ts";

/** Of gRPC itself: they last as long as the caller likes, and no work of a client is in them. */
const GRPC_PREFIX = "/grpc.";
/** Of an origin, what a message shows. */
const MAX_SHOWN_ORIGIN = 100;
/** The longest deadline that a timer can keep: 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const TIMEOUT = /^(\d{1,8})([HMS])$/;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/** Options of {@link Services}. */
export interface ServicesOptions {
  readonly nodeId: NodeId;
  readonly maxRequestBytes: number;
  readonly routes: (router: ConnectRouter) => void;
  /** Answers what is no service's; without it such calls get 404. */
  readonly http: HttpRoutes | undefined;
  /** Origins whose pages may call from a browser. */
  readonly allowedOrigins: readonly string[];
  /** Whether they serve from the start; otherwise the owner says when. */
  readonly isServing: boolean;
  /** Hears, at debug, of answers that could not be given. */
  readonly logger: Logger;
}

/** The services of one server (V1). */
export class Services {
  readonly health = new HealthBoard();
  readonly #nodeId: NodeId;
  readonly #handler: ConnectHandler;
  /** Calls under way whose end is waited for. */
  readonly #calls = new Set<ClientCall>();
  readonly #http: HttpHandler | undefined;
  readonly #crossOrigin: CrossOrigin;
  #whenIdle: (() => void) | undefined;

  constructor({ nodeId, maxRequestBytes, routes, http, allowedOrigins, isServing, logger }: ServicesOptions) {
    this.#nodeId = nodeId;
    this.#crossOrigin = new CrossOrigin(allowedOrigins);
    const failed = (path: string, error: unknown): void =>
      logger.debug({ path, err: error }, "a call could not be answered");
    this.#http = http === undefined ? undefined : new HttpHandler(http, failed);
    const services = new Set<DescService>([PeerService]);
    let descriptors: Descriptors | undefined;
    this.#handler = new ConnectHandler({
      routes: (router) => {
        routes(router);
        routeHealth(router, this.health);
        routeReflection(router, () => {
          descriptors ??= new Descriptors(services);
          return descriptors;
        });
        for (const { service } of router.handlers) services.add(service);
      },
      maxRequestBytes,
      failed,
    });
    for (const name of [OVERALL, ...[...services].map(({ typeName }) => typeName)]) {
      const isOfGrpc = `/${name}`.startsWith(GRPC_PREFIX);
      this.health.set(name, isServing || isOfGrpc ? "SERVING" : "NOT_SERVING");
    }
  }

  handle(call: ClientCall): void {
    const { path, headers, caller } = call;
    const verdict = this.#crossOrigin.judge(call);
    if (verdict.is === "refused") {
      const message = `pages of ${verdict.origin.slice(0, MAX_SHOWN_ORIGIN)} may not call this node; allow the origin with allowedOrigins (--allow-origin)`;
      call.turnAway({ grpcStatus: GRPC_PERMISSION_DENIED, httpStatus: 403, code: "permission_denied", message });
      return;
    }
    if (verdict.is === "preflight") {
      const { response } = call.open();
      response.statusCode = 204;
      for (const [name, value] of Object.entries(verdict.headers)) response.setHeader(name, String(value));
      response.end();
      return;
    }
    if (!path.startsWith(GRPC_PREFIX)) {
      if (this.health.isDrained) {
        const message = `node ${this.#nodeId} is stopping; ask another`;
        call.turnAway({ grpcStatus: GRPC_UNAVAILABLE, httpStatus: 503, code: "unavailable", message });
        return;
      }
      this.#calls.add(call);
      call.onClose(() => {
        this.#calls.delete(call);
        if (this.#calls.size === 0) this.#whenIdle?.();
      });
    }
    boundDeadline(headers);
    if (this.#http !== undefined && !this.#handler.has(path)) void this.#http.handle(call, verdict.headers);
    else void this.#handler.handle(call, createContextValues().set(CALLER, caller), verdict.headers);
  }

  /** Takes no further calls; resolves when those under way have ended (V1). The caller bounds how long that may take. */
  async drain(): Promise<void> {
    this.health.drain();
    if (this.#calls.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle = resolve;
    await promise;
  }
}

/** Cuts a deadline to what a timer can keep: a longer one would be over at once, and Node would warn of it at each call. */
function boundDeadline(headers: IncomingHttpHeaders): void {
  const [, amount, unit = ""] = TIMEOUT.exec(String(headers["grpc-timeout"] ?? "")) ?? [];
  if (Number(amount) * (UNITS_MS[unit] ?? 0) > MAX_TIMEOUT_MS) {
    headers["grpc-timeout"] = `${Math.floor(MAX_TIMEOUT_MS / 1_000)}S`;
  }
  if (Number(headers["connect-timeout-ms"]) > MAX_TIMEOUT_MS) headers["connect-timeout-ms"] = String(MAX_TIMEOUT_MS);
}
