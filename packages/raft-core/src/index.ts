// Entry for users who run a group. Transports, storages, the core by itself and tests have entries of their own.
//
// The first import refuses a Node that is too old to run the rest.
import "./require-node.ts";

// A group: its cluster, its options, its status and events.

export type { MemberChange } from "./driver/membership/membership-changes.ts";
export {
  type Bootstrap,
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type RaftClusterOptions,
  type RaftLimits,
  type RaftTiming,
} from "./driver/options.ts";
export { type CallOptions, RaftCluster } from "./driver/raft-cluster.ts";
export type { SnapshotTransferStatus } from "./driver/snapshots/snapshot-transfers.ts";
export type { ClusterEvent, ClusterStatus, MemberProgress } from "./driver/status.ts";
export type { ClusterProbe } from "./ports/cluster-probe.ts";
export type { ClusterDefaults, ClusterTransport } from "./transport-kit/cluster-transport.ts";

// Executors: what a group replicates, and the stores that keep an executor's state.

export { MemoryBlobStore, type MemoryBlobStoreOptions } from "./memory/memory-blob-store.ts";
export { MemoryStateStore, type MemoryStateStoreOptions } from "./memory/memory-state-store.ts";
export { MemoryStorage, type MemoryStorageContents } from "./memory/memory-storage.ts";
export {
  type BlobHash,
  type BlobName,
  type BlobStore,
  type BlobUsage,
  isBlobHash,
  type StoredBlob,
} from "./ports/blob-store.ts";
export type {
  AnyExecutor,
  CommandExecutor,
  CommandOf,
  CommittedCommand,
  LeaderChange,
  ResultOf,
  SnapshotContent,
} from "./ports/executor.ts";
export { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "./ports/state-reader.ts";
export type { StateReplacement, StateStore, StateView } from "./ports/state-store.ts";

// Clock, randomness and logger; a simulator gives its own.

export type { Cancel, Clock } from "./ports/clock.ts";
export type { Logger } from "./ports/logger.ts";
export { backgroundClock, platformClock, platformRng, silentLogger } from "./ports/platform.ts";
export { type Rng, seededRng } from "./ports/rng.ts";

// Errors.

export {
  brand,
  InvariantViolation,
  invariant,
  RaftError,
  type RaftErrorCode,
  RaftoralError,
  type RaftoralErrorOptions,
} from "./errors.ts";
export { TransportError, type TransportErrorCode } from "./transport-kit/transport-error.ts";

// Types that all of the above share.

export {
  type ConfState,
  EMPTY_BYTES,
  EMPTY_CONF_STATE,
  type GroupId,
  type LogIndex,
  NONE,
  type NodeAddress,
  type NodeId,
  type RaftRole,
  type SnapshotMetadata,
  type Term,
} from "./types.ts";
