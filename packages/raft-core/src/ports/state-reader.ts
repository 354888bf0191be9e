/**
 * The records of an ordered table, and reading them.
 *
 * Keys are strings of characters 0 to 255, each of which stands for one byte; keys are ordered by these bytes. Values are bytes. Neither the
 * store nor its callers change a value that was put or read.
 */

/** 1 to {@link MAX_STATE_KEY_BYTES} bytes, as characters 0 to 255. */
export type StateKey = string;

/** Longest key in bytes. */
export const MAX_STATE_KEY_BYTES = 1_900;

/** A record: key and value. */
export type StateRecord = readonly [key: StateKey, value: Uint8Array];

/** Reads records by key or by range. */
export interface StateReader {
  /** The value of `key`, or undefined. The caller must not change the bytes. */
  get(key: StateKey): Uint8Array | undefined;
  /**
   * Records with keys in `[start, end)`, ascending. The caller must finish the walk in one turn of the event loop, except on a view. Records that are
   * put or deleted during the walk may or may not appear.
   */
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  /** As {@link scan}, descending. */
  scanBack(start: StateKey, end: StateKey): Iterable<StateRecord>;
}
