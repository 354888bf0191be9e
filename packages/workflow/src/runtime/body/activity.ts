/**
 * What a body has under way, and whether it holds a slot.
 *
 * H1. A body whose every open call is a sleep or a wait holds no slot from the next turn of the event loop on; it takes one again before it goes on.
 * H2. After `end` it holds none, and whatever would have gone on never does.
 * H3. A cancelled body waits for no slot: it takes one beyond the node's number, until it ends.
 */
import type { Clock } from "@raftoral/raft-core";
import type { Slots } from "../execution/slots.ts";
import { never } from "../history/history.ts";

/** A wait for a slot. */
interface Retaking {
  readonly taken: Promise<void>;
  readonly resolve: () => void;
  readonly stop: () => boolean;
}

/** A part of the body that asks for work. */
export interface Gate {
  /** What stands in the way of new work, if anything. */
  gate(): Promise<never> | undefined;
}

/** The body's context calls, as far as its rest depends on them. */
export interface OpenCalls {
  /** How many have not settled. */
  readonly open: () => number;
}

/** The activity of one body. It counts the body's calls, and takes and releases its slot (H1 to H3). */
export class Activity {
  readonly #slots: Slots;
  readonly #clock: Clock;
  readonly #calls: OpenCalls;
  #busy = 0;
  #parked = 0;
  #hasSlot = true;
  #isChecking = false;
  #isHurried = false;
  #ended = false;
  #retaking: Retaking | undefined;
  #whenIdle: (() => void)[] = [];
  #restChanged: (isAtRest: boolean) => void = () => {};

  /** The caller has taken a slot, which becomes this body's. */
  constructor(slots: Slots, clock: Clock, calls: OpenCalls) {
    this.#slots = slots;
    this.#clock = clock;
    this.#calls = calls;
  }

  /** Whether one of the node's slots is this body's. */
  get hasSlot(): boolean {
    return this.#hasSlot;
  }

  /** Tells `listener`, and no other, when the body comes to rest (H1), and when it goes on. */
  onRest(listener: (isAtRest: boolean) => void): void {
    this.#restChanged = listener;
  }

  /** Waits of the body that are under way. */
  get parked(): number {
    return this.#parked;
  }

  /** Whether the body rests: it has given its slot back, and nothing has come for it that it waits for a slot with. */
  get isResting(): boolean {
    return !this.#ended && !this.#hasSlot && this.#retaking === undefined && this.#isAtRest;
  }

  /** Something that counts as work: a step, a record. Never settles once ended. */
  async work<T>(of: Gate, fn: () => T | Promise<T>): Promise<T> {
    if (!this.#hasSlot) {
      await this.#retakeSlot();
      if (this.#ended) return never();
      const standing = of.gate();
      if (standing !== undefined) return await standing;
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
    if (this.#isAtRest) this.#releaseSlot();
    else this.settled();
    try {
      await wait();
    } finally {
      this.#parked -= 1;
      if (!this.#hasSlot && !this.#ended) await this.#retakeSlot();
      if (this.#ended) await never();
    }
  }

  /** A context call of the body has settled. */
  settled(): void {
    if (this.#parked === 0 || !this.#hasSlot || this.#isChecking) return;
    this.#isChecking = true;
    // The body may begin its next step in this turn; if it does not, only waits are left of it.
    this.#clock.soon(() => {
      this.#isChecking = false;
      if (this.#isAtRest) this.#releaseSlot();
    });
  }

  /** The run is cancelled: the body goes on at once, however many others wait (H3). */
  hurry(): void {
    if (this.#isHurried || this.#ended) return;
    this.#isHurried = true;
    const retaking = this.#retaking;
    if (retaking === undefined) return;
    retaking.stop();
    this.#slots.takeBeyond();
    this.#retaken();
    retaking.resolve();
  }

  /** Resolves when no work is under way. */
  whenIdle(): Promise<void> {
    if (this.#busy === 0 || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#retaking?.stop();
    this.#retaking = undefined;
    this.#releaseSlot();
    this.#idle();
  }

  #idle(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Every open call is a sleep or a wait. */
  get #isAtRest(): boolean {
    return this.#busy === 0 && this.#parked > 0 && this.#calls.open() <= this.#parked;
  }

  #releaseSlot(): void {
    if (!this.#hasSlot) return;
    this.#hasSlot = false;
    this.#slots.release();
    if (!this.#ended) this.#restChanged(true);
  }

  /** Never settles once ended (H2). */
  #retakeSlot(): Promise<void> {
    if (this.#ended) return never();
    if (this.#retaking !== undefined) return this.#retaking.taken;
    if (this.#isHurried) this.#slots.takeBeyond();
    else if (!this.#slots.tryTake()) return this.#queueForSlot();
    this.#retaken();
    return Promise.resolve();
  }

  #queueForSlot(): Promise<void> {
    const { promise: taken, resolve } = Promise.withResolvers<void>();
    const stop = this.#slots.enqueue(() => {
      this.#retaken();
      resolve();
    });
    this.#retaking = { taken, resolve, stop };
    return taken;
  }

  #retaken(): void {
    this.#retaking = undefined;
    this.#hasSlot = true;
    this.#restChanged(false);
  }
}
