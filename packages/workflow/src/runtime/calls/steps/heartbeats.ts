/**
 * What an attempt of a step says while it runs: that it is alive, and how far it has come.
 *
 * HB1. The first details are committed at once, later ones at most once in an interval, the latest always by the end of it. One commit is under way at a
 *      time. A heartbeat without details, or with the same, commits nothing.
 * HB2. Once the attempt is over, nothing more is committed, and no heartbeat does anything.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { delayed } from "../alarm.ts";

/** Longest and shortest time between two commits of heartbeat details, in milliseconds. */
const LONGEST_INTERVAL_MS = 5_000;
const SHORTEST_INTERVAL_MS = 100;

/** What a {@link Heartbeats} is made of. */
export interface HeartbeatsOptions {
  readonly clock: Clock;
  /** Commits the progress with these details. */
  readonly commit: (details: Uint8Array) => Promise<void>;
  /** How long the attempt may be silent, in milliseconds; undefined for any time. */
  readonly timeoutMs: number | undefined;
  /** The attempt has been silent for too long. */
  readonly onSilence: () => void;
  /** What the attempt before said last. */
  readonly details: Uint8Array;
}

/** The heartbeats of one attempt. The attempt that makes it calls `end` once it is over. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #intervalMs: number;
  #details: Uint8Array;
  #isDirty = false;
  #isOver = false;
  #underWay: Promise<void> | undefined;
  #cancelCommit: Cancel | undefined;
  #lastBeatMs: number;
  #cancelAlarm: Cancel = () => {};

  constructor(options: HeartbeatsOptions) {
    const { timeoutMs = Number.POSITIVE_INFINITY, clock, details } = options;
    this.#options = options;
    this.#intervalMs = Math.max(Math.min(timeoutMs / 2, LONGEST_INTERVAL_MS), SHORTEST_INTERVAL_MS);
    this.#details = details;
    this.#lastBeatMs = clock.monotonicMs();
    if (options.timeoutMs !== undefined) this.#watch(options.timeoutMs);
  }

  /** What was said last, by this attempt or one before. */
  get details(): Uint8Array {
    return this.#details;
  }

  /** The attempt is alive; with `details`, how far it has come (HB1). */
  beat(details: Uint8Array | undefined): void {
    if (this.#isOver) return;
    this.#lastBeatMs = this.#options.clock.monotonicMs();
    if (details === undefined || Buffer.compare(details, this.#details) === 0) return;
    this.#details = details;
    this.commitWithin(0);
  }

  /** Commits what is known, after `ms` at the latest. */
  commitWithin(ms: number): void {
    this.#isDirty = true;
    if (this.#underWay !== undefined || this.#cancelCommit !== undefined) return;
    if (ms === 0) this.#commit();
    else this.#commitIn(ms);
  }

  /** The attempt is over (HB2). Undefined when no commit is under way; else resolves when its fate is known. */
  end(): Promise<void> | undefined {
    this.#isOver = true;
    this.#cancelAlarm();
    this.#cancelCommit?.();
    return this.#underWay;
  }

  #commit(): void {
    this.#isDirty = false;
    // A commit that fails loses a hint: the next one, or the failure of the attempt, carries the latest details.
    this.#underWay = this.#options
      .commit(this.#details)
      .catch(() => {})
      .then(() => {
        this.#underWay = undefined;
        if (!this.#isOver) this.#commitIn(this.#intervalMs);
      });
  }

  #commitIn(ms: number): void {
    this.#cancelCommit = delayed(this.#options.clock, ms, () => {
      this.#cancelCommit = undefined;
      if (this.#isDirty) this.#commit();
    });
  }

  /** One timer, however often the attempt beats. */
  #watch(timeoutMs: number): void {
    const { clock, onSilence } = this.#options;
    const look = (): void => {
      const leftMs = this.#lastBeatMs + timeoutMs - clock.monotonicMs();
      if (leftMs > 0) this.#cancelAlarm = delayed(clock, leftMs, look);
      else onSilence();
    };
    this.#cancelAlarm = delayed(clock, timeoutMs, look);
  }
}
