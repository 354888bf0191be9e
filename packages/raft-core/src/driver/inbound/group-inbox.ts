/**
 * The receiver of a group: the transport calls it, and it passes each call on to the part of the group that handles it.
 *
 * Role: implements {@link GroupReceiver}. It keeps no state and makes no decisions of consensus.
 */
import { RaftError } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { GroupDescription, GroupReceiver } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { LogIndex, NodeId } from "../../types.ts";

/** The parts of the group that the inbox uses. */
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
  /** Runs `step` and schedules a turn, unless the node has stopped. An error of `step` stops the node. */
  enter(step: () => void): void;
  /** Stores a snapshot. Resolves with a function that deletes it again. */
  storeSnapshot(message: Message, content: SnapshotStream): Promise<() => Promise<void>>;
  /** Whether the core is about to restore the snapshot of `message`. */
  isRestoring(message: Message): boolean;
  /** {@link GroupReceiver.sendSnapshotFor}. */
  sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void>;
  /** {@link GroupReceiver.receiveRequest}; undefined for an application that answers none. */
  readonly answerRequest: ((from: NodeId, request: Uint8Array) => Promise<Uint8Array>) | undefined;
  /** Proposes the bytes of a command that a client sent. Rejects for bytes that are no command. */
  proposeCommand(bytes: Uint8Array): Promise<unknown>;
  /** Tells the core that a peer cannot be reached. */
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
      // Only members are recorded as heard, because a sender can claim any id.
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
    // For a late or repeated snapshot the core has answered the leader already, and does not need the stored content.
    if (!this.#host.isRestoring(message)) await forget();
  }

  async sendSnapshotFor(message: Message, minIndex: LogIndex): Promise<void> {
    this.#host.lifecycle.assertRunning();
    await this.#host.sendSnapshotFor(message, minIndex);
  }

  async receiveRequest(from: NodeId, request: Uint8Array): Promise<Uint8Array> {
    const { lifecycle, membership, answerRequest } = this.#host;
    lifecycle.assertRunning();
    if (answerRequest === undefined || !membership.includes(from)) throw requestRefused(from);
    return await answerRequest(from, request);
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
    // This node listens to a removed leader until that leader has stepped down.
    return membership.hasRemoved(peer) && peer !== leadership.leader;
  }

  removed(by: NodeId): void {
    this.#host.membership.removedSays(by);
  }

  describe(): GroupDescription {
    return this.#host.describe();
  }
}

function requestRefused(from: NodeId): RaftError {
  return new RaftError(
    "NODE_UNKNOWN",
    `Requests of node ${from} are not answered here: it is no member of the group, or the group's application takes none. Let it join first.`,
    { retryable: true, details: { nodeId: from } },
  );
}
