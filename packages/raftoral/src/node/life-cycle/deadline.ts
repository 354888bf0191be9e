/** The end of a call's time, for a call that is made of several. */
import { RaftError } from "@raftoral/raft-core";
import type { Timeout } from "../../service/served-node.ts";

export class Deadline {
  readonly #timeoutMs: number;
  readonly #endMs: number;

  /** From now on. */
  constructor({ timeoutMs }: Timeout) {
    this.#timeoutMs = timeoutMs;
    this.#endMs = performance.now() + timeoutMs;
  }

  /** What is left of the time, or a share of that; at least a millisecond, so that what is tried fails for its own reason. */
  left(share = 1): Timeout {
    return { timeoutMs: Math.max(1, Math.floor((this.#endMs - performance.now()) * share)) };
  }

  /** Throws DEADLINE_EXCEEDED once the time is over. `what` begins the message. */
  assertLeft(what: string): void {
    if (performance.now() < this.#endMs) return;
    throw new RaftError(
      "DEADLINE_EXCEEDED",
      `${what} did not begin within ${this.#timeoutMs} ms; nothing was changed.`,
      {
        retryable: true,
      },
    );
  }
}
