/** Single values of a node's API: into blobs, and out of them (blob-workflows.ts BW1 to BW4). */
import { assertPayloadSize, blobIn, isEncoded, type PayloadCoder } from "@raftoral/workflow";
import { Payload } from "./payload.ts";

/** Puts single values into blobs, and reads them. */
export class BlobValues {
  readonly #coder: PayloadCoder;
  readonly #maxBytes: number;

  /** `coder` has the node's vault. A value of more than `maxBytes` is refused. */
  constructor(coder: PayloadCoder, maxBytes: number) {
    this.#coder = coder;
    this.#maxBytes = maxBytes;
  }

  /** The payload as it is proposed (BW1, BW4). */
  async kept(payload: Payload): Promise<Payload> {
    const { bytes, what } = payload;
    assertPayloadSize(bytes, what, this.#maxBytes);
    if (blobIn(bytes) !== undefined) return this.kept(await this.read(payload));
    if (bytes.length <= this.#coder.blobThresholdBytes) return payload;
    return Payload.ofBytes(await this.#coder.kept(bytes, what), what);
  }

  /** The payload with its bytes. Rejects with BLOB_UNAVAILABLE (BW2). */
  async read(payload: Payload): Promise<Payload> {
    const { bytes, what } = payload;
    return isEncoded(bytes) ? Payload.ofBytes(await this.#coder.resolved(bytes, what), what) : payload;
  }

  /** As {@link read}; a payload that says why it cannot be read, where it cannot (BW3). */
  async shown(payload: Payload): Promise<Payload> {
    try {
      return await this.read(payload);
    } catch (error) {
      return Payload.ofBytes(payload.bytes, payload.what, error instanceof Error ? error : undefined);
    }
  }
}
