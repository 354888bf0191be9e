/**
 * What a body has under way, and whether it holds a slot.
 *
 * H1. A body whose every open call is a sleep or a wait holds no slot; it takes one again before it goes on.
 * H2. After `end` it holds none, and whatever would have gone on never does.
 */
import type { Clock } from "@raftoral/raft-core";
import { never } from "./history.ts";
import type { Slots } from "./slots.ts";

export class Activity {
  readonly #slots: Slots;
  readonly #clock: Clock;
  readonly #gate: () => Promise<never> | undefined;
  #busy = 0;
  #parked = 0;
  #hasSlot = true;
  #ended = false;
  #retaking: Promise<void> | undefined;
  #whenIdle: (() => void)[] = [];

  /** The caller has taken a slot, which becomes this body's. `gate` gives what stands in the way of new work, if anything. */
  constructor(slots: Slots, clock: Clock, gate: () => Promise<never> | undefined) {
    this.#slots = slots;
    this.#clock = clock;
    this.#gate = gate;
  }

  /** Something that counts as work: a step, a record. Never settles once ended. */
  async work<T>(fn: () => Promise<T>): Promise<T> {
    if (!this.#hasSlot) {
      await this.#retakeSlot();
      const gate = this.#gate();
      if (gate !== undefined) return await gate;
    }
    this.#busy += 1;
    try {
      const result = await fn();
      return this.#ended ? never() : result;
    } catch (error) {
      if (this.#ended) return never();
      throw error;
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) this.#idle();
    }
  }

  /** A wait for a time or for somebody else. Never settles once ended. */
  async park(wait: () => Promise<void>): Promise<void> {
    this.#parked += 1;
    if (this.#busy === 0) this.#releaseSlot();
    try {
      await wait();
    } finally {
      this.#parked -= 1;
      if (this.#ended) await never();
      if (!this.#hasSlot) await this.#retakeSlot();
    }
  }

  /** Resolves when no work is under way. */
  whenIdle(): Promise<void> {
    if (this.#busy === 0 || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#releaseSlot();
    this.#idle();
  }

  #idle(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
    if (this.#parked === 0) return;
    // The body may begin its next step in this turn; if it does not, only waits are left of it.
    this.#clock.soon(() => {
      if (this.#busy === 0 && this.#parked > 0) this.#releaseSlot();
    });
  }

  #releaseSlot(): void {
    if (!this.#hasSlot) return;
    this.#hasSlot = false;
    this.#slots.release();
  }

  #retakeSlot(): Promise<void> {
    this.#retaking ??= this.#slots.take().then(() => {
      this.#retaking = undefined;
      if (!this.#ended) {
        this.#hasSlot = true;
        return;
      }
      this.#slots.release();
      return never();
    });
    return this.#retaking;
  }
}
