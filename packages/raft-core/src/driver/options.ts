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

/** How a node that has nothing stored yet begins. Ignored once something is stored. */
export type Bootstrap =
  /** The first configuration: all of these are voters. Every one of them must be given the same list. */
  | { readonly kind: "members"; readonly members: readonly NodeAddress[] }
  /** Waits, without a vote, until a leader adds this node. */
  | { readonly kind: "join" };

/** Time is counted in ticks of `tickMs`. Defaults in parentheses. */
export interface RaftTiming {
  /** Length of a tick in milliseconds (50). */
  readonly tickMs: number;
  /** A follower that hears nothing for this many ticks, up to twice as many at random, campaigns (10). */
  readonly electionTicks: number;
  /** A leader sends heartbeats this often (2). */
  readonly heartbeatTicks: number;
  /** A member that is silent for this many ticks is reported lost (12). */
  readonly nodeLostTicks: number;
}

/** Bounds of queues, buffers and messages. Defaults in parentheses. */
export interface RaftLimits {
  /** Largest command in bytes (1 MiB); larger ones are refused with PAYLOAD_TOO_LARGE. */
  readonly maxCommandBytes: number;
  /** Proposals of this node waiting for their result (8192); more are refused with OVERLOADED. */
  readonly maxPendingProposals: number;
  /** Reads of this node waiting to be confirmed and applied (65,536); more are refused with OVERLOADED. */
  readonly maxPendingReads: number;
  /** Largest append message in bytes (256 KiB). */
  readonly maxMessageBytes: number;
  /** Committed bytes handed to the executor at once (1 MiB). */
  readonly maxCommittedBytesPerReady: number;
  /** Uncommitted bytes on the leader (64 MiB); proposals beyond are dropped and retried. */
  readonly maxUncommittedBytes: number;
  /** Append messages in flight to one peer (256). */
  readonly maxInflightMessages: number;
  /** Entries applied since the last snapshot before another is taken (20,000). */
  readonly snapshotEveryEntries: number;
  /** Applied entries kept in the log behind a snapshot, for slow followers (5,000). */
  readonly keepEntries: number;
  /** The same while a snapshot is on its way to a follower that will need them (1,000,000). */
  readonly keepEntriesWhileSending: number;
  /** How long a proposal, read or change may take unless its caller says otherwise, in milliseconds (10,000). */
  readonly defaultTimeoutMs: number;
}

export const DEFAULT_TIMING: RaftTiming = Object.freeze({
  tickMs: 50,
  electionTicks: 10,
  heartbeatTicks: 2,
  nodeLostTicks: 12,
});

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

/** With fewer there is hardly anything to gain. */
export const DEFAULT_COALESCE_HEARTBEATS_FROM = 16;

export interface RaftClusterOptions<Command, Result> {
  /** Which node this is; the transport's. */
  readonly nodeId: NodeId;
  /** One of many groups on the same transport (1). */
  readonly groupId?: GroupId;
  /** How the others are reached. */
  readonly transport: PeerTransport;
  /** Where log, votes and snapshots are kept. It stays open when the group stops. */
  readonly storage: GroupStorage;
  /** What is replicated. */
  readonly executor: CommandExecutor<Command, Result>;
  /** Required when the storage is empty. */
  readonly bootstrap?: Bootstrap;
  /** Lengths of ticks, elections and heartbeats ({@link RaftTiming}). */
  readonly timing?: Partial<RaftTiming>;
  /** Bounds of queues, buffers and messages ({@link RaftLimits}). */
  readonly limits?: Partial<RaftLimits>;
  /** Asks whether an election would succeed before it begins one (thesis §9.6). Defaults to true. */
  readonly preVote?: boolean;
  /** The leader steps down when it hears from no quorum for an election timeout (thesis §6.2). Defaults to true. */
  readonly checkQuorum?: boolean;
  /** How reads are confirmed: a heartbeat round, or the leader's lease, which trusts clocks ("safe"). */
  readonly readOnly?: "safe" | "lease-based";
  /**
   * From so many groups on this node on, their heartbeats to a peer travel as one message, which costs a small part of what one
   * for each group does (16). 1: always; Infinity: never. All groups of a node should say the same; peers may differ.
   */
  readonly coalesceHeartbeatsFrom?: number;
  /** Defaults to the platform's clock. */
  readonly clock?: Clock;
  /** Defaults to one seeded from the platform's randomness. */
  readonly rng?: Rng;
  /** Defaults to silence. */
  readonly logger?: Logger;
  /** Told of what the group measures; nothing is measured without one. */
  readonly probe?: ClusterProbe;
}

/** {@link RaftClusterOptions} with everything decided. */
export interface ResolvedOptions<Command, Result> {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly transport: PeerTransport;
  readonly storage: GroupStorage;
  readonly executor: CommandExecutor<Command, Result>;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly readOnly: "safe" | "lease-based";
  readonly coalesceHeartbeatsFrom: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** What is told of calls; undefined where nobody measures them. */
  readonly calls: CallMeter | undefined;
}
