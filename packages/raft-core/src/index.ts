// First: what follows does not run on an old Node.
import "./require-node.ts";

// To run a group: a cluster, what it replicates, what it keeps it in.

export type { ClusterProbe } from "./driver/cluster-probe.ts";
export type { ClusterDefaults, ClusterTransport } from "./driver/cluster-transport.ts";
export type {
  AnyExecutor,
  CommandExecutor,
  CommandOf,
  CommittedCommand,
  LeaderChange,
  ResultOf,
  SnapshotContent,
} from "./driver/executor.ts";
export {
  type Bootstrap,
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type RaftClusterOptions,
  type RaftLimits,
  type RaftTiming,
} from "./driver/options.ts";
export { backgroundClock, platformClock, platformRng, silentLogger } from "./driver/platform.ts";
export { type CallOptions, type MemberChange, RaftCluster } from "./driver/raft-cluster.ts";
export type { SnapshotTransferStatus } from "./driver/snapshot-transfers.ts";
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
export { MemoryStateStore, type MemoryStateStoreOptions } from "./memory-state-store.ts";
export { MemoryStorage, type MemoryStorageContents } from "./memory-storage.ts";
export { seededRng } from "./rng.ts";
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

export { ClusterRegistry } from "./driver/cluster-registry.ts";
export { NodeDirectory, type NodeDirectoryListener } from "./driver/node-directory.ts";
export type {
  Cancel,
  Clock,
  GroupChannel,
  GroupDescription,
  GroupReceiver,
  Logger,
  PeerTransport,
  Rng,
} from "./driver/ports.ts";
export { joinedCrc32 } from "./driver/snapshot-crc.ts";
export type { FixedContent, SnapshotStream } from "./driver/snapshot-stream.ts";
export { TransportError, type TransportErrorCode } from "./driver/transport-error.ts";
export { decodePeerMessage, encodeMessage, messageSize, writeMessage } from "./eraftpb/index.ts";
export { varintBytes, writeVarint } from "./eraftpb/varint.ts";
export { WireReader } from "./eraftpb/wire-reader.ts";
export {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type LocalMessageType,
  type Message,
  type MessageType,
  message,
  type PeerMessageType,
} from "./message.ts";

// To build a storage, or a store for state that is derived from the log.

export { countWithin, entriesSize, entrySize, payloadSize } from "./log/entry-size.ts";
export { type RecordLayer, RecordLayers } from "./records/record-layers.ts";
export { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "./records/state-reader.ts";
export type { StateReplacement, StateStore, StateView } from "./state-store.ts";
export type { GroupStorage, LogStorage, Missing, SnapshotSink, WriteBatch } from "./storage.ts";

// The core by itself: consensus without a driver.

export { type Config, type ReadOnlyOption, type ResolvedConfig, resolveConfig } from "./config.ts";
export type { DropReason, Outcome, ProposeOutcome, RefusalReason, StepOutcome } from "./raft/outcome.ts";
export type { ReadState } from "./raft/read-index.ts";
export { type Proposal, RawNode } from "./raw-node.ts";
export type { Ready } from "./ready.ts";
export type { BasicStatus, Status } from "./status.ts";
