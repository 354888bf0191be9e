/** What is under way between bare cores: a queue for each direction of each pair, from which the schedule takes what it likes. */
import type { NodeId } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import type { Passage } from "../coverage/rare-states.ts";

/** Beyond this many the oldest is lost: real buffers have an end, too. */
const MAX_UNDER_WAY = 64;

export interface UnderWay {
  readonly message: Message;
  readonly passage: Passage;
  /** Of a snapshot, the copy of which its sender is to hear what became of it. */
  readonly isReported: boolean;
}

/** The messages that are under way in one {@link CoreGroup}. */
export class CoreNetwork {
  readonly #queues = new Map<number, UnderWay[]>();
  /** Directions with something under way. */
  readonly #busy: number[] = [];

  get isQuiet(): boolean {
    return this.#busy.length === 0;
  }

  /** Directions with something under way, as `from * 64 + to`. */
  get busy(): readonly number[] {
    return this.#busy;
  }

  lengthOf(from: NodeId, to: NodeId): number {
    return this.#queues.get(from * 64 + to)?.length ?? 0;
  }

  /** What is under way from `from` to `to`, oldest first. */
  between(from: NodeId, to: NodeId): readonly UnderWay[] {
    return this.#queues.get(from * 64 + to) ?? [];
  }

  /** Returns what was lost for want of room. */
  send(from: NodeId, to: NodeId, sent: UnderWay): UnderWay | undefined {
    const key = from * 64 + to;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(key, queue);
    }
    if (queue.length === 0) this.#busy.push(key);
    queue.push(sent);
    return queue.length > MAX_UNDER_WAY ? queue.shift() : undefined;
  }

  /** Takes out the message in place `place`, counted around the length of the queue. */
  take(from: NodeId, to: NodeId, place: number): UnderWay | undefined {
    const key = from * 64 + to;
    const queue = this.#queues.get(key);
    if (queue === undefined || queue.length === 0) return undefined;
    const at = place % queue.length;
    const taken = at === 0 ? queue.shift() : queue.splice(at, 1)[0];
    if (queue.length === 0) this.#busy.splice(this.#busy.indexOf(key), 1);
    return taken;
  }
}
