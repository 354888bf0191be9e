/** One node's place on the in-memory network: its groups, its view of who is known, its way out. */
import { type GroupId, invariant, type LogIndex, type NodeId, TransportError } from "@raftoral/raft-core";
import {
  type GroupChannel,
  type GroupReceiver,
  type Message,
  type PeerTransport,
  removedFrom,
  type SnapshotStream,
} from "@raftoral/raft-core/transport";

/** What a node's place needs of the network that it is on. */
export interface PeerNetwork {
  has(nodeId: NodeId): boolean;
  nodeIds(): Iterable<NodeId>;
  send(from: NodeId, groupId: GroupId, message: Message): void;
  sendSnapshot(from: NodeId, groupId: GroupId, message: Message, content: SnapshotStream): Promise<void>;
  delegateSnapshot(
    from: NodeId,
    delegate: NodeId,
    asked: { readonly groupId: GroupId; readonly message: Message; readonly minIndex: LogIndex },
  ): Promise<void>;
  request(from: NodeId, peer: NodeId, groupId: GroupId, request: Uint8Array): Promise<Uint8Array>;
  /** Tells `peer` that `by` knows of its removal from the groups. */
  tellRemoved(by: NodeId, peer: NodeId, groupIds: readonly GroupId[]): void;
}

/** A node's place on the in-memory network. */
export class MemoryPeer implements PeerTransport {
  readonly nodeId: NodeId;
  readonly #network: PeerNetwork;
  readonly #groups = new Map<GroupId, GroupReceiver>();
  /** Peers this node was told to forget; all others of the network are known. */
  readonly #forgotten = new Set<NodeId>();

  constructor(nodeId: NodeId, network: PeerNetwork) {
    this.nodeId = nodeId;
    this.#network = network;
  }

  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    invariant(!this.#groups.has(groupId), `group ${groupId} is open already on node ${this.nodeId}`);
    this.#groups.set(groupId, receiver);
    const isOpen = () => this.#groups.get(groupId) === receiver;
    const check = (peer: NodeId) => {
      if (!isOpen())
        throw new TransportError(
          "TRANSPORT_CLOSED",
          `Group ${groupId} of node ${this.nodeId} is closed. Open it again to send.`,
        );
      if (!this.knows(peer)) throw unknownPeer(this.nodeId, peer);
    };
    return {
      send: (messages: readonly Message[]): void => {
        if (!isOpen()) return;
        for (const message of messages) {
          if (this.knows(message.to)) this.#network.send(this.nodeId, groupId, message);
        }
      },
      sendSnapshot: async (message: Message, content: SnapshotStream): Promise<void> => {
        check(message.to);
        await this.#network.sendSnapshot(this.nodeId, groupId, message, content);
      },
      delegateSnapshot: async (delegate: NodeId, message: Message, minIndex: LogIndex): Promise<void> => {
        check(delegate);
        await this.#network.delegateSnapshot(this.nodeId, delegate, { groupId, message, minIndex });
      },
      request: async (peer: NodeId, request: Uint8Array): Promise<Uint8Array> => {
        check(peer);
        return await this.#network.request(this.nodeId, peer, groupId, request);
      },
      close: (): void => {
        if (isOpen()) this.#groups.delete(groupId);
      },
    };
  }

  setPeer(peer: NodeId, _address: string): void {
    this.#forgotten.delete(peer);
  }

  removePeer(peer: NodeId): void {
    this.#forgotten.add(peer);
  }

  membersChanged(): void {
    for (const peer of this.#network.nodeIds()) {
      const groupIds = this.removedFrom(peer);
      if (groupIds.length > 0) this.#network.tellRemoved(this.nodeId, peer, groupIds);
    }
  }

  /** The groups that `peer` was removed from. Empty unless it was removed from every group that it could be a member of here. */
  removedFrom(peer: NodeId): readonly GroupId[] {
    return removedFrom(this.#groups, peer);
  }

  /** Whether this node would send to `peer`. */
  knows(peer: NodeId): boolean {
    return peer !== this.nodeId && !this.#forgotten.has(peer) && this.#network.has(peer);
  }

  /** The receiver of a group that is open here. */
  receiver(groupId: GroupId): GroupReceiver | undefined {
    return this.#groups.get(groupId);
  }
}

function unknownPeer(self: NodeId, peer: NodeId): TransportError {
  return new TransportError(
    "TRANSPORT_PEER_UNREACHABLE",
    `Node ${self} knows no node ${peer} to send to. Add it to the transport.`,
    { details: { nodeId: peer } },
  );
}
