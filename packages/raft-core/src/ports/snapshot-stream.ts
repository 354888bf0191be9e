/** The bytes of a snapshot between storage, driver and transport. */

/** Content that does not change. A receiver that has its beginning may continue from there, also from another node with the same bytes. */
export interface FixedContent {
  /** Size of the content. */
  readonly totalBytes: number;
  /** CRC-32 (IEEE) of the whole content. */
  readonly crc32: number;
  /**
   * The bytes from `offset` on. Works until the first reader of the stream has ended. A chunk is valid until the next one is
   * requested, because its memory is used again.
   */
  from(offset: number): AsyncIterable<Uint8Array>;
}

/**
 * Content that is read once, from the beginning. Chunks may have any sizes. A chunk belongs to its reader.
 *
 * With `fixed` an interrupted transfer is resumed. Without it (content captured while it is sent) the transfer begins again.
 */
export interface SnapshotStream extends AsyncIterable<Uint8Array> {
  /** Present when the content does not change. */
  readonly fixed?: FixedContent;
  /** Size of the content, if it is known although the content is not fixed. */
  readonly totalBytes?: number;
}
