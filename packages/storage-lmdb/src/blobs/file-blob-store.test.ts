import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { blobStoreConformance } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { blobPath, FileBlobStore } from "./file-blob-store.ts";

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

blobStoreConformance(
  "FileBlobStore",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-blobs-"));
    const store = await FileBlobStore.open(folder);
    return {
      store,
      hash: hashOf,
      reopened: () => FileBlobStore.open(folder),
      dispose: async () => {
        await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  { describe, test },
);

describe("the files of blobs", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "raftoral-blobs-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("are not made before the first blob comes", async () => {
    const store = await FileBlobStore.open(folder);
    for await (const _ of store.list()) expect.unreachable();
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  });

  test("hold the bytes of the blob and nothing else, below its first two digits", async () => {
    const store = await FileBlobStore.open(folder);
    const bytes = randomBytes(10_000);
    const hash = hashOf(bytes);
    await store.append({ hash, length: bytes.length }, 0, bytes);
    expect(await readFile(join(folder, "blobs", blobPath(hash)))).toEqual(bytes);
    expect(await readdir(join(folder, "blobs", "parts"))).toEqual([]);
  });

  test.each([
    ["cut short", 100],
    ["too long", 3000],
  ])("a part that a crash left %s is taken no further than its hash allows", async (_, size) => {
    const first = await FileBlobStore.open(folder);
    const bytes = randomBytes(2_000);
    const name = { hash: hashOf(bytes), length: bytes.length };
    await first.append(name, 0, bytes.subarray(0, 1_000));
    const part = join(folder, "blobs", "parts", `${name.hash}-2000`);
    await truncate(part, size);
    const again = await FileBlobStore.open(folder);
    let at = await again.offset(name);
    expect(at).toBe(size === 100 ? 100 : 0);
    at = await again.append(name, at, bytes.subarray(at));
    expect(at).toBe(2_000);
  });

  test("a part whose bytes a crash changed is dropped at its end, and comes again", async () => {
    const first = await FileBlobStore.open(folder);
    const bytes = randomBytes(2_000);
    const name = { hash: hashOf(bytes), length: bytes.length };
    await first.append(name, 0, bytes.subarray(0, 1_000));
    await writeFile(join(folder, "blobs", "parts", `${name.hash}-2000`), new Uint8Array(1_000));
    const again = await FileBlobStore.open(folder);
    expect(await again.append(name, 1_000, bytes.subarray(1_000))).toBe(0);
    expect(await again.append(name, 0, bytes)).toBe(2_000);
  });

  test("a file that was cut short is not read as a blob", async () => {
    const store = await FileBlobStore.open(folder);
    const bytes = randomBytes(2_000);
    const name = { hash: hashOf(bytes), length: bytes.length };
    await store.append(name, 0, bytes);
    await truncate(join(folder, "blobs", blobPath(name.hash)), 1_000);
    expect(await store.read(name, 0, 2_000)).toBeUndefined();
    const again = await FileBlobStore.open(folder);
    expect(await again.offset(name)).toBe(0);
    await again.delete(name.hash);
    expect(await again.append(name, 0, bytes)).toBe(2_000);
  });

  test("that a crash has left with any bytes are never taken for the blob", async () => {
    const bytes = randomBytes(300);
    const name = { hash: hashOf(bytes), length: bytes.length };
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 320 }), fc.boolean(), async (left, isFinal) => {
      const shard = join(folder, "blobs", isFinal ? name.hash.slice(0, 2) : "parts");
      await rm(join(folder, "blobs"), { recursive: true, force: true });
      await mkdir(shard, { recursive: true });
      await writeFile(join(shard, isFinal ? name.hash : `${name.hash}-300`), left);
      const store = await FileBlobStore.open(folder);
      const has = await store.offset(name);
      // Whole files of the right length are for readers to check.
      if (isFinal) expect(has === 300).toBe(left.length === 300);
      else if ((await store.append(name, has, bytes.subarray(has))) === 300)
        expect(Buffer.from((await store.read(name, 0, 300)) ?? []).equals(bytes)).toBe(true);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  test("others in the folder are left alone", async () => {
    await mkdir(join(folder, "blobs", "zz"), { recursive: true });
    await mkdir(join(folder, "blobs", "ab"));
    const strangers = ["notes.txt", join("zz", "0".repeat(64)), join("ab", "x"), join("ab", "0".repeat(64))];
    for (const name of strangers) await writeFile(join(folder, "blobs", name), "mine");
    const store = await FileBlobStore.open(folder);
    expect(store.usage()).toEqual({ blobs: 0, bytes: 0 });
    for (const name of strangers) expect(await readFile(join(folder, "blobs", name), "utf8")).toBe("mine");
  });

  test("a write that fails fails its call, drops the part, and the next one goes well", async () => {
    const store = await FileBlobStore.open(folder);
    const bytes = randomBytes(2_000);
    const name = { hash: hashOf(bytes), length: bytes.length };
    await store.append(name, 0, bytes.subarray(0, 1_000));
    const part = join(folder, "blobs", "parts", `${name.hash}-2000`);
    await rm(part);
    await mkdir(part);
    await expect(store.append(name, 1_000, bytes.subarray(1_000))).rejects.toMatchObject({
      code: "STORAGE_WRITE_FAILED",
      retryable: true,
    });
    await rm(dirname(part), { recursive: true });
    await mkdir(dirname(part));
    expect(await store.offset(name)).toBe(0);
    expect(await store.append(name, 0, bytes)).toBe(2_000);
  });
});
