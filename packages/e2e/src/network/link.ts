/**
 * One direction between two nodes: what happens to bytes on their way. All connections between the two share it, no matter
 * which node made them.
 *
 * Role: says when bytes arrive. Must not touch sockets.
 */
import type { Rng } from "@raftoral/raft-core";

/** All of it at once, in one direction. */
export interface Weather {
  readonly delayMs: number;
  /** Up to so much more, at random; bytes of a connection never overtake each other. */
  readonly jitterMs: number;
  /** Share of TCP segments that are lost in `[0, 1)`: the bytes behind one wait until it was sent again. */
  readonly lossRate: number;
  /** 0: as many as there are. */
  readonly bytesPerSecond: number;
}

export const CLEAR: Weather = Object.freeze({ delayMs: 0, jitterMs: 0, lossRate: 0, bytesPerSecond: 0 });

const SEGMENT_BYTES = 1_460;
/** TCP sends a lost segment again after so long, and after twice as long when that one is lost too. */
const RETRANSMIT_MS = 200;
const MAX_RETRANSMITS = 6;
/** More draws for one piece say nothing new. */
const MAX_DRAWN_SEGMENTS = 64;
const DRAWS = 1_000_000;

/** One link. It keeps the weather of its direction, and tells when bytes that are sent now arrive. */
export class Link {
  readonly from: number;
  readonly to: number;
  #weather: Weather = CLEAR;
  #isCut = false;
  /** When the wire has sent what it was given, where bandwidth is limited. */
  #freeAtMs = 0;
  readonly #rng: Rng;
  readonly #listeners = new Set<() => void>();

  constructor(from: number, to: number, rng: Rng) {
    this.from = from;
    this.to = to;
    this.#rng = rng;
  }

  /** Nothing arrives; what is sent meanwhile, the end of a connection included, arrives after {@link mend}, as TCP would have it. */
  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    if (!this.#isCut) return;
    this.#isCut = false;
    for (const listener of [...this.#listeners]) listener();
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    this.#freeAtMs = 0;
  }

  /** When bytes that are sent at `nowMs` are all there. */
  arrivalMs(nowMs: number, bytes: number): number {
    const { delayMs, jitterMs, lossRate, bytesPerSecond } = this.#weather;
    let sentMs = nowMs;
    if (bytesPerSecond > 0) {
      this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes * 1_000) / bytesPerSecond;
      sentMs = this.#freeAtMs;
    }
    const jitter = jitterMs > 0 ? this.#rng.below(Math.ceil(jitterMs) + 1) : 0;
    return sentMs + delayMs + jitter + (lossRate > 0 ? this.#stallMs(lossRate, bytes) : 0);
  }

  /** Calls `listener` whenever the link is mended. Returns how to stop hearing. */
  onMend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The longest wait for any of the segments. */
  #stallMs(lossRate: number, bytes: number): number {
    const segments = Math.min(Math.ceil(bytes / SEGMENT_BYTES), MAX_DRAWN_SEGMENTS);
    let worst = 0;
    for (let segment = 0; segment < segments; segment += 1) {
      let losses = 0;
      while (losses < MAX_RETRANSMITS && this.#rng.below(DRAWS) < lossRate * DRAWS) losses += 1;
      worst = Math.max(worst, losses);
    }
    return RETRANSMIT_MS * (2 ** worst - 1);
  }
}
