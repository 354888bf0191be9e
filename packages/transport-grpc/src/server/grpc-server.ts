/** A node's server as its owner sees it: its options, and what it can be told. `start-grpc-server.ts` makes one. */

import type { DescService } from "@bufbuild/protobuf";
import type { NodeId } from "@raftoral/raft-core";
import type { HealthBoard } from "../health/health-board.ts";
import type { HttpRoutes } from "./http-handler.ts";

/** What is needed of Connect's `ConnectRouter`: spelt out, for Connect's own declarations need those of the DOM. */
export interface ServiceRouter {
  /** Adds a service: the description that protobuf-es generated, and an object with its methods. */
  service(service: DescService, implementation: object, options?: object): unknown;
}

/** Defaults in parentheses. */
export interface GrpcServerOptions {
  /** Adds services of the node's owner to the same port. Annotate the parameter as `ConnectRouter` to have implementations checked. */
  routes?(router: ServiceRouter): void;
  /** Answers requests of plain HTTP for paths that no service has. Without it, and for what it gives undefined for, they get 404. */
  readonly http?: HttpRoutes;
  /** Origins whose pages may call from a browser, such as `https://ops.example.com` (none). `*`: all. */
  readonly allowedOrigins?: readonly string[];
  /** Largest request of those services and of RaftService in bytes (the transport's maxFrameBytes). */
  readonly maxRequestBytes?: number;
  /** Where others reach this node, if that is not where it listens. */
  readonly advertise?: string;
  /** Whether `grpc.health.v1` says from the start that services serve (true); otherwise the owner says when, by `health`. */
  readonly isServing?: boolean;
}

/** A server that listens, for one node. */
export interface GrpcServer {
  readonly nodeId: NodeId;
  /** Where it listens; a port of 0 has become the real one. */
  readonly address: string;
  /** What `grpc.health.v1` says. Every service serves until the server is drained, unless the owner says otherwise. */
  readonly health: HealthBoard;
  /**
   * Takes no further calls of clients, which health says first, and gives those under way up to `graceMs` (2,000) to finish. Peers are
   * still talked to: what is under way may need them. Close it afterwards.
   */
  drain(options?: { readonly graceMs?: number }): Promise<void>;
  /**
   * Takes no further calls, tells peers that this node stops, gives running calls up to `graceMs` (2,000) and closes. Idempotent.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
