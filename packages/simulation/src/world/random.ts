/**
 * Randomness of a simulation. Every part draws from a stream of its own, derived from the seed and a name, so that one part
 * drawing more or less does not change what the others see.
 */
import { type Rng, seededRng } from "@raftoral/raft-core";

/** One stream of randomness. `fork` gives another one by name. */
export class Random implements Rng {
  readonly #rng: Rng;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#rng = seededRng(seed);
  }

  /** A stream that `name` and this one's seed decide, whatever was drawn so far. */
  fork(name: string | number): Random {
    return new Random(mix(this.#seed, typeof name === "number" ? name : hashText(name)));
  }

  below(bound: number): number {
    return this.#rng.below(bound);
  }

  /** A real number in `[lo, hi)`. */
  between(lo: number, hi: number): number {
    return lo + ((hi - lo) * this.#rng.below(0x1_0000_0000)) / 0x1_0000_0000;
  }

  /** A whole number in `[lo, hi]`. */
  whole(lo: number, hi: number): number {
    return lo + this.#rng.below(hi - lo + 1);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.between(0, 1) < probability;
  }

  /** One of `options`; undefined if there is none. */
  pick<T>(options: readonly T[]): T | undefined {
    return options.length === 0 ? undefined : options[this.below(options.length)];
  }

  /** One of `options`, which are known to be there. */
  oneOf<T>(...options: readonly [T, ...T[]]): T {
    return options[this.below(options.length)] as T;
  }

  /** A shuffled copy. */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let at = copy.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
    }
    return copy;
  }
}

/** One 32-bit number of two (murmur3's mixing). */
export function mix(a: number, b: number): number {
  let k = Math.imul(b, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let h = a ^ k;
  h = (h << 13) | (h >>> 19);
  h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

/** FNV-1a over UTF-16 code units. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  return h >>> 0;
}

/** FNV-1a over bytes. */
export function hashBytes(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) h = Math.imul(h ^ (bytes[at] as number), 0x01000193);
  return h >>> 0;
}
