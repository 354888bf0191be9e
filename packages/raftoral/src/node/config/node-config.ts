/**
 * From the options a user gives to the configuration a node runs with: checked, with defaults filled in.
 *
 * Role: every mistake that can be seen without touching disk or network is reported here, all of them as OPTIONS_INVALID,
 * naming the option, what is wrong with it and what to write instead. Must not open, bind or read anything.
 */

import {
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type NodeAddress,
  type NodeId,
  type RaftLimits,
  type RaftTiming,
} from "@raftoral/raft-core";
import { DEFAULT_TRANSPORT_LIMITS, type TlsOptions, type TransportLimits } from "@raftoral/transport-grpc";
import {
  type BlobLimits,
  DEFAULT_BLOB_LIMITS,
  DEFAULT_RUNTIME_LIMITS,
  type RetentionRule,
  type RuntimeLimits,
  timedRules,
} from "@raftoral/workflow";
import { isUnspecified, parseAddress, parseReachableAddress } from "../../api/cluster/address.ts";
import { NodeError } from "../../api/errors.ts";
import { queueLimitsArgument, queueNameArgument } from "../../api/queues/queue-arguments.ts";
import type { QueueLimits } from "../../api/queues/queues.ts";

/** The part of the options that is plain data, as a configuration file holds it. */
export interface NodeSettings {
  /** Where to listen: `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** The address that others reach this node at. Defaults to `listen`; required when that names every interface. */
  readonly advertise?: string;
  /** Folder of this node's identity, log and snapshots. Without one the node keeps everything in memory and forgets it. */
  readonly dataDir?: string;
  /** Where clients may have backups of this node made (`raftoral backup`), each in a new folder below it. Without one they may not. */
  readonly backupDir?: string;
  /**
   * Origins whose pages may call this node from a browser, such as `https://ops.example.com` (none). `*`: all, which lets any page that somebody who reaches the node
   * opens act on it.
   */
  readonly allowedOrigins?: readonly string[];
  /** Makes a new cluster of this one node. Ignored, with a log line, when the folder belongs to a cluster already. */
  readonly bootstrap?: boolean;
  /** Addresses of any members of the cluster to join. Ignored when the folder belongs to that cluster already. */
  readonly join?: string | readonly string[];
  /** The first configuration of a cluster whose nodes are all known beforehand: every node gets the same list. */
  readonly members?: readonly NodeAddress[];
  /** Which of `members` this node is. */
  readonly nodeId?: NodeId;
  /** A name for people, the first part of the cluster id. Joining a cluster of another name is refused. */
  readonly clusterName?: string;
  /** Lengths of ticks, elections and heartbeats: `RaftTiming` of `@raftoral/raft-core`. Every node has the same. */
  readonly timing?: Partial<RaftTiming>;
  /** Bounds of queues, buffers and messages: `RaftLimits` of `@raftoral/raft-core`. */
  readonly limits?: Partial<RaftLimits>;
  /** Bounds of workflows: bodies at once, sizes of values, how long finished runs are kept: `RuntimeLimits` of `@raftoral/workflow`. */
  readonly workflowLimits?: Partial<RuntimeLimits>;
  /** For how long runs of a type or an outcome are kept, where that is not `workflowLimits.retentionMs`; 64 rules at most. Every node has the same. */
  readonly retention?: readonly RetentionRule[];
  /**
   * Queues that this node's code declares, by name. A declaration makes a queue, and gives it its limits when it differs from the one before it: so a restart does not undo what was
   * changed at run time.
   */
  readonly queues?: Readonly<Record<string, QueueLimits>>;
  /** Bounds of what is kept in memory of the workflows' state. */
  readonly stateLimits?: Partial<StateLimits>;
  /** Which values are kept beside the log, how large one may be, and for how long one is kept that nothing needs any more: docs/large-values.md. Every node has the same. */
  readonly blobLimits?: Partial<BlobLimits>;
  /** Bounds and waits of what goes to peers, and its compression: `GrpcTransportOptions` of `@raftoral/transport-grpc`. */
  readonly transportLimits?: Partial<TransportLimits>;
  /** Where others look at this node's metrics; see docs/metrics.md. Without it only a MeterProvider does, where one is set. */
  readonly metrics?: MetricsSettings;
  /**
   * Certificates of this node, and whom to believe: for peers, clients and the nodes it joins. `false` asks for plaintext.
   * Where nothing is said, loopback addresses are used in plaintext and others refused.
   */
  readonly tls?: TlsOptions | false;
  /** How long joining may take until this node is a member, in milliseconds (30,000). */
  readonly joinTimeoutMs?: number;
  /** How long {@link RaftoralNode.stop} may spend handing over before it closes anyway, in milliseconds (10,000). */
  readonly stopTimeoutMs?: number;
}

/** Bounds of the workflows' state in memory, in bytes. Defaults in parentheses. */
export interface StateLimits {
  /** Runs that were looked at lately, ready to be used (16 MiB). */
  readonly cacheBytes: number;
  /**
   * With a data folder: changes that wait for the next checkpoint before one is asked for (2 MiB); at twice as much, applying waits for it.
   */
  readonly bufferBytes: number;
}

export const DEFAULT_STATE_LIMITS: StateLimits = Object.freeze({
  cacheBytes: 16 * 1024 * 1024,
  bufferBytes: 2 * 1024 * 1024,
});

/** What is served of a node's metrics. */
export interface MetricsSettings {
  /** Where to serve them over HTTP as text for Prometheus, `host:port`: a port beside the node's; 0 takes a free one. */
  readonly prometheus?: string;
}

/** How a node without an identity gets one. */
export type Origin =
  | { readonly kind: "bootstrap" }
  | { readonly kind: "join"; readonly targets: readonly string[] }
  | { readonly kind: "members"; readonly nodeId: NodeId; readonly members: readonly NodeAddress[] }
  /** Only a folder that has an identity can start like this. */
  | { readonly kind: "restart" };

/** The settings of a node after their check, with every default filled in. */
export interface NodeConfig {
  readonly listen: string;
  readonly advertise: string | undefined;
  readonly dataDir: string | undefined;
  readonly backupDir: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly origin: Origin;
  readonly clusterName: string | undefined;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly workflowLimits: Partial<RuntimeLimits>;
  readonly retention: readonly RetentionRule[];
  readonly queues: Readonly<Record<string, QueueLimits>>;
  readonly stateLimits: StateLimits;
  readonly blobLimits: BlobLimits;
  readonly transportLimits: Partial<TransportLimits>;
  readonly metrics: MetricsSettings;
  readonly tls: TlsOptions | false | undefined;
  readonly joinTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

/** Every key of {@link NodeSettings}, for telling a typing mistake from an option. */
export const SETTING_NAMES: readonly (keyof NodeSettings)[] = [
  "listen",
  "advertise",
  "dataDir",
  "backupDir",
  "allowedOrigins",
  "bootstrap",
  "join",
  "members",
  "nodeId",
  "clusterName",
  "timing",
  "limits",
  "workflowLimits",
  "retention",
  "queues",
  "stateLimits",
  "blobLimits",
  "transportLimits",
  "metrics",
  "tls",
  "joinTimeoutMs",
  "stopTimeoutMs",
];

const CLUSTER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Checks settings and fills in defaults. Throws OPTIONS_INVALID for the first mistake found. */
export function nodeConfig(settings: NodeSettings): NodeConfig {
  if (typeof settings !== "object" || settings === null)
    throw invalid("options", "are missing; give at least `listen`");
  if (settings.listen === undefined) throw invalid("listen", 'is missing; write for example "127.0.0.1:5001"');
  const listen = parseAddress(text(settings.listen, "listen"), "listen");
  if (settings.advertise !== undefined) parseReachableAddress(text(settings.advertise, "advertise"), "advertise");
  else if (isUnspecified(listen)) {
    throw invalid(
      "advertise",
      `is missing, and others cannot reach ${settings.listen}; give the address that they should use, for example 10.0.0.7:5001`,
    );
  }
  if (settings.dataDir !== undefined && text(settings.dataDir, "dataDir") === "") {
    throw invalid("dataDir", "is empty; name a folder, or leave it out to keep everything in memory");
  }
  if (settings.backupDir !== undefined && text(settings.backupDir, "backupDir") === "") {
    throw invalid("backupDir", "is empty; name a folder, or leave it out to make no backups for clients");
  }
  if (settings.clusterName !== undefined && !CLUSTER_NAME.test(text(settings.clusterName, "clusterName"))) {
    throw invalid("clusterName", "may have letters, digits, dots, dashes and underscores, 63 at most");
  }
  return {
    listen: settings.listen,
    advertise: settings.advertise,
    dataDir: settings.dataDir,
    backupDir: settings.backupDir,
    allowedOrigins: origins(settings.allowedOrigins ?? []),
    origin: origin(settings),
    clusterName: settings.clusterName,
    timing: timing(settings.timing ?? {}),
    limits: { ...DEFAULT_LIMITS, ...counts(settings.limits ?? {}, DEFAULT_LIMITS, "limits") },
    workflowLimits: counts(settings.workflowLimits ?? {}, DEFAULT_RUNTIME_LIMITS, "workflowLimits"),
    retention: retention(settings.retention),
    queues: declaredQueues(settings.queues),
    stateLimits: {
      ...DEFAULT_STATE_LIMITS,
      ...counts(settings.stateLimits ?? {}, DEFAULT_STATE_LIMITS, "stateLimits"),
    },
    blobLimits: blobLimits(settings.blobLimits ?? {}),
    transportLimits: transportLimits(settings.transportLimits ?? {}),
    metrics: metrics(settings.metrics ?? {}),
    tls: tls(settings.tls),
    joinTimeoutMs: positive(settings.joinTimeoutMs ?? 30_000, "joinTimeoutMs"),
    stopTimeoutMs: positive(settings.stopTimeoutMs ?? 10_000, "stopTimeoutMs"),
  };
}

function blobLimits(given: Partial<BlobLimits>): BlobLimits {
  const limits = { ...DEFAULT_BLOB_LIMITS, ...counts(given, DEFAULT_BLOB_LIMITS, "blobLimits") };
  if (limits.maxBytes <= DEFAULT_BLOB_LIMITS.maxBytes) return limits;
  throw invalid(
    "blobLimits.maxBytes",
    `is ${limits.maxBytes}; there is no value of more than 64 MiB (${DEFAULT_BLOB_LIMITS.maxBytes})`,
  );
}

function declaredQueues(queues: NodeSettings["queues"]): Readonly<Record<string, QueueLimits>> {
  if (queues === undefined) return {};
  if (typeof queues !== "object" || queues === null || Array.isArray(queues))
    throw invalid("queues", "must be an object with limits by the names of queues");
  const checked: Record<string, QueueLimits> = {};
  for (const [name, limits] of Object.entries(queues)) {
    try {
      checked[queueNameArgument(name)] = queueLimitsArgument(limits);
    } catch (error) {
      throw invalid("queues", `cannot be declared: ${(error as Error).message}`);
    }
  }
  return checked;
}

function retention(rules: NodeSettings["retention"]): readonly RetentionRule[] {
  try {
    timedRules(rules);
  } catch (error) {
    throw invalid("retention", `cannot be followed: ${(error as Error).message}`);
  }
  return rules ?? [];
}

function origin(settings: NodeSettings): Origin {
  const ways = (["bootstrap", "join", "members"] as const).filter(
    (way) => settings[way] !== undefined && settings[way] !== false,
  );
  if (ways.length > 1) {
    throw invalid(
      ways.join(" and "),
      "exclude each other: bootstrap makes a new cluster, join enters one that exists, members lists one beforehand",
    );
  }
  if (settings.nodeId !== undefined && settings.members === undefined) {
    throw invalid("nodeId", "goes with `members` only; otherwise the cluster gives this node its id");
  }
  if (settings.bootstrap !== undefined && typeof settings.bootstrap !== "boolean") {
    throw invalid("bootstrap", "must be true or false");
  }
  if (settings.bootstrap === true) return { kind: "bootstrap" };
  if (settings.join !== undefined) return { kind: "join", targets: joinTargets(settings.join) };
  if (settings.members !== undefined) return staticMembers(settings.members, settings.nodeId);
  return { kind: "restart" };
}

function joinTargets(join: string | readonly string[]): readonly string[] {
  const targets = typeof join === "string" ? join.split(",").map((part) => part.trim()) : join;
  if (!Array.isArray(targets) || targets.length === 0) {
    throw invalid("join", "must be the address of a member, or a list of them");
  }
  for (const target of targets) parseReachableAddress(text(target, "join"), "join");
  return targets;
}

function staticMembers(members: readonly NodeAddress[], nodeId: NodeId | undefined): Origin {
  if (!Array.isArray(members) || members.length === 0) {
    throw invalid("members", "must list the cluster's nodes: [{ nodeId: 1, address: '10.0.0.1:5001' }, ...]");
  }
  const ids = new Set<NodeId>();
  const addresses = new Set<string>();
  for (const member of members) {
    nodeIdValue(member?.nodeId, "members[].nodeId");
    parseReachableAddress(text(member.address, "members[].address"), "members[].address");
    if (ids.has(member.nodeId)) throw invalid("members", `names node ${member.nodeId} twice`);
    if (addresses.has(member.address)) throw invalid("members", `has two nodes at ${member.address}`);
    ids.add(member.nodeId);
    addresses.add(member.address);
  }
  if (nodeId === undefined) throw invalid("nodeId", "is missing: say which of `members` this node is");
  nodeIdValue(nodeId, "nodeId");
  if (!ids.has(nodeId)) throw invalid("nodeId", `is ${nodeId}, which is not one of the members ${[...ids].join(", ")}`);
  return { kind: "members", nodeId, members };
}

function timing(given: Partial<RaftTiming>): RaftTiming {
  const result: RaftTiming = { ...DEFAULT_TIMING, ...counts(given, DEFAULT_TIMING, "timing") };
  if (result.electionTicks <= result.heartbeatTicks) {
    throw invalid("timing.electionTicks", "must be greater than timing.heartbeatTicks; five times as much is usual");
  }
  return result;
}

/** What an origin is, the server says. */
function origins(given: readonly string[]): readonly string[] {
  if (Array.isArray(given) && given.every((origin) => typeof origin === "string")) return given;
  throw invalid("allowedOrigins", 'must be a list of origins, for example ["https://ops.example.com"]');
}

function transportLimits(given: Partial<TransportLimits>): Partial<TransportLimits> {
  if (typeof given !== "object" || given === null) throw invalid("transportLimits", "must be an object");
  for (const [name, value] of Object.entries(given)) {
    const usual = (DEFAULT_TRANSPORT_LIMITS as Readonly<Record<string, unknown>>)[name];
    if (usual === undefined) {
      const names = Object.keys(DEFAULT_TRANSPORT_LIMITS).join(", ");
      throw invalid(`transportLimits.${name}`, `is not an option; there are ${names}`);
    }
    if (typeof usual !== "number") continue;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) continue;
    throw invalid(
      `transportLimits.${name}`,
      `is ${JSON.stringify(value)}; it must be a whole number, such as ${usual}`,
    );
  }
  const { compression = "off" } = given;
  if (compression === "off" || compression === "zstd" || compression === "deflate") return given;
  throw invalid("transportLimits.compression", `is ${JSON.stringify(compression)}; it must be off, zstd or deflate`);
}

function metrics(given: MetricsSettings): MetricsSettings {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid("metrics", 'must be an object, for example { "prometheus": "127.0.0.1:9464" }');
  }
  for (const key of Object.keys(given)) {
    if (key !== "prometheus") throw invalid(`metrics.${key}`, "is not an option; there is prometheus");
  }
  if (given.prometheus !== undefined) {
    parseAddress(text(given.prometheus, "metrics.prometheus"), "metrics.prometheus");
  }
  return given;
}

/** An object of positive whole numbers whose keys are all in `known`. */
function counts<T extends object>(given: Partial<T>, known: T, what: string): Partial<T> {
  if (typeof given !== "object" || given === null) throw invalid(what, "must be an object");
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, key)) {
      throw invalid(`${what}.${key}`, `is not an option; there are ${Object.keys(known).join(", ")}`);
    }
    positive(value, `${what}.${key}`);
  }
  return given;
}

function tls(given: TlsOptions | false | undefined): TlsOptions | false | undefined {
  if (given === undefined || given === false || (typeof given === "object" && given !== null)) return given;
  throw invalid("tls", "must be { ca, cert, key }, or false for plaintext");
}

function positive(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(what, `is ${JSON.stringify(value)}; it must be a whole number above 0`);
}

function nodeIdValue(value: unknown, what: string): void {
  positive(value, what);
}

function text(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw invalid(what, `is ${JSON.stringify(value)}; it must be text`);
}

function invalid(option: string, problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `Option ${option} ${problem}.`, { details: { option } });
}
