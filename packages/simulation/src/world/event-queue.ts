/**
 * What is to happen, in order of virtual time; what is due at the same time happens in the order in which it was queued.
 * A binary heap.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Life } from "../node/life.ts";

export interface Event {
  readonly at: number;
  readonly order: number;
  /** For the trace. */
  readonly kind: string;
  /** The node whose state it may change; 0 for the world's own. */
  readonly node: NodeId;
  /** The process it belongs to: it does not happen after that has crashed, and waits while that is paused. */
  readonly life: Life | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** The events of one {@link World}. Adding one and taking the first each take logarithmic time. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(at: number, kind: string, node: NodeId, life: Life | undefined, run: () => void): Event {
    const event: Event = { at, order: this.#nextOrder++, kind, node, life, run, cancelled: false };
    const heap = this.#heap;
    let slot = heap.length;
    heap.push(event);
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[slot] = above;
      slot = parent;
    }
    heap[slot] = event;
    return event;
  }

  /** The next event that was not cancelled. */
  pop(): Event | undefined {
    for (;;) {
      const event = this.#popAny();
      if (event === undefined || !event.cancelled) return event;
    }
  }

  #popAny(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[slot] = below;
      slot = child;
    }
    heap[slot] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
