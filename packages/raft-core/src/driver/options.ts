/** Configuration of one Raft group on one node, with its defaults. Every bound of the driver is named here. */

import type { Clock } from "../ports/clock.ts";
import type { ClusterProbe } from "../ports/cluster-probe.ts";
import type { CommandExecutor } from "../ports/executor.ts";
import type { Logger } from "../ports/logger.ts";
import type { PeerTransport } from "../ports/peer-transport.ts";
import type { Rng } from "../ports/rng.ts";
import type { GroupStorage } from "../ports/storage.ts";
import type { GroupId, NodeAddress, NodeId } from "../types.ts";
import type { CallMeter } from "./calls/call-meter.ts";

/** How a node with an empty storage begins. Ignored once the storage is not empty. */
export type Bootstrap =
  /** The members form a new group in which all of them are voters. Every member must be given the same list. */
  | { readonly kind: "members"; readonly members: readonly NodeAddress[] }
  /** The node waits, without a vote, until a leader adds it to a group. */
  | { readonly kind: "join" };

/** Time is counted in ticks of `tickMs`. Defaults in parentheses. */
export interface RaftTiming {
  /** Length of a tick in milliseconds (50). */
  readonly tickMs: number;
  /** Ticks without a leader after which a follower campaigns (10); at random up to twice as many. */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader (2). */
  readonly heartbeatTicks: number;
  /** Ticks of silence after which a leader reports a member as lost (12). */
  readonly nodeLostTicks: number;
}

/** Bounds of queues, buffers and messages. Defaults in parentheses. */
export interface RaftLimits {
  /** Largest command in bytes (1 MiB). Larger ones are refused with PAYLOAD_TOO_LARGE. */
  readonly maxCommandBytes: number;
  /** Proposals of this node that wait for their result (8192). More are refused with OVERLOADED. */
  readonly maxPendingProposals: number;
  /** Reads of this node that wait to be confirmed and applied (65,536). More are refused with OVERLOADED. */
  readonly maxPendingReads: number;
  /** Largest append message in bytes (256 KiB). */
  readonly maxMessageBytes: number;
  /** Committed bytes handed to the executor at once (1 MiB). */
  readonly maxCommittedBytesPerReady: number;
  /** Uncommitted bytes on the leader (64 MiB). Proposals beyond are dropped; the driver sends them again. */
  readonly maxUncommittedBytes: number;
  /** Append messages in flight to one peer (256). */
  readonly maxInflightMessages: number;
  /** Entries applied between two snapshots (20,000). */
  readonly snapshotEveryEntries: number;
  /** Applied entries kept in the log before a snapshot's index, for slow followers (5,000). */
  readonly keepEntries: number;
  /** Applied entries kept while a snapshot is being sent to a follower that will need the following entries (1,000,000). */
  readonly keepEntriesWhileSending: number;
  /** Longest time of a proposal, read or change whose caller gives no timeout, in milliseconds (10,000). */
  readonly defaultTimeoutMs: number;
}

/** The defaults of {@link RaftTiming}. */
export const DEFAULT_TIMING: RaftTiming = Object.freeze({
  tickMs: 50,
  electionTicks: 10,
  heartbeatTicks: 2,
  nodeLostTicks: 12,
});

/** The defaults of {@link RaftLimits}. */
export const DEFAULT_LIMITS: RaftLimits = Object.freeze({
  maxCommandBytes: 1024 * 1024,
  maxPendingProposals: 8192,
  maxPendingReads: 65_536,
  maxMessageBytes: 256 * 1024,
  maxCommittedBytesPerReady: 1024 * 1024,
  maxUncommittedBytes: 64 * 1024 * 1024,
  maxInflightMessages: 256,
  snapshotEveryEntries: 20_000,
  keepEntries: 5_000,
  keepEntriesWhileSending: 1_000_000,
  defaultTimeoutMs: 10_000,
});

/** Default of `coalesceHeartbeatsFrom`. With fewer groups coalescing saves almost nothing. */
export const DEFAULT_COALESCE_HEARTBEATS_FROM = 16;

/** Options of `RaftCluster.start`. */
export interface RaftClusterOptions<Command, Result> {
  /** Id of this node. Must equal the transport's. */
  readonly nodeId: NodeId;
  /** Id of the group among the groups on the same transport (1). From 1 to 2^53 - 2. */
  readonly groupId?: GroupId;
  /** Sends messages to the other nodes and receives theirs. */
  readonly transport: PeerTransport;
  /** Keeps log, votes and snapshots. The storage stays open when the group stops. */
  readonly storage: GroupStorage;
  /** The replicated state machine. */
  readonly executor: CommandExecutor<Command, Result>;
  /**
   * Answers requests that other members' applications send with `RaftCluster.request`. Called for members only. The bytes are valid until the promise settles. Without it requests are
   * refused.
   */
  readonly answerRequest?: (from: NodeId, request: Uint8Array) => Promise<Uint8Array>;
  /** How the node begins. Required when the storage is empty. */
  readonly bootstrap?: Bootstrap;
  /** Lengths of ticks, elections and heartbeats ({@link RaftTiming}). */
  readonly timing?: Partial<RaftTiming>;
  /** Bounds of queues, buffers and messages ({@link RaftLimits}). */
  readonly limits?: Partial<RaftLimits>;
  /** Whether a node asks for pre-votes before it begins an election (thesis §9.6). Defaults to true. */
  readonly preVote?: boolean;
  /** Whether the leader steps down when it hears from no quorum for an election timeout (thesis §6.2). Defaults to true. */
  readonly checkQuorum?: boolean;
  /** How reads are confirmed: by a round of heartbeats, or by the leader's lease, which relies on the clocks ("safe"). */
  readonly readOnly?: "safe" | "lease-based";
  /**
   * Number of groups on this node from which on their heartbeats to a peer travel as one message, which costs much less than one message
   * for each group (16). 1: always; Infinity: never. All groups of a node should have the same value; peers may differ.
   */
  readonly coalesceHeartbeatsFrom?: number;
  /** The clock. Defaults to the platform's clock. */
  readonly clock?: Clock;
  /** Source of random numbers. Defaults to one seeded from the platform's randomness. */
  readonly rng?: Rng;
  /** Receives log lines. Defaults to a logger that drops every line. */
  readonly logger?: Logger;
  /** Receives measurements of calls and snapshots. Without a probe nothing is measured. */
  readonly probe?: ClusterProbe;
}

/** {@link RaftClusterOptions} with every default filled in. */
export interface ResolvedOptions<Command, Result> {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly transport: PeerTransport;
  readonly storage: GroupStorage;
  readonly executor: CommandExecutor<Command, Result>;
  readonly answerRequest: ((from: NodeId, request: Uint8Array) => Promise<Uint8Array>) | undefined;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly readOnly: "safe" | "lease-based";
  readonly coalesceHeartbeatsFrom: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Measures calls for the probe; undefined without a probe. */
  readonly calls: CallMeter | undefined;
}
