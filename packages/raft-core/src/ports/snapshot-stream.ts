/** The bytes of a snapshot on their way between storage, driver and transport. */

/** Content that will not change: who has its beginning may go on from there, and from any node that holds the same bytes. */
export interface FixedContent {
  readonly totalBytes: number;
  /** CRC-32 (IEEE) of all of it. */
  readonly crc32: number;
  /**
   * The same bytes from `offset` on. Works until the first reader of the stream has ended. A chunk is valid until the next one is
   * asked for: then its memory is used again.
   */
  from(offset: number): AsyncIterable<Uint8Array>;
}

/**
 * Content that is read once, from the beginning; chunk borders carry no meaning. A chunk belongs to who reads it.
 *
 * With `fixed` a transfer that was cut is resumed; without it (content captured while it is sent) it begins anew.
 */
export interface SnapshotStream extends AsyncIterable<Uint8Array> {
  readonly fixed?: FixedContent;
  /** Bytes to come, where they are known though the content is not fixed. */
  readonly totalBytes?: number;
}
