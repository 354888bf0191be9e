/** Configuration of the gRPC transport. Every bound and wait is named here. */
import { RaftError } from "@raftoral/raft-core";

/** Defaults in parentheses. All optional; {@link transportSettings} fills them in. */
export interface GrpcTransportOptions {
  /** Nodes of different clusters refuse each other ("default"). */
  readonly clusterId?: string;
  /** Counts the starts of this node's storage, so that a left-over process of the node is refused (0: not counted). */
  readonly incarnation?: number;
  /** Messages queued to one peer before further ones are dropped (16,384). */
  readonly maxQueuedMessages?: number;
  /** Bytes queued to one peer before further messages are dropped (64 MiB). */
  readonly maxQueuedBytes?: number;
  /** Largest frame read or sent, in bytes; larger ones are refused (16 MiB). Bounds the largest message. */
  readonly maxFrameBytes?: number;
  /** A frame is closed once it holds this many bytes (256 KiB). */
  readonly frameTargetBytes?: number;
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
}

export type GrpcTransportSettings = Required<GrpcTransportOptions>;

const DEFAULTS: GrpcTransportSettings = Object.freeze({
  clusterId: "default",
  incarnation: 0,
  maxQueuedMessages: 16_384,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxFrameBytes: 16 * 1024 * 1024,
  frameTargetBytes: 256 * 1024,
  snapshotChunkBytes: 256 * 1024,
  minBackoffMs: 50,
  maxBackoffMs: 2_000,
  refusedBackoffMs: 5_000,
  connectTimeoutMs: 3_000,
  keepaliveIntervalMs: 1_000,
  keepaliveMisses: 4,
  snapshotIdleTimeoutMs: 30_000,
});

/** The options with every default filled in. Throws CONFIG_INVALID for a value out of range. */
export function transportSettings(options: GrpcTransportOptions): GrpcTransportSettings {
  const settings: GrpcTransportSettings = {
    clusterId: options.clusterId ?? DEFAULTS.clusterId,
    incarnation: numberOf(options, "incarnation", 0),
    maxQueuedMessages: numberOf(options, "maxQueuedMessages", 1),
    maxQueuedBytes: numberOf(options, "maxQueuedBytes", 1024),
    maxFrameBytes: numberOf(options, "maxFrameBytes", 1024),
    frameTargetBytes: numberOf(options, "frameTargetBytes", 1),
    snapshotChunkBytes: numberOf(options, "snapshotChunkBytes", 1),
    minBackoffMs: numberOf(options, "minBackoffMs", 0),
    maxBackoffMs: numberOf(options, "maxBackoffMs", 0),
    refusedBackoffMs: numberOf(options, "refusedBackoffMs", 0),
    connectTimeoutMs: numberOf(options, "connectTimeoutMs", 1),
    keepaliveIntervalMs: numberOf(options, "keepaliveIntervalMs", 1),
    keepaliveMisses: numberOf(options, "keepaliveMisses", 1),
    snapshotIdleTimeoutMs: numberOf(options, "snapshotIdleTimeoutMs", 1),
  };
  // A chunk travels in a frame, with a few bytes around it.
  if (settings.snapshotChunkBytes > settings.maxFrameBytes - 64) {
    throw new RaftError(
      "CONFIG_INVALID",
      `snapshotChunkBytes (${settings.snapshotChunkBytes}) does not fit in maxFrameBytes (${settings.maxFrameBytes})`,
    );
  }
  return settings;
}

type NumberOption = Exclude<keyof GrpcTransportSettings, "clusterId">;

function numberOf(options: GrpcTransportOptions, name: NumberOption, min: number): number {
  const value = options[name] ?? DEFAULTS[name];
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RaftError("CONFIG_INVALID", `${name} is ${value}; it must be a whole number of at least ${min}`, {
    details: { option: name, value },
  });
}
