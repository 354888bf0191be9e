// First: what follows does not run on an old Node.
import "./require-node.ts";

// To run a group: a cluster, what it replicates, what it keeps it in.

export {
  type Bootstrap,
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type RaftClusterOptions,
  type RaftLimits,
  type RaftTiming,
} from "./driver/options.ts";
export { type CallOptions, type MemberChange, RaftCluster } from "./driver/raft-cluster.ts";
export type { SnapshotTransferStatus } from "./driver/snapshots/snapshot-transfers.ts";
export type { ClusterEvent, ClusterStatus, MemberProgress } from "./driver/status.ts";
export {
  brand,
  InvariantViolation,
  invariant,
  RaftError,
  type RaftErrorCode,
  RaftoralError,
  type RaftoralErrorOptions,
} from "./errors.ts";
export { MemoryStateStore, type MemoryStateStoreOptions } from "./memory/memory-state-store.ts";
export { MemoryStorage, type MemoryStorageContents } from "./memory/memory-storage.ts";
export type { ClusterProbe } from "./ports/cluster-probe.ts";
export type {
  AnyExecutor,
  CommandExecutor,
  CommandOf,
  CommittedCommand,
  LeaderChange,
  ResultOf,
  SnapshotContent,
} from "./ports/executor.ts";
export { backgroundClock, platformClock, platformRng, silentLogger } from "./ports/platform.ts";
export { seededRng } from "./ports/rng.ts";
export type { ClusterDefaults, ClusterTransport } from "./transport-kit/cluster-transport.ts";
export {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV2,
  type ConfState,
  EMPTY_BYTES,
  EMPTY_CONF_STATE,
  type Entry,
  type EntryType,
  type GroupId,
  type HardState,
  type LogIndex,
  NONE,
  type NodeAddress,
  type NodeId,
  type RaftRole,
  type Snapshot,
  type SnapshotMetadata,
  type SoftState,
  type Term,
} from "./types.ts";

// To look at, and to repair, what a node that does not run has stored.

export { type QuorumRecovery, type QuorumRecoveryOptions, recoverQuorum } from "./driver/offline/recover-quorum.ts";
export { replayLog } from "./driver/offline/replay-log.ts";

// To build a transport: its ports, the codec, and what all transports share.

export { decodePeerMessage, encodeMessage, messageSize, writeMessage } from "./eraftpb/index.ts";
export {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type LocalMessageType,
  type Message,
  type MessageType,
  message,
  type PeerMessageType,
} from "./message.ts";
export type { Cancel, Clock } from "./ports/clock.ts";
export type { Logger } from "./ports/logger.ts";
export type { GroupChannel, GroupDescription, GroupReceiver, PeerTransport } from "./ports/peer-transport.ts";
export type { Rng } from "./ports/rng.ts";
export type { FixedContent, SnapshotStream } from "./ports/snapshot-stream.ts";
export { ClusterRegistry } from "./transport-kit/cluster-registry.ts";
export { NodeDirectory, type NodeDirectoryListener } from "./transport-kit/node-directory.ts";
export { joinedCrc32 } from "./transport-kit/snapshot-crc.ts";
export { TransportError, type TransportErrorCode } from "./transport-kit/transport-error.ts";

// To build a storage, or a store for state that is derived from the log.

export { countWithin, entriesSize, entrySize, payloadSize } from "./log/entry-size.ts";
export { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "./ports/state-reader.ts";
export type { StateReplacement, StateStore, StateView } from "./ports/state-store.ts";
export type { GroupStorage, LogStorage, Missing, SnapshotSink, WriteBatch } from "./ports/storage.ts";
export { type RecordLayer, RecordLayers } from "./records/record-layers.ts";

// The core by itself: consensus without a driver.

export { type Config, type ReadOnlyOption, type ResolvedConfig, resolveConfig } from "./config.ts";
export { checkConfChange, readConfChange } from "./driver/membership/conf-change.ts";
export { encodeConfChange, encodeConfChangeV2 } from "./eraftpb/index.ts";
export type { DropReason, Outcome, ProposeOutcome, RefusalReason, StepOutcome } from "./raft/outcome.ts";
export type { ReadState } from "./raft/read-index.ts";
export { type Proposal, RawNode } from "./raw-node.ts";
export type { Ready } from "./ready.ts";
export type { BasicStatus, Status } from "./status.ts";
