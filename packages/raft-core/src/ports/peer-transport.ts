/** The port of a transport: the interfaces that a transport implements and calls, so that a group can talk to its peers. */
import type { Message } from "../message.ts";
import type { GroupId, LogIndex, NodeId } from "../types.ts";
import type { SnapshotStream } from "./snapshot-stream.ts";

/** Longest request of an application to a peer, and longest answer, in bytes. */
export const MAX_PEER_REQUEST_BYTES: number = 1024 * 1024;

/** A group on this node, as the transport calls it. No method may throw; promises may reject. */
export interface GroupReceiver {
  /** Takes messages of one frame from one peer, in the order in which the peer sent them. Messages may be lost, repeated and reordered. */
  receive(from: NodeId, messages: readonly Message[]): void;
  /**
   * Takes a snapshot that a peer offers. `message` is its MsgSnap, `content` its chunks, with checksums already verified. A chunk is valid until the
   * next one is requested. Resolves when the content is durable; the receiver steps the message itself. Rejects when the group does not want the
   * snapshot or could not store it.
   */
  receiveSnapshot(message: Message, content: SnapshotStream): Promise<void>;
  /**
   * Sends this node's own latest snapshot to `message.to` because a leader asks for it. `message` is the MsgSnap that the leader would send.
   * The snapshot must be at `minIndex` or later. Resolves when the receiver has the snapshot, rejects otherwise. The transport
   * refuses such requests for a group without this method.
   */
  sendSnapshotFor?(message: Message, minIndex: LogIndex): Promise<void>;
  /**
   * Answers a request that the application of a peer sends beside consensus ({@link GroupChannel.request}). Rejects when there is no answer. The bytes are valid until the promise settles. The
   * transport refuses such requests for a group without this method.
   */
  receiveRequest?(from: NodeId, request: Uint8Array): Promise<Uint8Array>;
  /** Proposes the bytes of one command that a client sent (`RaftService.SendMessage`). Rejects with a RaftoralError. */
  receiveCommand(command: Uint8Array): Promise<void>;
  /** Tells the group that a peer cannot be reached. Called once per outage. */
  unreachable(peer: NodeId): void;
  /**
   * Whether the peer was a member of the group and was removed. `true` is final, because ids are never used again. `false` may mean
   * that this node has not applied the removal yet, or that the removed peer still leads.
   */
  isRemoved?(peer: NodeId): boolean;
  /** Tells the group that `by` says this node was removed from the group. May be called repeatedly. */
  removed?(by: NodeId): void;
  /** Describes the group for `Discover`. */
  describe(): GroupDescription;
}

/** A group's answer to `Discover`. */
export interface GroupDescription {
  readonly role: "FOLLOWER" | "CANDIDATE" | "LEADER" | "LEARNER";
  /** The leader, or 0 when none is known. */
  readonly leader: NodeId;
  /** Highest id that a member ever had. */
  readonly highestKnownNodeId: NodeId;
}

/** A group's sending side on a transport. */
export interface GroupChannel {
  /**
   * Takes messages for any peers, best effort. Never blocks and never throws; messages that cannot be queued are dropped. Messages of one
   * turn of the event loop to one peer leave in one frame. The messages are immutable and may be shared.
   */
  send(messages: readonly Message[]): void;
  /**
   * Streams a snapshot without delaying messages. `message` is the MsgSnap that announces the snapshot, with empty data. Resolves when the
   * receiver has stored the snapshot durably, rejects otherwise. A transfer of fixed content that is interrupted is resumed.
   */
  sendSnapshot(message: Message, content: SnapshotStream): Promise<void>;
  /**
   * Asks `delegate` to send its own snapshot to `message.to` ({@link GroupReceiver.sendSnapshotFor}). Resolves when the receiver has the
   * snapshot. Rejects when the delegate refuses, fails, or is silent for too long. On a transport without this method leaders send
   * snapshots themselves.
   */
  delegateSnapshot?(delegate: NodeId, message: Message, minIndex: LogIndex): Promise<void>;
  /**
   * Sends a request of the application to a peer, beside messages and without delaying them, and resolves with the peer's answer ({@link GroupReceiver.receiveRequest}). Both have at most
   * {@link MAX_PEER_REQUEST_BYTES}. Rejects with TRANSPORT_PEER_UNREACHABLE (whether the peer has had the request is not known), TRANSPORT_REQUEST_REFUSED when the peer has no answer, and
   * TRANSPORT_CLOSED. A transport without this method carries no requests.
   */
  request?(peer: NodeId, request: Uint8Array): Promise<Uint8Array>;
  /** Stops receiving. Idempotent. */
  close(): void;
}

/** One node's side of a transport. Many groups of the node share it. */
export interface PeerTransport {
  readonly nodeId: NodeId;
  /** Opens a group: from now on its messages reach `receiver`. A group has one receiver at a time. */
  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel;
  /**
   * Throws TRANSPORT_ADDRESS_INVALID for an address that {@link setPeer} could not use. A transport without this method accepts any address. Called
   * before an address is replicated, because afterwards every node has it.
   */
  checkAddress?(address: string): void;
  /** Sets the address of a peer, or its new one. */
  setPeer(peer: NodeId, address: string): void;
  /** Forgets a peer and closes the connections to it. Ignores unknown peers. */
  removePeer(peer: NodeId): void;
  /**
   * Called when the members of a group have changed. The transport asks its groups which peers are removed ({@link GroupReceiver.isRemoved}),
   * tells those peers, and takes no messages of theirs any more.
   */
  membersChanged?(): void;
}
