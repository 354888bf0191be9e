/** Which blobs a state names. */
import type { BlobHash, BlobName, StateReader } from "@raftoral/raft-core";
import { isNamed, namedBlobs } from "../state/blobs/blob-references.ts";

/** What a node asks its state about blobs. */
export interface BlobNames {
  isBlobNamed(hash: BlobHash): boolean;
  /** At most `limit` of those that come after `after`, in the order of their hashes. */
  namedBlobs(after: BlobHash | undefined, limit: number): readonly BlobName[];
}

/** The names in the records of a state. */
export function blobNamesIn(records: StateReader): BlobNames {
  return {
    isBlobNamed: (hash) => isNamed(records, hash),
    namedBlobs: (after, limit) => namedBlobs(records, after, limit),
  };
}
