/** Seeds of runs whose start brought none: the first contract has no seeds. */

const MULTIPLIERS = [0x23d0_51b5, 0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35] as const;

/** Sixteen bytes that follow from a text, and differ for texts that differ, as far as 128 bits go. Not for secrets. */
export function derivedSeed(text: string): Uint8Array {
  let [a, b, c, d] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, MULTIPLIERS[0]) + rotated(b, 15);
    b = Math.imul(b ^ unit, MULTIPLIERS[1]) + rotated(c, 13);
    c = Math.imul(c ^ unit, MULTIPLIERS[2]) + rotated(d, 17);
    d = Math.imul(d ^ unit, MULTIPLIERS[3]) + rotated(a, 11);
  }
  const seed = new Uint8Array(16);
  for (const [part, word] of [a ^ c, b ^ d, c ^ text.length, d ^ a].entries()) {
    const mixed = finished(word);
    for (let byte = 0; byte < 4; byte++) seed[part * 4 + byte] = (mixed >>> (byte * 8)) & 0xff;
  }
  return seed;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Every bit of the word decides every bit of the result (MurmurHash3's finalizer). */
function finished(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), MULTIPLIERS[2]);
  mixed = Math.imul(mixed ^ (mixed >>> 13), MULTIPLIERS[3]);
  return mixed ^ (mixed >>> 16);
}
