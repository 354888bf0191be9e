/** What a node is put together from, and what it then consists of. */
import type { MeterProvider } from "@opentelemetry/api";
import type { Clock, Logger } from "@raftoral/raft-core";
import type {
  PayloadCodecs,
  RuntimeInterceptor,
  WorkflowDefinition,
  WorkflowEngine,
  WorkflowRuntime,
} from "@raftoral/workflow";
import type { Cluster } from "../api/cluster/cluster.ts";
import type { Workflows } from "../api/workflows.ts";
import type { Environment } from "../platform.ts";
import type { Timeout } from "../time/deadline.ts";
import type { ArchiveHook } from "./archiving/run-archiver.ts";
import type { NodeConfig } from "./config/node-config.ts";
import type { Membership, WorkflowCluster } from "./membership/membership.ts";
import type { Dial, WorkflowTransport } from "./membership/node-network.ts";
import type { NodeEvents } from "./node-events.ts";
import type { NodeBackups } from "./storage/node-backups.ts";
import type { NodeIdentity, NodeStorage } from "./storage/node-storage.ts";

/** What the testing kit sees of a node. Not for users. */
export interface NodeInside {
  readonly group: WorkflowCluster;
  /** The engine before {@link NodeInternals.wrapEngine}. */
  readonly engine: WorkflowEngine;
  readonly runtime: WorkflowRuntime;
  /** Makes the node's address free again on a transport that was given, as the end of its process would. */
  readonly unlisten: () => void;
}

/** What the testing kit changes inside of a node. Not for users. */
export interface NodeInternals {
  /** Stands around bodies and steps. */
  readonly interceptor?: RuntimeInterceptor;
  /** Replaces the engine that the runtime and the API get. */
  readonly wrapEngine?: (engine: WorkflowEngine) => WorkflowEngine;
  /** Replaces parts of the platform. */
  readonly environment?: Partial<Environment>;
  /** The clock of the workflow runtime, where its timers are to be told from the node's own. */
  readonly programClock?: Clock;
  /** Told when the node is put together. */
  readonly assembled?: (inside: NodeInside) => void;
}

/** What a node is put together from: its checked configuration, and the layers that the caller replaced. */
export interface NodePlan {
  readonly config: NodeConfig;
  readonly workflows?: readonly WorkflowDefinition[];
  readonly archive?: ArchiveHook;
  readonly transport?: WorkflowTransport;
  readonly storage?: NodeStorage;
  readonly meterProvider?: MeterProvider;
  readonly payloadCodec?: PayloadCodecs;
  readonly environment: Environment;
  readonly internals: NodeInternals;
  readonly logger: Logger;
  /** Leaves the cluster; the node stops afterwards by itself. */
  readonly leave: (timeout: Timeout) => Promise<void>;
}

/** What a started node consists of. */
export interface NodeParts {
  readonly identity: NodeIdentity;
  /** Whether this start gave the node its identity. */
  readonly isNew: boolean;
  readonly address: string;
  readonly group: WorkflowCluster;
  readonly runtime: WorkflowRuntime;
  readonly membership: Membership;
  readonly workflows: Workflows;
  readonly cluster: Cluster;
  readonly events: NodeEvents;
  readonly dial: Dial;
  readonly backups: NodeBackups;
  /** Where metrics are served, if they are. */
  readonly metricsAddress: string | undefined;
  /** How many calls wait for a run to end. */
  waits(): number;
  /** Health says from now on that the node does not serve. */
  sayStopping(): void;
  /** Takes no further calls of clients, and gives those under way up to `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Reads the certificates again. Throws TRANSPORT_TLS_INVALID. */
  reloadTls(): boolean;
  /** Closes everything, the last opened first. Idempotent. */
  close(): Promise<void>;
}
