/**
 * The network between all nodes: a link for each direction of each pair. What is sent takes a delay, and may be lost, repeated
 * or overtaken; a cut link delivers nothing, and what is under way on it is lost.
 */
import type { GroupId, NodeId } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import type { GroupReceiver, PeerTransport } from "@raftoral/raft-core/transport";
import { decodePeerMessage, encodeMessage } from "@raftoral/raft-core/transport";
import type { Passage } from "../coverage/rare-states.ts";
import type { Life } from "../node/life.ts";
import type { Random } from "../world/random.ts";
import type { Settings } from "../world/settings.ts";
import type { World } from "../world/world.ts";
import { NodePort } from "./node-port.ts";
import { CALM, type Weather } from "./weather.ts";

/**
 * Of the frames under way to a process that crashes, how many come to its successor instead of being lost with the connection: what
 * the sender still held back, or sends again.
 */
const OUTLIVES_RECEIVER = 0.5;
/** Of the frames under way from a process that crashes, how many arrive: those that had left its machine. */
const OUTLIVES_SENDER = 0.5;

interface Listener {
  readonly life: Life;
  /** Of the one group that is simulated. */
  readonly receiver: GroupReceiver;
  /** By group: that one, and what nodes have among themselves. */
  readonly receivers: Map<GroupId, GroupReceiver>;
}

/** The network of one {@link World}. */
export class Network {
  /** What happens to every message. */
  weather: Weather;
  readonly #world: World;
  readonly #random: Random;
  /** Every message is encoded and decoded on the way. */
  readonly #throughCodec: boolean;
  readonly #listeners = new Map<NodeId, Listener>();
  /** How often each direction is cut: partitions may overlap. Key: from * 1000 + to. */
  readonly #cuts = new Map<number, number>();
  /** Extra delay of a direction. */
  readonly #slow = new Map<number, number>();
  /** When the last frame of a direction that was not overtaken arrives: frames in order stay in order. */
  readonly #lastArrival = new Map<number, number>();

  constructor(world: World, random: Random, { weather, throughCodec }: Settings) {
    this.weather = weather;
    this.#world = world;
    this.#random = random;
    this.#throughCodec = throughCodec;
  }

  /** The way in and out of one process. `opened` hears of the receiver. */
  attach(nodeId: NodeId, life: Life, opened: (receiver: GroupReceiver) => void): PeerTransport {
    return new NodePort(this.#world, this, nodeId, life, (groupId, receiver) => {
      this.#listeners.set(nodeId, { life, receiver, receivers: new Map([[groupId, receiver]]) });
      life.onEnd(() => this.detach(nodeId, life));
      opened(receiver);
    });
  }

  /** Another receiver of a process that is attached. */
  open(nodeId: NodeId, life: Life, groupId: GroupId, receiver: GroupReceiver): void {
    const listener = this.#listeners.get(nodeId);
    if (listener?.life === life) listener.receivers.set(groupId, receiver);
  }

  close(nodeId: NodeId, life: Life, groupId: GroupId): void {
    const listener = this.#listeners.get(nodeId);
    if (listener?.life === life) listener.receivers.delete(groupId);
  }

  detach(nodeId: NodeId, life: Life): void {
    if (this.#listeners.get(nodeId)?.life === life) this.#listeners.delete(nodeId);
  }

  /** Who would hear a message now; undefined while the receiver is down or the direction cut. */
  reach(from: NodeId, to: NodeId): Listener | undefined {
    return this.#cuts.has(direction(from, to)) ? undefined : this.#listeners.get(to);
  }

  /** Every other process that listens. */
  others(nodeId: NodeId): readonly (readonly [NodeId, Listener])[] {
    return [...this.#listeners].filter(([id]) => id !== nodeId);
  }

  cut(from: NodeId, to: NodeId): void {
    const key = direction(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
  }

  mend(from: NodeId, to: NodeId): void {
    const key = direction(from, to);
    const left = (this.#cuts.get(key) ?? 0) - 1;
    if (left > 0) this.#cuts.set(key, left);
    else this.#cuts.delete(key);
  }

  /** Adds `extraMs` to every message of a direction; 0 ends it. */
  slowDown(from: NodeId, to: NodeId, extraMs: number): void {
    if (extraMs > 0) this.#slow.set(direction(from, to), extraMs);
    else this.#slow.delete(direction(from, to));
  }

  heal(): void {
    this.weather = CALM;
    this.#cuts.clear();
    this.#slow.clear();
  }

  /** How long something takes from one node to another now. */
  delayMs(from: NodeId, to: NodeId): number {
    const { minDelayMs, maxDelayMs } = this.weather;
    return this.#random.between(minDelayMs, maxDelayMs) + (this.#slow.get(direction(from, to)) ?? 0);
  }

  /** Whether something is lost on the way. */
  loses(): boolean {
    if (!this.#random.chance(this.weather.dropRate)) return false;
    this.#world.faults.count("drop");
    return true;
  }

  repeats(): boolean {
    if (!this.#random.chance(this.weather.duplicateRate)) return false;
    this.#world.faults.count("duplicate");
    return true;
  }

  /** Sends one frame: messages of one turn to one peer. `life` is the sender's. */
  send(from: NodeId, life: Life, to: NodeId, groupId: GroupId, frame: readonly Message[]): void {
    const kept: Message[] = [];
    const again: Message[] = [];
    for (const message of frame) {
      if (this.loses()) continue;
      kept.push(message);
      if (this.repeats()) again.push(message);
    }
    if (kept.length > 0) this.#travel(from, life, to, groupId, kept);
    if (again.length > 0) this.#travel(from, life, to, groupId, again);
  }

  #travel(from: NodeId, life: Life, to: NodeId, groupId: GroupId, frame: readonly Message[]): void {
    const key = direction(from, to);
    let arrival = this.#world.now + this.delayMs(from, to);
    if (this.#random.chance(this.weather.reorderRate)) {
      this.#world.faults.count("reorder");
      arrival += this.#random.between(0, this.weather.reorderMs);
    } else {
      arrival = Math.max(arrival, this.#lastArrival.get(key) ?? 0);
      this.#lastArrival.set(key, arrival);
    }
    const receiver = this.#listeners.get(to)?.life;
    const passage = { forIncarnation: receiver?.number ?? 0, fromIncarnation: life.number };
    const connection = this.#random.chance(OUTLIVES_RECEIVER) ? undefined : receiver;
    const hasLeft = this.#random.chance(OUTLIVES_SENDER);
    this.#world.after(arrival - this.#world.now, "arrive", to, connection, () => {
      if (hasLeft || life.isAlive) this.#arrive(from, to, groupId, frame, passage);
      else this.#world.faults.count("lost-with-sender", frame.length);
    });
  }

  #arrive(from: NodeId, to: NodeId, groupId: GroupId, frame: readonly Message[], passage: Passage): void {
    const listener = this.reach(from, to);
    if (listener === undefined) {
      this.#world.faults.count("cut-off", frame.length);
      return;
    }
    const messages = this.#throughCodec ? frame.map((message) => decodePeerMessage(encodeMessage(message))) : frame;
    listener.life.deliver("arrive", () => {
      for (const message of frame) {
        this.#world.trace.tell("receive", to, message.index, () => describeMessage(message));
        this.#world.monitor.arrives(to, message, passage);
      }
      listener.receivers.get(groupId)?.receive(from, messages);
    });
  }
}

/** A message as one line of text. */
export function describeMessage(message: Message): string {
  const { type, from, to, term, index, logTerm, entries, commit, reject } = message;
  const extent = entries.length > 0 ? ` +${entries.length} entries` : "";
  const snapshot = message.snapshot === undefined ? "" : ` snapshot ${message.snapshot.metadata.index}`;
  const place = index > 0 ? ` at ${index}/${logTerm}` : "";
  return `${type} n${from}>n${to} term ${term}${place}${extent}${snapshot}${commit > 0 ? ` commit ${commit}` : ""}${reject ? " REJECT" : ""}`;
}

function direction(from: NodeId, to: NodeId): number {
  return from * 1000 + to;
}
