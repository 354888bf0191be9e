/**
 * The basic data types of Raft: entries, terms, snapshots, configurations.
 *
 * Role: plain data, shared by the core, the driver, storages and transports. No behaviour lives here.
 * Terms, indexes and node ids are safe integers (at most 2^53 - 1); the codecs check the range where bytes come in.
 * Ranges of indexes are half-open: `[lo, hi)`.
 */

/** Identifies a member of a group. A positive safe integer, never reused within a cluster. */
export type NodeId = number;
/** Raft's logical clock (Raft paper §5.1). */
export type Term = number;
/** Position in the log, from 1. Index 0 stands for "before the first entry". */
export type LogIndex = number;
/** Identifies one Raft group among those that share transport, storage and ticker. A positive safe integer. */
export type GroupId = number;

/** A node and where it listens. The address is `host:port`; a transport without addresses ignores it. */
export interface NodeAddress {
  readonly nodeId: NodeId;
  readonly address: string;
}

/** "No node": no leader known, no vote given. */
export const NONE: NodeId = 0;

/** What an entry holds: a command, or one of the two forms of a configuration change. */
export type EntryType = "EntryNormal" | "EntryConfChange" | "EntryConfChangeV2";

/** One log entry. Immutable from the moment it is proposed: every holder may share the same object and bytes. */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly type: EntryType;
  /** The command (EntryNormal) or an encoded ConfChange / ConfChangeV2. Empty for a new leader's first entry. */
  readonly data: Uint8Array;
  /** The proposer's own attachment; the driver keeps session and serial here. Opaque to the core. */
  readonly context?: Uint8Array;
}

/** The state that must be on disk before any message that relies on it leaves (Raft paper, figure 2: persistent state). */
export interface HardState {
  readonly term: Term;
  /** The node that got this node's vote in `term`, or NONE. */
  readonly vote: NodeId;
  /** The commit index. It need not be durable for safety; a stored one saves work after a restart. */
  readonly commit: LogIndex;
}

/** The role of a node in its term (Raft paper, figure 4; thesis §9.6 for the pre-candidate). */
export type RaftRole = "StateFollower" | "StateCandidate" | "StateLeader" | "StatePreCandidate";

/** State that is not stored: the leader that this node knows, or NONE, and this node's role. */
export interface SoftState {
  readonly lead: NodeId;
  readonly role: RaftRole;
}

/** A group's configuration, as snapshots and storages keep it (raft-rs `ConfState`). */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half; not empty while the configuration is joint (thesis §4.3). */
  readonly votersOutgoing: readonly NodeId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** Position of a snapshot in the log, and the configuration in force there. */
export interface SnapshotMetadata {
  readonly confState: ConfState;
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * State up to and including `metadata.index`. The storage chooses `data`. With the driver `data` is empty, because the content
 * is stored and sent as a stream of chunks. Without the driver `data` may hold the whole content.
 */
export interface Snapshot {
  readonly metadata: SnapshotMetadata;
  readonly data: Uint8Array;
}

/** "AddNode" and "AddLearnerNode" also promote and demote members. "UpdateNode" changes nothing. */
export type ConfChangeType = "AddNode" | "RemoveNode" | "AddLearnerNode" | "UpdateNode";

/** The change of one node. */
export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: NodeId;
}

/**
 * How a change is carried out (thesis §4.3). "Auto": as a simple change when there is only one, otherwise as "Implicit". "Implicit": through a joint
 * configuration, which the leader leaves by itself. "Explicit": through a joint configuration, which stays until a change without changes is proposed.
 */
export type ConfChangeTransition = "Auto" | "Implicit" | "Explicit";

/** A single change, the form that predates joint consensus (thesis §4.1). */
export interface ConfChange {
  readonly id: number;
  readonly type: ConfChangeType;
  readonly nodeId: NodeId;
  readonly context: Uint8Array;
}

/** Any number of changes at once (thesis §4.3). An "Auto" change without changes asks to leave a joint configuration. */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  readonly context: Uint8Array;
}

/** An array of no bytes, shared. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** The configuration without members, shared. */
export const EMPTY_CONF_STATE: ConfState = Object.freeze({
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
});
