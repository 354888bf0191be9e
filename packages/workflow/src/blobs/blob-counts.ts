/** What a node has done with blobs since its start. Plain numbers, raised in place. */
export interface BlobCounts {
  /** Values that were kept as blobs by this node's bodies and callers, and their bytes. */
  kept: number;
  keptBytes: number;
  /** Bytes of parts that went to peers, and came from peers that were asked. */
  sentBytes: number;
  receivedBytes: number;
  /** Blobs that were missing here and came from a peer. */
  fetched: number;
  /** Blobs that nothing named any more and were deleted. */
  deleted: number;
  /** Reads and keeps that failed. */
  failed: number;
}

/** Counts that all stand at 0. */
export function newBlobCounts(): BlobCounts {
  return { kept: 0, keptBytes: 0, sentBytes: 0, receivedBytes: 0, fetched: 0, deleted: 0, failed: 0 };
}
