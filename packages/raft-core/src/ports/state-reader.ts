/**
 * Records as an ordered table has them, and how they are read.
 *
 * Keys are strings of characters 0 to 255, each of which is one byte; they are ordered as their bytes are. Values are bytes. A
 * value that was put, or read, is never changed by anyone.
 */

/** Bytes as characters 0 to 255, at most {@link MAX_STATE_KEY_BYTES} of them, at least one. */
export type StateKey = string;

/** Longest key. */
export const MAX_STATE_KEY_BYTES = 1_900;

/** A record: key and value. */
export type StateRecord = readonly [key: StateKey, value: Uint8Array];

export interface StateReader {
  get(key: StateKey): Uint8Array | undefined;
  /**
   * Records with keys in `[start, end)`, ascending. To be walked in one turn of the event loop, except on a view. What is put or
   * deleted while it is walked may show or not.
   */
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
}
