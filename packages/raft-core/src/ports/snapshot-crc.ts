/**
 * CRC-32 (IEEE 802.3) of joined bytes from the CRCs of their parts. Each chunk of a snapshot has a checksum, and the whole snapshot has one,
 * too; so the content is read only once.
 *
 * Role: arithmetic only. The callers compute the CRCs of the parts with native functions.
 *
 * A CRC is the remainder of a polynomial over GF(2). Appending n bytes multiplies the earlier remainder by x^(8n) and adds the CRC of the
 * appended bytes. Bits are reflected, as in CRC-32: the highest bit is x^0.
 */
import { invariant } from "../errors.ts";

const POLYNOMIAL = 0xedb88320;
const X_TO_0 = 0x80000000;
const X_TO_1 = 0x40000000;

/** The product of two polynomials, modulo the CRC's own. */
function multiply(a: number, b: number): number {
  let product = 0;
  let term = b;
  for (let bit = X_TO_0; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= term;
    term = (term & 1) === 0 ? term >>> 1 : (term >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

function powerOfX(exponent: number): number {
  let result = X_TO_0;
  let base = X_TO_1;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

/** The power of the last length. Almost all chunks of a snapshot have the same length. */
let lastBytes = 0;
let lastPower = X_TO_0;

/** The CRC-32 of head and tail joined, from their CRC-32s and the length of the tail in bytes. */
export function joinedCrc32(headCrc: number, tailCrc: number, tailBytes: number): number {
  invariant(Number.isSafeInteger(tailBytes * 8) && tailBytes >= 0, () => `${tailBytes} is no length in bytes`);
  if (tailBytes !== lastBytes) {
    lastPower = powerOfX(tailBytes * 8);
    lastBytes = tailBytes;
  }
  return (multiply(lastPower, headCrc) ^ tailCrc) >>> 0;
}
