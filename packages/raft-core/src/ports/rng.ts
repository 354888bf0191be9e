/**
 * Random numbers from a seed: xoshiro128** (Blackman and Vigna, 2018), its state filled by splitmix32.
 * Not for secrets.
 */

/** A source of random numbers. */
export interface Rng {
  /** A whole number in `[0, bound)`; `bound` is at most 2^32. */
  below(bound: number): number;
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Random numbers from `seed`: the same seed gives the same numbers on every platform. Only the seed's low 32 bits count. */
export function seededRng(seed: number): Rng {
  const next = splitmix32(seed);
  let a = next();
  let b = next();
  let c = next();
  let d = next();
  return {
    below(bound: number): number {
      const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = rotateLeft(d, 11);
      // Multiply and shift (Lemire, 2019). The bias is too small to matter for timeouts, and there is no rejection loop.
      return Math.floor((result / 0x1_0000_0000) * bound);
    },
  };
}
