/**
 * The outputs of a group's core: messages to peers, writes for the append thread, entries for the apply thread, and snapshots.
 *
 * Role: sorts messages by their destination. It does not look into them. The counterpart of inbound/group-inbox.ts.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import type { GroupChannel } from "../ports/peer-transport.ts";
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
}
