/** Blobs in memory: for nodes without a data folder, and for tests. */
import type { BlobHash, BlobName, BlobStore, BlobUsage, StoredBlob } from "../ports/blob-store.ts";

interface Held {
  readonly length: number;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Options of a {@link MemoryBlobStore}. */
export interface MemoryBlobStoreOptions {
  /** The SHA-256 of parts that follow each other, as 64 hexadecimal digits in lower case. raft-core has no hash function of its own. */
  readonly hash: (parts: readonly Uint8Array[]) => BlobHash | Promise<BlobHash>;
}

/** A {@link BlobStore} that keeps everything in this object. Another node that is started with it finds what it has. */
export class MemoryBlobStore implements BlobStore {
  readonly #hash: MemoryBlobStoreOptions["hash"];
  readonly #held = new Map<BlobHash, Held>();
  /** Whole ones. */
  readonly #whole = new Set<BlobHash>();
  /** The last call for each blob that is under way (BS3). */
  readonly #calls = new Map<BlobHash, Promise<unknown>>();

  constructor(options: MemoryBlobStoreOptions) {
    this.#hash = options.hash;
  }

  async offset({ hash, length }: BlobName): Promise<number> {
    const held = this.#held.get(hash);
    return held === undefined || held.length !== length ? 0 : held.bytes;
  }

  append(name: BlobName, offset: number, part: Uint8Array): Promise<number> {
    return this.#inOrder(name.hash, () => this.#append(name, offset, part));
  }

  async read({ hash, length }: BlobName, offset: number, maxBytes: number): Promise<Uint8Array | undefined> {
    const held = this.#whole.has(hash) ? this.#held.get(hash) : undefined;
    if (held === undefined || held.length !== length) return undefined;
    const end = Math.min(length, offset + maxBytes);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    let at = 0;
    for (const part of held.parts) {
      const [from, to] = [Math.max(offset, at), Math.min(end, at + part.length)];
      if (from < to) bytes.set(part.subarray(from - at, to - at), from - offset);
      at += part.length;
    }
    return bytes;
  }

  delete(hash: BlobHash): Promise<void> {
    return this.#inOrder(hash, async () => {
      this.#held.delete(hash);
      this.#whole.delete(hash);
    });
  }

  async *list(): AsyncGenerator<StoredBlob> {
    for (const hash of [...this.#held.keys()].sort()) {
      const held = this.#held.get(hash);
      if (held !== undefined) yield { hash, length: held.bytes, isPartial: !this.#whole.has(hash) };
    }
  }

  usage(): BlobUsage {
    let bytes = 0;
    for (const held of this.#held.values()) bytes += held.bytes;
    return { blobs: this.#whole.size, bytes };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#calls.values());
  }

  async #append({ hash, length }: BlobName, offset: number, part: Uint8Array): Promise<number> {
    const before = this.#held.get(hash);
    const held = before?.length === length ? before : { length, parts: [], bytes: 0 };
    if (this.#whole.has(hash) || offset !== held.bytes || offset + part.length > length) return held.bytes;
    if (part.length > 0) held.parts.push(part.slice());
    held.bytes += part.length;
    this.#held.set(hash, held);
    if (held.bytes < length) return held.bytes;
    if ((await this.#hash(held.parts)) === hash) {
      this.#whole.add(hash);
      return length;
    }
    this.#held.delete(hash);
    return 0;
  }

  async #inOrder<T>(hash: BlobHash, call: () => Promise<T>): Promise<T> {
    const result = (this.#calls.get(hash) ?? Promise.resolve()).then(call, call);
    this.#calls.set(hash, result);
    try {
      return await result;
    } finally {
      if (this.#calls.get(hash) === result) this.#calls.delete(hash);
    }
  }
}
