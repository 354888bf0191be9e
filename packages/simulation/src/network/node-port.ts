/**
 * A process's place on the network: the driver's `PeerTransport`, and the channels of its one group and of what the nodes have to
 * say to each other beside it.
 */
import type { GroupId, LogIndex, NodeId } from "@raftoral/raft-core";
import { TransportError } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import type { GroupChannel, GroupReceiver, PeerTransport } from "@raftoral/raft-core/transport";
import type { Life } from "../node/life.ts";
import type { World } from "../world/world.ts";
import type { Network } from "./network.ts";

/** After this long without an answer a snapshot counts as failed. */
const SNAPSHOT_TIMEOUT_MS = 2_000;
/** After this long a member that was asked to send one counts as silent. */
const DELEGATE_TIMEOUT_MS = 3_000;
/** A peer that is down is noticed after this long. */
const UNREACHABLE_AFTER_MS = 5;
/** How often a process says hello to the others, as one does that connects to them again and again. */
const HELLO_EVERY_MS = 2_000;

/** The port of one process. It is dead when the process is. */
export class NodePort implements PeerTransport {
  readonly nodeId: NodeId;
  readonly #world: World;
  readonly #network: Network;
  readonly #life: Life;
  readonly #opened: (groupId: GroupId, receiver: GroupReceiver) => void;
  #isOpen = false;
  /** Of the one group that is simulated. */
  #receiver: GroupReceiver | undefined;

  /** `opened` hears of the first receiver, that of the group. */
  constructor(
    world: World,
    network: Network,
    nodeId: NodeId,
    life: Life,
    opened: (groupId: GroupId, receiver: GroupReceiver) => void,
  ) {
    this.nodeId = nodeId;
    this.#world = world;
    this.#network = network;
    this.#life = life;
    this.#opened = opened;
  }

  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    if (this.#isOpen) return this.#openBeside(groupId, receiver);
    this.#isOpen = true;
    this.#receiver = receiver;
    this.#opened(groupId, receiver);
    this.#helloLater();
    const told = new Set<NodeId>();
    const tell = (messages: readonly Message[]): void => {
      if (!this.#life.isAlive) return;
      for (const message of messages) this.#world.monitor.sent(this.nodeId, message);
    };
    return {
      send: (messages) => {
        tell(messages);
        this.#send(groupId, messages, receiver, told);
      },
      sendSnapshot: (message, content) => {
        tell([message]);
        return this.#sendSnapshot(message, content);
      },
      delegateSnapshot: (delegate, message, minIndex) => this.#delegate(delegate, message, minIndex),
      close: () => this.#network.detach(this.nodeId, this.#life),
    };
  }

  /** What the invariants do not look at: it is no message of Raft's. */
  #openBeside(groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    this.#network.open(this.nodeId, this.#life, groupId, receiver);
    const told = new Set<NodeId>();
    return {
      send: (messages) => this.#send(groupId, messages, receiver, told),
      sendSnapshot: (message) => Promise.reject(rejected(message.to, "no snapshots here")),
      close: () => this.#network.close(this.nodeId, this.#life, groupId),
    };
  }

  setPeer(): void {}

  removePeer(): void {}

  /** A node that is removed now hears it over the connections that are open. */
  membersChanged(): void {
    for (const [peer] of this.#network.others(this.nodeId)) {
      if (this.#receiver?.isRemoved?.(peer) === true) this.#tellRemoved(this.nodeId, peer);
    }
  }

  /** Asks all others, one after the other, whether this node was removed. */
  #helloLater(): void {
    this.#world.after(HELLO_EVERY_MS, "hello", this.nodeId, this.#life, () => {
      for (const [peer, { receiver }] of this.#network.others(this.nodeId)) {
        const isHeard = this.#network.reach(this.nodeId, peer) !== undefined;
        if (isHeard && receiver.isRemoved?.(this.nodeId) === true) this.#tellRemoved(peer, this.nodeId);
      }
      this.#helloLater();
    });
  }

  #tellRemoved(by: NodeId, peer: NodeId): void {
    if (this.#network.loses()) return;
    this.#world.after(this.#network.delayMs(by, peer), "removed", peer, undefined, () => {
      const listener = this.#network.reach(by, peer);
      listener?.life.deliver("removed", () => listener.receiver.removed?.(by));
    });
  }

  #send(groupId: GroupId, messages: readonly Message[], receiver: GroupReceiver, told: Set<NodeId>): void {
    if (!this.#life.isAlive) return;
    const frames = new Map<NodeId, Message[]>();
    for (const message of messages) {
      const frame = frames.get(message.to);
      if (frame === undefined) frames.set(message.to, [message]);
      else frame.push(message);
    }
    for (const [to, frame] of frames) {
      if (this.#network.reach(this.nodeId, to) === undefined) this.#tellUnreachable(to, receiver, told);
      else told.delete(to);
      this.#network.send(this.nodeId, this.#life, to, groupId, frame);
    }
  }

  /** Once per outage, a little after the fact. */
  #tellUnreachable(to: NodeId, receiver: GroupReceiver, told: Set<NodeId>): void {
    if (told.has(to)) return;
    told.add(to);
    this.#world.after(UNREACHABLE_AFTER_MS, "unreachable", this.nodeId, this.#life, () => receiver.unreachable(to));
  }

  async #sendSnapshot(message: Message, content: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const { to } = message;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(rejected(to, why));
      const travel = (): number => this.#network.delayMs(this.nodeId, to) * 3;
      const answer = (settle: () => void): void => {
        // The answer may be lost like anything else; then only the timeout tells.
        if (!this.#network.loses()) this.#world.after(travel(), "snap-answer", this.nodeId, this.#life, settle);
      };
      this.#world.after(SNAPSHOT_TIMEOUT_MS, "snap-timeout", this.nodeId, this.#life, () => fail("no answer"));
      const copies = this.#network.repeats() ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.#network.loses()) continue;
        this.#world.after(travel(), "snap-arrive", to, undefined, () => {
          this.#arrive(
            message,
            chunks,
            () => answer(resolve),
            () => answer(() => fail("refused")),
          );
        });
      }
    });
  }

  /** Like a snapshot, it may be lost, be answered too late to be heard, or come twice. */
  #delegate(delegate: NodeId, message: Message, minIndex: LogIndex): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(rejected(delegate, why));
      const answer = (settle: () => void): void => {
        if (this.#network.loses()) return;
        this.#world.after(
          this.#network.delayMs(this.nodeId, delegate),
          "delegate-answer",
          this.nodeId,
          this.#life,
          settle,
        );
      };
      this.#world.after(DELEGATE_TIMEOUT_MS, "delegate-timeout", this.nodeId, this.#life, () => fail("no answer"));
      const copies = this.#network.repeats() ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.#network.loses()) continue;
        this.#world.after(this.#network.delayMs(this.nodeId, delegate), "delegate-arrive", delegate, undefined, () => {
          const listener = this.#network.reach(this.nodeId, delegate);
          if (listener === undefined) return;
          const { index } = message.snapshot?.metadata ?? { index: 0 };
          this.#world.trace.tell("receive", delegate, index, () => `to send to n${message.to} for n${this.nodeId}`);
          listener.life.deliver("delegate-arrive", () => {
            listener.receiver.sendSnapshotFor?.(message, minIndex).then(
              () => answer(resolve),
              () => answer(() => fail("refused")),
            );
          });
        });
      }
    });
  }

  #arrive(message: Message, chunks: readonly Uint8Array[], stored: () => void, refused: () => void): void {
    const { to } = message;
    const listener = this.#network.reach(this.nodeId, to);
    if (listener === undefined) return;
    this.#world.trace.tell("receive", to, message.snapshot?.metadata.index ?? 0, () => `snapshot from n${this.nodeId}`);
    listener.life.deliver("snap-arrive", () => {
      listener.receiver.receiveSnapshot(message, stream(chunks)).then(stored, refused);
    });
  }
}

async function* stream(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

function rejected(to: NodeId, why: string): TransportError {
  return new TransportError("TRANSPORT_SNAPSHOT_REJECTED", `node ${to} did not take the snapshot: ${why}`, {
    retryable: true,
  });
}
