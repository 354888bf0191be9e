/**
 * Randomness inside a workflow: decided by the run's recorded seed and the scope, so that a replay draws the same numbers.
 * Not for secrets.
 */

const GOLDEN = 0x9e3779b9;

/** The sfc32 generator (Chris Doty-Humphrey's "small fast counter"), seeded with 128 bits. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: Uint8Array, scope: string) {
    this.#a = word(seed, 0) ^ hash(scope, 0);
    this.#b = word(seed, 4) ^ hash(scope, 1);
    this.#c = word(seed, 8) ^ hash(scope, 2);
    this.#counter = word(seed, 12) ^ hash(scope, 3);
    for (let i = 0; i < 16; i++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** In `[0, 1)`, with 53 random bits. */
  random(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** A version 4 UUID (RFC 9562 §5.4). */
  uuid(): string {
    let hex = "";
    for (let i = 0; i < 4; i++) hex += this.uint32().toString(16).padStart(8, "0");
    const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) & 3);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

function word(seed: Uint8Array, at: number): number {
  let value = GOLDEN;
  for (let i = 0; i < 4; i++) value = (value << 8) ^ (value >>> 24) ^ (seed[at + i] ?? 0);
  return value | 0;
}

function hash(text: string, lane: number): number {
  let value = 0x811c9dc5 ^ Math.imul(lane, GOLDEN);
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}
