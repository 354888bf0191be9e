/**
 * The port of a store for large values of one node: bytes that are found by their SHA-256.
 *
 * Role: keeps blobs apart from log and state, so that neither grows with them.
 *
 * Invariants every implementation keeps (`blobStoreConformance` in `./testing` proves them):
 * BS1. A blob is whole or not there: it has the length and the hash that it was announced with, and is durable once the store says that it is there.
 * BS2. A blob comes in parts, in the order of their offsets. What has come of it is kept, also over a restart, until it is whole, or is deleted. Bytes that turn out to be others at the
 *      end are all dropped.
 * BS3. Calls for different blobs do not wait for each other; calls for one take effect in their order.
 * BS4. A failure of the disk fails the call, and nothing else.
 */

/** SHA-256 of a blob's bytes, as 64 hexadecimal digits in lower case. */
export type BlobHash = string;

/** What names a blob. */
export interface BlobName {
  readonly hash: BlobHash;
  /** Its length in bytes. */
  readonly length: number;
}

/** How much a store holds. */
export interface BlobUsage {
  /** Blobs that are whole. */
  readonly blobs: number;
  /** Bytes of these, and of parts of others. */
  readonly bytes: number;
}

/** One entry of a store. */
export interface StoredBlob extends BlobName {
  /** Whether only a part of it has come. `length` is then that of what has come. */
  readonly isPartial: boolean;
}

/** The blobs of one node (BS1 to BS4). Methods reject with the errors of the storage. */
export interface BlobStore {
  /** How much of a blob is here: its length for one that is whole. */
  offset(name: BlobName): Promise<number>;
  /**
   * Appends a part at `offset`, and gives how much is here then. A part that begins elsewhere than where the blob ends changes nothing. With the last part the blob is checked and made
   * durable; 0 when its bytes were others (BS2).
   */
  append(name: BlobName, offset: number, part: Uint8Array): Promise<number>;
  /** At most `maxBytes` of a whole blob from `offset` on. Undefined when it is not here. The bytes are the caller's. */
  read(name: BlobName, offset: number, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Deletes a blob, or what has come of it. Deleting a missing one is a no-op. */
  delete(hash: BlobHash): Promise<void>;
  /** Everything that is here, in the order of the hashes. What is put or deleted meanwhile may show or not. */
  list(): AsyncIterable<StoredBlob>;
  /** How much is here. */
  usage(): BlobUsage;
  /** Waits for writes under way. No call may follow. */
  close(): Promise<void>;
}

const HASH = /^[0-9a-f]{64}$/;

/** Whether a text is a hash: 64 hexadecimal digits in lower case. */
export function isBlobHash(text: string): text is BlobHash {
  return HASH.test(text);
}
