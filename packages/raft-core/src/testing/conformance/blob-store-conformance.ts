/**
 * The conformance suite of {@link BlobStore}: blobs in parts, their hashes, restarts.
 *
 * ```ts
 * import { blobStoreConformance } from "@raftoral/raft-core/testing";
 * import { describe, test } from "vitest";
 *
 * blobStoreConformance("MyStore", () => MySubject.create(), { describe, test });
 * ```
 */
import type { BlobName, BlobStore, StoredBlob } from "../../ports/blob-store.ts";
import { assertEqual, assertTrue } from "../assertions.ts";
import { casesOf, type TestFunctions } from "./declare-cases.ts";

/** A store, empty at first. The suite creates a new one for each case. */
export interface BlobStoreSubject {
  readonly store: BlobStore;
  /** The SHA-256 of bytes, as 64 hexadecimal digits in lower case. */
  hash(bytes: Uint8Array): string;
  /** Opens the store again, as another process would after this one was killed. Absent for a store that forgets. */
  reopened?(): Promise<BlobStore>;
  dispose(): Promise<void>;
}

const PART_BYTES = 1000;

/** Declares the suite. */
export function blobStoreConformance(
  name: string,
  create: () => Promise<BlobStoreSubject> | BlobStoreSubject,
  runner: TestFunctions,
): void {
  const declare = casesOf(runner, create);
  runner.describe(name, () => {
    declare("has nothing at first", async ({ store, hash }) => {
      const blob = blobOf(hash, 10);
      assertEqual(await store.offset(blob.name), 0, "offset");
      assertEqual(await store.read(blob.name, 0, 10), undefined, "read");
      assertEqual(await all(store), [], "list");
      assertEqual(store.usage(), { blobs: 0, bytes: 0 }, "usage");
      await store.delete(blob.name.hash);
    });

    declare("takes a blob part by part, and gives it part by part", async ({ store, hash }) => {
      const blob = blobOf(hash, 5 * PART_BYTES + 17);
      for (let at = 0; at < blob.bytes.length; ) {
        assertEqual(await store.read(blob.name, 0, 1), undefined, "read of a part");
        at = await store.append(blob.name, at, blob.bytes.subarray(at, at + PART_BYTES));
        assertEqual(await store.offset(blob.name), at, "offset");
      }
      for (const [from, count] of [
        [0, 5017],
        [0, 1],
        [4999, 18],
        [5016, 100],
        [5017, 100],
        [0, 0],
      ] as const) {
        const read = await store.read(blob.name, from, count);
        assertEqual([...(read ?? [])], [...blob.bytes.subarray(from, from + count)], `bytes from ${from}`);
      }
      assertEqual(await all(store), [{ ...blob.name, isPartial: false }], "list");
      assertEqual(store.usage(), { blobs: 1, bytes: 5017 }, "usage");
    });

    declare("takes a blob of no bytes, and one in one part", async ({ store, hash }) => {
      for (const length of [0, 1, PART_BYTES]) {
        const blob = blobOf(hash, length);
        assertEqual(await store.append(blob.name, 0, blob.bytes), length, "offset");
        assertEqual((await store.read(blob.name, 0, PART_BYTES))?.length, length, "read");
      }
      assertEqual(store.usage().blobs, 3, "blobs");
    });

    declare("ignores parts that begin elsewhere, that are too long, or that come again", async ({ store, hash }) => {
      const blob = blobOf(hash, 3 * PART_BYTES);
      const part = (at: number) => blob.bytes.subarray(at, at + PART_BYTES);
      assertEqual(await store.append(blob.name, PART_BYTES, part(PART_BYTES)), 0, "a part too early");
      await store.append(blob.name, 0, part(0));
      assertEqual(await store.append(blob.name, 0, part(0)), PART_BYTES, "a part that comes again");
      const long = new Uint8Array(2 * PART_BYTES + 1);
      assertEqual(await store.append(blob.name, PART_BYTES, long), PART_BYTES, "a part that is too long");
      await store.append(blob.name, PART_BYTES, part(PART_BYTES));
      assertEqual(await store.append(blob.name, 2 * PART_BYTES, part(2 * PART_BYTES)), 3 * PART_BYTES, "the last part");
      assertEqual(await store.append(blob.name, 0, part(0)), 3 * PART_BYTES, "a part of a whole blob");
      assertEqual([...((await store.read(blob.name, 0, 3000)) ?? [])], [...blob.bytes], "the blob");
    });

    declare(
      "drops bytes that are not those of the hash, and takes the right ones afterwards",
      async ({ store, hash }) => {
        const blob = blobOf(hash, 2 * PART_BYTES);
        const wrong = Uint8Array.from(blob.bytes, (byte) => byte ^ 1);
        await store.append(blob.name, 0, wrong.subarray(0, PART_BYTES));
        assertEqual(await store.append(blob.name, PART_BYTES, wrong.subarray(PART_BYTES)), 0, "wrong bytes");
        assertEqual(await store.read(blob.name, 0, 1), undefined, "read");
        assertEqual(await all(store), [], "list");
        assertEqual(await store.append(blob.name, 0, blob.bytes), 2 * PART_BYTES, "the right bytes");
      },
    );

    declare("has no blob of another length than it was announced with", async ({ store, hash }) => {
      const blob = blobOf(hash, PART_BYTES);
      await store.append(blob.name, 0, blob.bytes);
      const other = { ...blob.name, length: PART_BYTES + 1 };
      assertEqual(await store.offset(other), 0, "offset");
      assertEqual(await store.read(other, 0, 1), undefined, "read");
      assertEqual((await store.read(blob.name, 0, PART_BYTES))?.length, PART_BYTES, "the blob");
    });

    declare("deletes blobs and parts", async ({ store, hash }) => {
      const whole = blobOf(hash, PART_BYTES);
      const part = blobOf(hash, 2 * PART_BYTES);
      await store.append(whole.name, 0, whole.bytes);
      await store.append(part.name, 0, part.bytes.subarray(0, 10));
      await store.delete(whole.name.hash);
      await store.delete(part.name.hash);
      assertEqual(await all(store), [], "list");
      assertEqual(store.usage(), { blobs: 0, bytes: 0 }, "usage");
      assertEqual(await store.offset(part.name), 0, "offset");
      assertEqual(await store.append(whole.name, 0, whole.bytes), PART_BYTES, "put again");
    });

    declare("lists in the order of the hashes, and says what is a part", async ({ store, hash }) => {
      const blobs = Array.from({ length: 30 }, (_, i) => blobOf(hash, 100 + i));
      for (const [at, { name: blobName, bytes }] of blobs.entries()) {
        await store.append(blobName, 0, at % 3 === 0 ? bytes.subarray(0, 50) : bytes);
      }
      const expected = blobs.map(({ name: { hash: each, length } }, at): StoredBlob => {
        return { hash: each, length: at % 3 === 0 ? 50 : length, isPartial: at % 3 === 0 };
      });
      assertEqual(
        await all(store),
        expected.sort((a, b) => (a.hash < b.hash ? -1 : 1)),
        "list",
      );
    });

    declare("takes many at once, and one from several", async ({ store, hash }) => {
      const blobs = Array.from({ length: 20 }, (_, i) => blobOf(hash, 3000 + i));
      const put = async ({ name: blobName, bytes }: Blob): Promise<void> => {
        for (let at = 0; at < bytes.length; )
          at = await store.append(blobName, at, bytes.subarray(at, at + PART_BYTES));
      };
      await Promise.all([...blobs, ...blobs].map(put));
      for (const { name: blobName, bytes } of blobs) {
        const read = await store.read(blobName, 0, bytes.length);
        assertTrue(read !== undefined && hash(read) === blobName.hash, "a blob's bytes");
      }
    });

    declare("keeps what it has over a restart, parts included", async (subject) => {
      if (subject.reopened === undefined) return;
      const { store, hash } = subject;
      const whole = blobOf(hash, PART_BYTES);
      const part = blobOf(hash, 2 * PART_BYTES);
      await store.append(whole.name, 0, whole.bytes);
      await store.append(part.name, 0, part.bytes.subarray(0, PART_BYTES));
      const again = await subject.reopened();
      assertEqual((await again.read(whole.name, 0, PART_BYTES))?.length, PART_BYTES, "the whole one");
      const at = await again.offset(part.name);
      assertEqual(await again.append(part.name, at, part.bytes.subarray(at)), 2 * PART_BYTES, "the rest of the other");
      assertEqual(again.usage(), { blobs: 2, bytes: 3 * PART_BYTES }, "usage");
    });
  });
}

interface Blob {
  readonly name: BlobName;
  readonly bytes: Uint8Array;
}

function blobOf(hash: BlobStoreSubject["hash"], length: number): Blob {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256);
  return { name: { hash: hash(bytes), length }, bytes };
}

async function all(store: BlobStore): Promise<readonly StoredBlob[]> {
  const blobs: StoredBlob[] = [];
  for await (const blob of store.list()) blobs.push(blob);
  return blobs;
}
