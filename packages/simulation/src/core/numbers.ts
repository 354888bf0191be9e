/** Proposals, changes and reads are told apart by a number, which is the beginning of their bytes. */

export function bytesOf(number: number, length = 4): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** The number that the bytes begin with, as {@link bytesOf} wrote it. */
export function numberIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}
