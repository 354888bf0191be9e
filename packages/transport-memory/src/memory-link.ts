/**
 * One direction between two nodes: collects the messages of a turn, then delivers them as one frame per group, with the
 * link's faults.
 *
 * Invariants:
 * L1. Without reordering, messages arrive in the order they were sent.
 * L2. At most `maxQueuedMessages` are queued or under way; further ones are dropped and counted.
 * L3. A message that is under way when the link is cut, or its end goes down, does not arrive.
 * L4. Randomness is drawn only for faults that are switched on: the same seed and traffic give the same fate.
 */
import type { Clock, GroupId, NodeId, Rng } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/transport";
import { type LinkFaults, NO_FAULTS } from "./faults.ts";

/** What a link needs of the network around it. */
export interface LinkEnds {
  /** Whether the sender may reach the receiver now: neither partitioned nor removed. */
  connected(): boolean;
  /** Whether both ends run. */
  up(): boolean;
  deliver(groupId: GroupId, messages: readonly Message[]): void;
  /** The receiving end is down; `groupId` has not been told in this outage. */
  unreachable(groupId: GroupId): void;
}

/** Messages of one link since it was made. */
export interface LinkCounts {
  readonly sent: number;
  readonly delivered: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** By fault, by choice, by partition, by a full queue, or because an end was down. */
  readonly dropped: number;
}

/** One direction of a link (L1 to L4). */
export class MemoryLink {
  readonly from: NodeId;
  readonly to: NodeId;
  faults: LinkFaults = NO_FAULTS;
  readonly #ends: LinkEnds;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #maxQueuedMessages: number;
  /** Messages of the current turn, by group. */
  #turn = new Map<GroupId, Message[]>();
  #queued = 0;
  /** Under way in order: the n-th timer delivers the n-th of these. */
  readonly #ordered: { groupId: GroupId; message: Message }[] = [];
  #lastArrivalMs = 0;
  /** Groups told of the current outage. */
  readonly #told = new Set<GroupId>();
  readonly #counts = { sent: 0, delivered: 0, duplicated: 0, reordered: 0, dropped: 0 };

  constructor(options: {
    from: NodeId;
    to: NodeId;
    ends: LinkEnds;
    clock: Clock;
    rng: Rng;
    maxQueuedMessages: number;
  }) {
    this.from = options.from;
    this.to = options.to;
    this.#ends = options.ends;
    this.#clock = options.clock;
    this.#rng = options.rng;
    this.#maxQueuedMessages = options.maxQueuedMessages;
  }

  get counts(): LinkCounts {
    return this.#counts;
  }

  send(groupId: GroupId, message: Message): void {
    this.#counts.sent += 1;
    if (this.#queued >= this.#maxQueuedMessages) {
      this.#counts.dropped += 1;
      return;
    }
    this.#queued += 1;
    if (this.#turn.size === 0) this.#clock.soon(() => this.#flush());
    const messages = this.#turn.get(groupId);
    if (messages === undefined) this.#turn.set(groupId, [message]);
    else messages.push(message);
  }

  /** Counts a message that was lost before it left. */
  lose(): void {
    this.#counts.sent += 1;
    this.#counts.dropped += 1;
  }

  /** One draw for delay, as a message would take; 0 without delays. For what travels beside messages. */
  delayMs(): number {
    const { minDelayMs, maxDelayMs } = this.faults;
    return maxDelayMs > minDelayMs ? minDelayMs + this.#chance() * (maxDelayMs - minDelayMs) : minDelayMs;
  }

  #flush(): void {
    const turn = this.#turn;
    this.#turn = new Map();
    if (!this.#ends.up()) {
      for (const [groupId, messages] of turn) {
        this.#drop(messages.length);
        if (this.#told.has(groupId)) continue;
        this.#told.add(groupId);
        this.#ends.unreachable(groupId);
      }
      return;
    }
    this.#told.clear();
    for (const [groupId, messages] of turn) {
      if (this.#isFaultless()) this.#arrive(groupId, messages);
      else for (const message of messages) this.#travel(groupId, message);
    }
  }

  /** Immediate delivery keeps L1 only while nothing is under way. */
  #isFaultless(): boolean {
    return this.faults === NO_FAULTS && this.#ordered.length === 0;
  }

  #travel(groupId: GroupId, message: Message): void {
    const { dropRate, duplicateRate, reorderRate, reorderMs } = this.faults;
    if (this.#happens(dropRate)) {
      this.#drop(1);
      return;
    }
    const copies = this.#happens(duplicateRate) ? 2 : 1;
    if (copies === 2) {
      this.#counts.duplicated += 1;
      this.#queued += 1;
    }
    for (let copy = 0; copy < copies; copy++) {
      if (this.#happens(reorderRate)) {
        this.#counts.reordered += 1;
        const delay = this.delayMs() + this.#chance() * reorderMs;
        this.#clock.after(delay, () => this.#arrive(groupId, [message]));
      } else {
        const now = this.#clock.monotonicMs();
        this.#lastArrivalMs = Math.max(this.#lastArrivalMs, now + this.delayMs());
        this.#ordered.push({ groupId, message });
        this.#clock.after(this.#lastArrivalMs - now, () => this.#arriveNext());
      }
    }
  }

  #arriveNext(): void {
    const next = this.#ordered.shift();
    if (next !== undefined) this.#arrive(next.groupId, [next.message]);
  }

  #arrive(groupId: GroupId, messages: readonly Message[]): void {
    if (!this.#ends.connected() || !this.#ends.up()) {
      this.#drop(messages.length);
      return;
    }
    this.#queued -= messages.length;
    this.#counts.delivered += messages.length;
    this.#ends.deliver(groupId, messages);
  }

  #drop(count: number): void {
    this.#queued -= count;
    this.#counts.dropped += count;
  }

  #happens(rate: number): boolean {
    return rate > 0 && this.#chance() < rate;
  }

  #chance(): number {
    return this.#rng.below(0x1_0000_0000) / 0x1_0000_0000;
  }
}
