/** The subject of the transport conformance suite, and the receiver that records for it. */

import { type Message, message } from "../../message.ts";
import type { GroupChannel, GroupDescription, GroupReceiver, PeerTransport } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { LogIndex, NodeId } from "../../types.ts";
import { ConformanceFailure } from "../assertions.ts";
import type { DeclareCase } from "./declare-cases.ts";

/** A network of the running nodes 1, 2 and 3, which know each other. The suite creates a new one for each case. */
export interface TransportSubject {
  /** The node's side of the transport. */
  peer(nodeId: NodeId): PeerTransport;
  /** Ends the node's process, as far as its peers can see. */
  takeDown(nodeId: NodeId): Promise<void>;
  /** Starts the node again at the same address. */
  bringUp(nodeId: NodeId): Promise<void>;
  /** Takes the node down and starts it at another address. Returns the address; the peers do not know it. */
  move(nodeId: NodeId): Promise<string>;
  /** Bound of the queue to one peer. Set it to a few thousand, so that the suite can reach it. */
  readonly maxQueuedMessages: number;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** Declares a case. The body gets a new subject, which is released also when the body fails. */
export type DeclareTransportCase = DeclareCase<TransportSubject>;

const WAIT_MS = 15_000;
const RETRY_MS = 10;

type ReceiveSnapshot = (message: Message, content: SnapshotStream) => Promise<void>;

/** Records everything that arrives, and lets a case wait for it. */
export class RecordingReceiver implements GroupReceiver {
  readonly frames: { readonly from: NodeId; readonly messages: readonly Message[] }[] = [];
  readonly unreachables: NodeId[] = [];
  /** The peers that said this node was removed. */
  readonly removals: NodeId[] = [];
  /** The peers that `isRemoved` reports as removed. */
  readonly removedPeers = new Set<NodeId>();
  onSnapshot: ReceiveSnapshot = async () => {
    throw new Error("no snapshot was expected here");
  };
  onDelegation: (message: Message, minIndex: LogIndex) => Promise<void> = async () => {
    throw new Error("no request for a snapshot was expected here");
  };
  onRequest: (from: NodeId, request: Uint8Array) => Promise<Uint8Array> = async () => {
    throw new Error("no request was expected here");
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

  receiveRequest(from: NodeId, request: Uint8Array): Promise<Uint8Array> {
    return this.onRequest(from, request);
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

  /** The messages of all frames, in order of arrival. */
  get messages(): readonly Message[] {
    return this.frames.flatMap((frame) => frame.messages);
  }

  /** The `commit` of every message from `from`, in order of arrival. The suite numbers its messages in that field. */
  numbers(from: NodeId): readonly number[] {
    return this.frames
      .filter((frame) => frame.from === from)
      .flatMap((frame) => frame.messages)
      .map((m) => m.commit);
  }

  /** Checks the conditions that cases wait for. Called whenever something arrives. */
  changed(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves once `condition` holds. Rejects with a {@link ConformanceFailure} that names `what` after 15 seconds. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (condition()) {
        resolve();
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new ConformanceFailure(`did not come within ${WAIT_MS} ms: ${what}`));
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

/** Sends a message repeatedly until `receiver` has it, because a transport may lose messages. */
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

/** Opens a group on several nodes, each with a {@link RecordingReceiver}. */
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
