/**
 * The outputs of a group's core: messages to peers, writes for the append thread, entries for the apply thread, and snapshots.
 *
 * Role: sorts messages by their destination. It does not look into them. The counterpart of inbound/group-inbox.ts.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import type { GroupChannel } from "../ports/peer-transport.ts";
import { TransportError } from "../transport-kit/transport-error.ts";
import type { LogIndex, NodeId } from "../types.ts";

/** The parts of the group that its outputs go to. */
export interface GroupOutboxHost {
  readonly nodeId: NodeId;
  readonly append: { submit(message: Message): void };
  readonly apply: { submit(message: Message): void };
  readonly snapshots: {
    send(channel: GroupChannel, message: Message): void;
    sendFor(channel: GroupChannel, message: Message, minIndex: LogIndex): Promise<void>;
  };
}

/** Hands out the messages of one group. Without a channel, messages to peers are dropped. */
export class GroupOutbox {
  readonly #host: GroupOutboxHost;
  #channel: GroupChannel | undefined;

  constructor(host: GroupOutboxHost) {
    this.#host = host;
  }

  /** Sends to peers on `channel` from now on. */
  open(channel: GroupChannel): void {
    this.#channel = channel;
  }

  /** Closes the channel. Idempotent. */
  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Hands out the messages of a Ready. */
  handOut(messages: readonly Message[]): void {
    const toPeers: Message[] = [];
    const local: Message[] = [];
    for (const message of messages) {
      if (message.to === LOCAL_APPEND_THREAD || message.to === LOCAL_APPLY_THREAD) local.push(message);
      else if (message.type === "MsgSnap") this.#channel && this.#host.snapshots.send(this.#channel, message);
      else toPeers.push(message);
    }
    // Peers first: their disks then work at the same time as this node's (thesis §10.2.1).
    if (toPeers.length > 0) this.#channel?.send(toPeers);
    for (const message of local) {
      if (message.to === LOCAL_APPEND_THREAD) this.#host.append.submit(message);
      else this.#host.apply.submit(message);
    }
  }

  /** Delivers the responses of a thread: calls `step` with those to this node, then sends the others. */
  deliver(responses: readonly Message[], step: (response: Message) => void): void {
    const toPeers: Message[] = [];
    for (const response of responses) {
      if (response.to === this.#host.nodeId) step(response);
      else toPeers.push(response);
    }
    if (toPeers.length > 0) this.#channel?.send(toPeers);
  }

  /** Sends this node's own snapshot for a leader that asks (snapshots/snapshot-exchange.ts). Does nothing without a channel. */
  async sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void> {
    if (this.#channel !== undefined) await this.#host.snapshots.sendFor(this.#channel, message, minIndex);
  }

  /** {@link GroupChannel.request}. Rejects with TRANSPORT_REQUEST_REFUSED on a transport that carries no requests. */
  async request(peer: NodeId, request: Uint8Array): Promise<Uint8Array> {
    const channel = this.#channel;
    if (channel?.request !== undefined) return await channel.request(peer, request);
    throw new TransportError(
      "TRANSPORT_REQUEST_REFUSED",
      `No request can be sent to node ${peer}: the transport carries none. Use one that has GroupChannel.request.`,
      { details: { nodeId: peer } },
    );
  }
}
