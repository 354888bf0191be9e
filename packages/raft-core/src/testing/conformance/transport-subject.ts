/** What the transport conformance suite is given, and the receiver with which it listens. */

import { type Message, message } from "../../message.ts";
import type { GroupChannel, GroupDescription, GroupReceiver, PeerTransport } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { LogIndex, NodeId } from "../../types.ts";
import { ConformanceFailure } from "../assertions.ts";
import type { DeclareCase } from "./declare-cases.ts";

/** A network of nodes 1, 2 and 3 that know each other and run. Made anew for every case. */
export interface TransportSubject {
  peer(nodeId: NodeId): PeerTransport;
  /** The node's process is gone, as far as the others can see. */
  takeDown(nodeId: NodeId): Promise<void>;
  /** It is back at the same address. */
  bringUp(nodeId: NodeId): Promise<void>;
  /** It goes down and comes back at another address, which is returned and told to nobody. */
  move(nodeId: NodeId): Promise<string>;
  /** Bound of the queue to one peer. Keep it at a few thousand here, so that the suite can reach it. */
  readonly maxQueuedMessages: number;
  dispose(): Promise<void>;
}

/** Declares a case: the body gets a fresh subject, which is disposed of whatever happens. */
export type DeclareTransportCase = DeclareCase<TransportSubject>;

const WAIT_MS = 15_000;
const RETRY_MS = 10;

type ReceiveSnapshot = (message: Message, content: SnapshotStream) => Promise<void>;

/** Keeps what arrives, and lets a case wait for it. */
export class RecordingReceiver implements GroupReceiver {
  readonly frames: { readonly from: NodeId; readonly messages: readonly Message[] }[] = [];
  readonly unreachables: NodeId[] = [];
  /** Who said that this node was removed. */
  readonly removals: NodeId[] = [];
  /** Whom this group has no more, as it tells its transport. */
  readonly removedPeers = new Set<NodeId>();
  onSnapshot: ReceiveSnapshot = async () => {
    throw new Error("no snapshot was expected here");
  };
  onDelegation: (message: Message, minIndex: LogIndex) => Promise<void> = async () => {
    throw new Error("nobody was expected to ask for a snapshot");
  };
  readonly #waiting = new Set<() => void>();

  receive(from: NodeId, messages: readonly Message[]): void {
    this.frames.push({ from, messages });
    this.changed();
  }

  receiveSnapshot(announcement: Message, content: SnapshotStream): Promise<void> {
    return this.onSnapshot(announcement, content);
  }

  sendSnapshotFor(announcement: Message, minIndex: LogIndex): Promise<void> {
    return this.onDelegation(announcement, minIndex);
  }

  async receiveCommand(): Promise<void> {
    throw new Error("no command was expected here");
  }

  unreachable(peer: NodeId): void {
    this.unreachables.push(peer);
    this.changed();
  }

  isRemoved(peer: NodeId): boolean {
    return this.removedPeers.has(peer);
  }

  removed(by: NodeId): void {
    this.removals.push(by);
    this.changed();
  }

  describe(): GroupDescription {
    return { role: "FOLLOWER", leader: 0, highestKnownNodeId: 3 };
  }

  get messages(): readonly Message[] {
    return this.frames.flatMap((frame) => frame.messages);
  }

  /** The `commit` of every message from `from`, in order of arrival: the suite numbers its messages there. */
  numbers(from: NodeId): readonly number[] {
    return this.frames
      .filter((frame) => frame.from === from)
      .flatMap((frame) => frame.messages)
      .map((m) => m.commit);
  }

  /** Something happened that a case may wait for. */
  changed(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves once `condition` holds; fails after a bound, naming `what`. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (condition()) {
        resolve();
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new ConformanceFailure(`waited ${WAIT_MS} ms in vain: ${what}`));
      }, WAIT_MS);
      const check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** Waits for the message numbered `number` from `from`. */
  untilNumber(from: NodeId, number: number): Promise<void> {
    return this.until(() => this.numbers(from).includes(number), `message ${number} from node ${from}`);
  }
}

/** A heartbeat from `from` to `to` that carries `number` as its commit index. */
export function numbered(from: NodeId, to: NodeId, number: number): Message {
  return message({ type: "MsgHeartbeat", from, to, term: 1, commit: number });
}

/** Sends again and again until `receiver` has it: how Raft uses a transport that may lose messages. */
export async function sendUntilReceived(
  channel: GroupChannel,
  receiver: RecordingReceiver,
  sent: Message,
): Promise<void> {
  const timer = setInterval(() => channel.send([sent]), RETRY_MS);
  channel.send([sent]);
  try {
    await receiver.untilNumber(sent.from, sent.commit);
  } finally {
    clearInterval(timer);
  }
}

/** A group open on several nodes. */
export interface OpenGroup {
  receiver(nodeId: NodeId): RecordingReceiver;
  channel(nodeId: NodeId): GroupChannel;
}

export function openGroup(subject: TransportSubject, nodeIds: readonly NodeId[], groupId = 1): OpenGroup {
  const receivers = new Map<NodeId, RecordingReceiver>();
  const channels = new Map<NodeId, GroupChannel>();
  for (const nodeId of nodeIds) {
    const receiver = new RecordingReceiver();
    receivers.set(nodeId, receiver);
    channels.set(nodeId, subject.peer(nodeId).open(groupId, receiver));
  }
  return {
    receiver: (nodeId) => known(receivers, nodeId),
    channel: (nodeId) => known(channels, nodeId),
  };
}

function known<Value>(values: ReadonlyMap<NodeId, Value>, nodeId: NodeId): Value {
  const value = values.get(nodeId);
  if (value === undefined) throw new ConformanceFailure(`the case did not open its group on node ${nodeId}`);
  return value;
}
