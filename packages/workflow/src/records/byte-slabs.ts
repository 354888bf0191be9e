/**
 * Memory for records, many to a piece: an array of its own costs more than a record's content, in time and in bytes.
 *
 * A piece lives as long as any record in it, so it is small: a record that stays for long keeps a few others' bytes, not thousands'.
 */

const SLAB_BYTES = 4 * 1024;
/** Larger records have memory of their own. */
const MAX_SHARED_BYTES = 512;

/** Copies byte arrays into shared memory. Pieces are 4 KiB; an array above 512 bytes gets memory of its own. */
export class ByteSlabs {
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  /**
   * A copy of `bytes`, which the caller may change afterwards. The copy shares its buffer with others: do not write to it, and do not transfer it.
   */
  copy(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > MAX_SHARED_BYTES) return bytes.slice();
    if (this.#used + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#slab.set(bytes, at);
    this.#used = at + length;
    return this.#slab.subarray(at, at + length);
  }
}
