/**
 * What a group hears from its transport: the transport calls it, and everything goes on from here to the part that it is for.
 *
 * Role: knows what each call of {@link GroupReceiver} means to the group. It keeps nothing and decides nothing about consensus.
 */
import type { Message } from "../../message.ts";
import type { GroupDescription, GroupReceiver } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { LogIndex, NodeId } from "../../types.ts";

/** What the inbox needs of its group. */
export interface GroupInboxHost {
  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  readonly lifecycle: { assertRunning(): void };
  readonly membership: {
    includes(nodeId: NodeId): boolean;
    hasRemoved(nodeId: NodeId): boolean;
    removedSays(peer: NodeId): void;
  };
  readonly leadership: { readonly leader: NodeId; heard(member: NodeId): void };
  readonly received: { step(message: Message): void };
  /** Runs `step`, and a turn after it, unless the node has stopped; what it throws stops the node. */
  enter(step: () => void): void;
  /** Stores a snapshot. Resolves with what forgets it again. */
  storeSnapshot(message: Message, content: SnapshotStream): Promise<() => Promise<void>>;
  /** Whether the core is about to restore the snapshot of `message`. */
  isRestoring(message: Message): boolean;
  /** {@link GroupReceiver.sendSnapshotFor}. */
  sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void>;
  /** Proposes the bytes of a command that a client sent. Rejects for bytes that are none. */
  proposeCommand(bytes: Uint8Array): Promise<unknown>;
  /** The peer cannot be reached; the core is told. */
  reportUnreachable(peer: NodeId): void;
  /** {@link GroupReceiver.describe}. */
  describe(): GroupDescription;
}

/** The receiver that a group opens on its transport. */
export class GroupInbox implements GroupReceiver {
  readonly #host: GroupInboxHost;

  constructor(host: GroupInboxHost) {
    this.#host = host;
  }

  receive(from: NodeId, messages: readonly Message[]): void {
    const { membership, leadership, received } = this.#host;
    this.#host.enter(() => {
      // Of members alone is kept when they were heard: a sender can call itself anything.
      if (membership.includes(from)) leadership.heard(from);
      for (const message of messages) received.step(message);
    });
  }

  async receiveSnapshot(message: Message, content: SnapshotStream): Promise<void> {
    const { lifecycle, leadership } = this.#host;
    lifecycle.assertRunning();
    leadership.heard(message.from);
    const forget = await this.#host.storeSnapshot(message, content);
    lifecycle.assertRunning();
    this.receive(message.from, [message]);
    // A late or repeated snapshot: the core has answered the leader, and what was stored would lie there for ever.
    if (!this.#host.isRestoring(message)) await forget();
  }

  async sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void> {
    this.#host.lifecycle.assertRunning();
    await this.#host.sendSnapshotFor(message, minIndex);
  }

  async receiveCommand(bytes: Uint8Array): Promise<void> {
    this.#host.lifecycle.assertRunning();
    await this.#host.proposeCommand(bytes);
  }

  unreachable(peer: NodeId): void {
    this.#host.enter(() => this.#host.reportUnreachable(peer));
  }

  isRemoved(peer: NodeId): boolean {
    const { membership, leadership } = this.#host;
    // A leader that was removed is heard until it has stepped down.
    return membership.hasRemoved(peer) && peer !== leadership.leader;
  }

  removed(by: NodeId): void {
    this.#host.membership.removedSays(by);
  }

  describe(): GroupDescription {
    return this.#host.describe();
  }
}
