/** Configuration of the gRPC transport. Every bound and wait is named here. */
import { RaftError } from "@raftoral/raft-core";
import { Security } from "./security/security.ts";
import type { TlsOptions } from "./security/tls-options.ts";
import { type CompressionName, compressionNamed } from "./wire/compression.ts";
import { MAX_BYTES_AROUND_CHUNK } from "./wire/snapshot-codec.ts";

/** Defaults in parentheses. All optional; {@link transportSettings} fills them in. */
export interface GrpcTransportOptions {
  /** Nodes of different clusters refuse each other ("default"). */
  readonly clusterId?: string;
  /**
   * Certificates for servers, peers and snapshots; `false` asks for plaintext. Where nothing is said, loopback addresses are
   * used in plaintext and others refused.
   */
  readonly tls?: TlsOptions | false;
  /** What certificates may call the cluster beside its id: the first part of `raftoral://NAME/node/1` (the id alone). */
  readonly certificateCluster?: string;
  /** Counts the starts of this node's storage, so that a left-over process of the node is refused (0: not counted). */
  readonly incarnation?: number;
  /** Messages queued to one peer before further ones are dropped, in each of its two streams (16,384). */
  readonly maxQueuedMessages?: number;
  /** Bytes of appends and proposals queued to one peer before further ones are dropped (64 MiB). */
  readonly maxQueuedBytes?: number;
  /** Bytes of all other messages queued to one peer before further ones are dropped (4 MiB). */
  readonly maxQueuedControlBytes?: number;
  /** Streams of one kind that one peer may have open here; a further one ends the oldest (4). */
  readonly maxInboundStreamsPerPeer?: number;
  /** Peers that were not introduced and are remembered; a further one has the oldest forgotten (1,024). */
  readonly maxLearnedPeers?: number;
  /** Largest frame read or sent, in bytes; larger ones are refused (16 MiB). Bounds the largest message. */
  readonly maxFrameBytes?: number;
  /** A frame is closed once it holds this many bytes (256 KiB). */
  readonly frameTargetBytes?: number;
  /**
   * What frames to peers are compressed with, if the peer can read it ("off"). It pays where the network is slower than the
   * compression: see the package's README. What peers send is read in either case.
   */
  readonly compression?: "off" | CompressionName;
  /** Smaller frames are not compressed, in bytes (4,096). */
  readonly compressMinBytes?: number;
  /** Snapshots are sent in chunks of at most this many bytes (256 KiB). */
  readonly snapshotChunkBytes?: number;
  /** Wait after a first failed connection; doubles with each further one, half of it random (50 ms). */
  readonly minBackoffMs?: number;
  /** Longest wait between attempts to reach a peer (2,000 ms). */
  readonly maxBackoffMs?: number;
  /** Wait after a refusal, which only a change of configuration cures (5,000 ms). */
  readonly refusedBackoffMs?: number;
  /** Connection and handshake must be done within this time (3,000 ms). */
  readonly connectTimeoutMs?: number;
  /** A connection is pinged this often (1,000 ms). */
  readonly keepaliveIntervalMs?: number;
  /** Pings in a row without any answer before the connection counts as dead (4). */
  readonly keepaliveMisses?: number;
  /** A snapshot on its way that makes no progress for this long is given up (30,000 ms). */
  readonly snapshotIdleTimeoutMs?: number;
  /** After a cut, a snapshot is resumed within this time or given up, on both sides (10,000 ms). */
  readonly snapshotResumeTimeoutMs?: number;
  /** Bytes per second of all snapshots that this node sends, together (0: as fast as it goes). */
  readonly snapshotBytesPerSecond?: number;
  /** Snapshots that this node sends at a time, of all groups; further ones wait for Raft to ask again (4). */
  readonly maxSnapshotSends?: number;
  /** Snapshots that this node receives at a time, of all groups; further ones are put off (4). */
  readonly maxSnapshotReceipts?: number;
}

/** The options of a transport, with every default filled in. */
export type GrpcTransportSettings = Required<Omit<GrpcTransportOptions, "tls" | "certificateCluster">> & {
  readonly security: Security;
};

/** Those that have a plain value as default. */
type Plain = Omit<GrpcTransportSettings, "security">;

const DEFAULTS: Plain = Object.freeze({
  clusterId: "default",
  incarnation: 0,
  maxQueuedMessages: 16_384,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxQueuedControlBytes: 4 * 1024 * 1024,
  maxInboundStreamsPerPeer: 4,
  maxLearnedPeers: 1024,
  maxFrameBytes: 16 * 1024 * 1024,
  frameTargetBytes: 256 * 1024,
  compression: "off",
  compressMinBytes: 4096,
  snapshotChunkBytes: 256 * 1024,
  minBackoffMs: 50,
  maxBackoffMs: 2_000,
  refusedBackoffMs: 5_000,
  connectTimeoutMs: 3_000,
  keepaliveIntervalMs: 1_000,
  keepaliveMisses: 4,
  snapshotIdleTimeoutMs: 30_000,
  snapshotResumeTimeoutMs: 10_000,
  snapshotBytesPerSecond: 0,
  maxSnapshotSends: 4,
  maxSnapshotReceipts: 4,
});

/** The options that an operator may want to set: bounds, waits and compression. */
export type TransportLimits = Omit<Plain, "clusterId" | "incarnation">;

/** What holds where nothing is said. */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = Object.freeze(plainLimits(DEFAULTS));

function plainLimits({ clusterId: _clusterId, incarnation: _incarnation, ...limits }: Plain): TransportLimits {
  return limits;
}

/** The options with every default filled in. Throws CONFIG_INVALID for a value out of range. */
export function transportSettings(options: GrpcTransportOptions): GrpcTransportSettings {
  const clusterId = options.clusterId ?? DEFAULTS.clusterId;
  const settings: GrpcTransportSettings = {
    clusterId,
    security: new Security(options.tls, [options.certificateCluster ?? clusterId, clusterId]),
    incarnation: numberOf(options, "incarnation", 0),
    maxQueuedMessages: numberOf(options, "maxQueuedMessages", 1),
    maxQueuedBytes: numberOf(options, "maxQueuedBytes", 1024),
    maxQueuedControlBytes: numberOf(options, "maxQueuedControlBytes", 1024),
    maxInboundStreamsPerPeer: numberOf(options, "maxInboundStreamsPerPeer", 1),
    maxLearnedPeers: numberOf(options, "maxLearnedPeers", 1),
    maxFrameBytes: numberOf(options, "maxFrameBytes", 1024),
    frameTargetBytes: numberOf(options, "frameTargetBytes", 1),
    compression: compressionOf(options),
    compressMinBytes: numberOf(options, "compressMinBytes", 0),
    snapshotChunkBytes: numberOf(options, "snapshotChunkBytes", 1),
    minBackoffMs: numberOf(options, "minBackoffMs", 0),
    maxBackoffMs: numberOf(options, "maxBackoffMs", 0),
    refusedBackoffMs: numberOf(options, "refusedBackoffMs", 0),
    connectTimeoutMs: numberOf(options, "connectTimeoutMs", 1),
    keepaliveIntervalMs: numberOf(options, "keepaliveIntervalMs", 1),
    keepaliveMisses: numberOf(options, "keepaliveMisses", 1),
    snapshotIdleTimeoutMs: numberOf(options, "snapshotIdleTimeoutMs", 1),
    snapshotResumeTimeoutMs: numberOf(options, "snapshotResumeTimeoutMs", 1),
    snapshotBytesPerSecond: numberOf(options, "snapshotBytesPerSecond", 0),
    maxSnapshotSends: numberOf(options, "maxSnapshotSends", 1),
    maxSnapshotReceipts: numberOf(options, "maxSnapshotReceipts", 1),
  };
  // A chunk travels in a frame, with a few bytes around it.
  if (settings.snapshotChunkBytes > settings.maxFrameBytes - MAX_BYTES_AROUND_CHUNK) {
    throw new RaftError(
      "CONFIG_INVALID",
      `snapshotChunkBytes (${settings.snapshotChunkBytes}) does not fit in maxFrameBytes (${settings.maxFrameBytes}). Lower the one or raise the other.`,
    );
  }
  return settings;
}

type NumberOption = {
  [Name in keyof GrpcTransportSettings]: GrpcTransportSettings[Name] extends number ? Name : never;
}[keyof GrpcTransportSettings];

function compressionOf({ compression = DEFAULTS.compression }: GrpcTransportOptions): "off" | CompressionName {
  if (compression === "off" || compressionNamed(compression) !== undefined) return compression;
  throw new RaftError(
    "CONFIG_INVALID",
    `The option compression is ${JSON.stringify(compression)}. Give "off", "deflate", or "zstd" where Node has it (from 22.15 on).`,
    { details: { option: "compression", value: compression } },
  );
}

/** The longest time that a socket can be watched for, 24.8 days: what waits on sockets waits no longer. */
const MAX_MS = 2 ** 31 - 1;

function numberOf(options: GrpcTransportOptions, name: NumberOption, min: number): number {
  const value = options[name] ?? DEFAULTS[name];
  const max = name.endsWith("Ms") ? MAX_MS : Number.MAX_SAFE_INTEGER;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === MAX_MS ? `from ${min} to ${max}` : `of at least ${min}`;
  throw new RaftError("CONFIG_INVALID", `${name} is ${value}; it must be a whole number ${range}`, {
    details: { option: name, value },
  });
}
