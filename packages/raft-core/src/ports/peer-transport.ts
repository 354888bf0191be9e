/** How a group reaches its peers, and how it hears from them: what a transport implements, and what it is given. */
import type { Message } from "../message.ts";
import type { GroupId, LogIndex, NodeId } from "../types.ts";
import type { SnapshotStream } from "./snapshot-stream.ts";

/** What a group on this node hears from the transport. None of these may throw; all run on the event loop's turn. */
export interface GroupReceiver {
  /** Messages of one frame from one peer, in the order it sent them. Messages may be lost, repeated and reordered. */
  receive(from: NodeId, messages: readonly Message[]): void;
  /**
   * A snapshot offered by a peer: `message` is its MsgSnap, `content` its chunks, already checked; a chunk is valid until the next
   * one is asked for. Resolves when the content is durable (the message itself is stepped by the driver then); rejects when it is not wanted or could not be stored.
   */
  receiveSnapshot(message: Message, content: SnapshotStream): Promise<void>;
  /**
   * A leader asks this node to send its own latest snapshot to `message.to`, in the leader's name; `message` is what the leader would send,
   * and the snapshot must be at `minIndex` or later. Resolves when the receiver has it, rejects otherwise. Where it is left out, the
   * transport refuses for the group.
   */
  sendSnapshotFor?(message: Message, minIndex: LogIndex): Promise<void>;
  /** Bytes of one command, sent by a client (`RaftService.SendMessage`): to be proposed. Rejects with a RaftoralError. */
  receiveCommand(command: Uint8Array): Promise<void>;
  /** The peer cannot be reached. Once per outage. */
  unreachable(peer: NodeId): void;
  /**
   * Whether the peer belonged to the group and does not any more, for good: its id is never given again. By the configuration
   * that is applied here, so `true` is final, and `false` may only mean that this node does not know yet, or that the peer still leads.
   */
  isRemoved?(peer: NodeId): boolean;
  /** `by` says that this node was removed from the group, for good. May come repeatedly. */
  removed?(by: NodeId): void;
  /** For `Discover`. */
  describe(): GroupDescription;
}

export interface GroupDescription {
  readonly role: "FOLLOWER" | "CANDIDATE" | "LEADER" | "LEARNER";
  readonly leader: NodeId;
  readonly highestKnownNodeId: NodeId;
}

/** A group's way out. */
export interface GroupChannel {
  /**
   * Takes messages for any peers, best effort: never blocks, never throws; what cannot be queued is dropped. Messages of one
   * turn of the event loop to one peer leave in one frame. The messages are immutable and may be shared.
   */
  send(messages: readonly Message[]): void;
  /**
   * Streams a snapshot beside the messages, never in their way. Resolves when the receiver has stored it durably, rejects
   * otherwise; `message` is the MsgSnap that announces it, with empty data. Where the content is fixed, a transfer that is cut is
   * resumed.
   */
  sendSnapshot(message: Message, content: SnapshotStream): Promise<void>;
  /**
   * Asks `delegate` to send its own snapshot to `message.to` ({@link GroupReceiver.sendSnapshotFor}). Resolves when the receiver has it;
   * rejects when the delegate refuses, fails, or is not heard of for a while. A transport without it has leaders send themselves.
   */
  delegateSnapshot?(delegate: NodeId, message: Message, minIndex: LogIndex): Promise<void>;
  /** Stops receiving. Idempotent. */
  close(): void;
}

/** A node on a transport. Many groups share it. */
export interface PeerTransport {
  readonly nodeId: NodeId;
  /** Joins a group: from now on its messages reach `receiver`. One receiver per group. */
  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel;
  /**
   * Throws TRANSPORT_ADDRESS_INVALID for an address that {@link setPeer} could not use; a transport without it takes any. Asked
   * before an address is replicated, for afterwards every node has it.
   */
  checkAddress?(address: string): void;
  /** Learns where a peer is, or that it moved. */
  setPeer(peer: NodeId, address: string): void;
  /** Forgets a peer and closes what leads to it. Unknown peers are ignored. */
  removePeer(peer: NodeId): void;
  /**
   * A group's members changed. The transport asks its groups ({@link GroupReceiver.isRemoved}) whose peers are removed ones,
   * tells those, and hears no more of them.
   */
  membersChanged?(): void;
}
