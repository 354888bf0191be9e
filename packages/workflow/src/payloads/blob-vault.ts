/** The port to where large values are kept beside the log. */
import type { BlobName } from "@raftoral/raft-core";

/** Which values are large. */
export interface BlobBounds {
  /** A value of more bytes is kept as a blob. */
  readonly thresholdBytes: number;
  /** A value of more bytes is refused. */
  readonly maxBytes: number;
}

/** Keeps values beside the log and finds them again (docs/adr/0076). `what` names the value in errors. */
export interface BlobVault extends BlobBounds {
  /** Resolves once a majority of the voters has the bytes, flushed. Rejects with BLOB_NOT_KEPT, which is retryable, and PAYLOAD_TOO_LARGE. */
  keep(bytes: Uint8Array, what: string): Promise<BlobName>;
  /** The bytes; the caller must not change them. Rejects with BLOB_UNAVAILABLE, which is retryable. */
  read(blob: BlobName, what: string): Promise<Uint8Array>;
}
