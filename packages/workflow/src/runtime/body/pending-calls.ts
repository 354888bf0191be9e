/** What a body waits for: its open calls, in words of those who look at the run. They say nothing to the body. */

import { LazySet } from "../collections/lazy-set.ts";

/** What a call waits for. `step`: for its function, or its next attempt. `condition`: for the body's own state. */
export type PendingKind = "step" | "sleep" | "signal" | "child" | "token" | "lock" | "condition";

/** One open call of a body. Structured-cloneable. */
export interface PendingCall {
  readonly kind: PendingKind;
  /** Place of the call in the run; empty for a condition, which has none. */
  readonly path: string;
  /** When it is over by itself, in ms since the epoch; absent when it waits as long as it takes. */
  readonly untilMs?: number;
}

/** The open calls of one body that wait for something else than a step. */
export class PendingCalls {
  readonly #open = new LazySet<PendingCall>();

  /** A call waits until `wait` settles. A body that is over forgets its waits. */
  async during<T>(call: PendingCall, wait: () => Promise<T>): Promise<T> {
    this.#open.add(call);
    try {
      return await wait();
    } finally {
      this.#open.delete(call);
    }
  }

  /** What is open, in the order in which it began to wait. */
  get all(): readonly PendingCall[] {
    return [...this.#open];
  }
}
