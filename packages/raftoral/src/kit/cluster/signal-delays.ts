/** Holds signals and updates back on their way into the cluster, so that they arrive late and in another order. */
import type { Clock } from "@raftoral/raft-core";
import type { SignalRequest, UpdateRequest } from "../../api/workflows-port.ts";

/** The delays of one test cluster, drawn between limits. Without limits nothing is held back. */
export class SignalDelays {
  readonly #clock: Clock;
  readonly #random: () => number;
  #minMs = 0;
  #maxMs = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Limits in virtual milliseconds. */
  set(minMs: number, maxMs: number): void {
    if (minMs > maxMs)
      throw new RangeError(`The shortest delay, ${minMs} ms, is longer than the longest, ${maxMs} ms.`);
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Resolves when the message may go on. */
  async delay(_request: SignalRequest | UpdateRequest): Promise<void> {
    if (this.#maxMs === 0) return;
    const delayMs = this.#minMs + this.#random() * (this.#maxMs - this.#minMs);
    await new Promise<void>((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }
}
