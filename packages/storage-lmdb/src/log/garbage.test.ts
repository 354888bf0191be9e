// @module-tag slow

import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import { open } from "lmdb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { entryRange } from "../format/keys.ts";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries, testEntry } from "../testing/entries.ts";

const CONF_STATE = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

const CHUNK_BYTES = 256 * 1024;
const footerBytes = (records: number) => 44 + 4 * records;

let path: string;
let environment: LmdbEnvironment;
let storage: GroupStorage;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
  environment = await LmdbEnvironment.open({ path });
  storage = await environment.group(1);
});
afterEach(() => environment.close().finally(() => rm(path, { recursive: true, force: true })));

async function reopen(): Promise<void> {
  await environment.close();
  environment = await LmdbEnvironment.open({ path });
  storage = await environment.group(1);
}

/** Records and files on disk, counted behind the storage's back while it is closed. */
async function recordsOnDisk(): Promise<{ entries: number; snapshots: number[] }> {
  await environment.close();
  const root = open({ path, noSubdir: false, overlappingSync: false });
  const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
  const entries = database.getKeysCount(entryRange(1));
  await root.close();
  const folder = join(path, "snapshots");
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return { entries, snapshots: await Promise.all(sizes) };
}

/** Writes, and checkpoints for garbage to go along with. */
async function write(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const next = storage.lastIndex() + 1;
    await storage.write({ entries: [testEntry(next, 1)] });
    await environment.checkpoint();
  }
}

async function snapshotAt(index: number, chunks: number): Promise<void> {
  const metadata = { confState: CONF_STATE, index, term: 1 };
  const sink = await storage.createSnapshot(metadata);
  for (let chunk = 0; chunk < chunks; chunk++) await sink.write(new Uint8Array(CHUNK_BYTES).fill(chunk));
  await sink.finish();
  await storage.write({ snapshot: { metadata, reset: false } });
}

describe("what is no longer needed", () => {
  test("is deleted: entries below the first index, a few with each transaction", async () => {
    await storage.write({ entries: testEntries(1, 1001, 1) });
    await environment.checkpoint();
    await storage.write({ compactTo: 991 });
    await write(4);
    expect(await recordsOnDisk()).toEqual({ entries: 14, snapshots: [] });
  });

  test("is deleted also when nothing else is written", async () => {
    await storage.write({ entries: testEntries(1, 2001, 1) });
    await storage.write({ compactTo: 1991 });
    const stored = () => environment.records.getKeysCount(entryRange(1));
    await vi.waitFor(() => expect(stored()).toBe(10), 5000);
    expect(await recordsOnDisk()).toEqual({ entries: 10, snapshots: [] });
  });

  test("is found again at the next opening when the process ended before it was deleted", async () => {
    await storage.write({ entries: testEntries(1, 2001, 1) });
    await storage.write({ compactTo: 1991 });
    await reopen();
    expect([storage.firstIndex(), storage.lastIndex()]).toEqual([1991, 2000]);
    await write(8);
    expect(await recordsOnDisk()).toEqual({ entries: 18, snapshots: [] });
  });

  test("is deleted: content of a snapshot that a newer one replaced, once its last reader ended", async () => {
    await write(30);
    await snapshotAt(10, 4);
    const reader = storage.openSnapshot({ confState: CONF_STATE, index: 10, term: 1 })[Symbol.asyncIterator]();
    await snapshotAt(20, 2);
    await write(5);
    for (let chunk = 0; chunk < 4; chunk++) expect((await reader.next()).value?.[0]).toBe(chunk);
    expect((await reader.next()).done).toBe(true);
    await write(5);
    expect((await recordsOnDisk()).snapshots).toEqual([2 * CHUNK_BYTES + footerBytes(2)]);
  });

  test("is deleted: content that a reader left half-way", async () => {
    await write(30);
    await snapshotAt(10, 4);
    for await (const _chunk of storage.openSnapshot({ confState: CONF_STATE, index: 10, term: 1 })) break;
    await snapshotAt(20, 1);
    await write(5);
    expect((await recordsOnDisk()).snapshots).toEqual([CHUNK_BYTES + footerBytes(1)]);
  });

  test("is deleted: what was spooled and never became a snapshot, after an abort or a restart", async () => {
    const metadata = { confState: CONF_STATE, index: 10, term: 1 };
    const aborted = await storage.createSnapshot(metadata);
    await aborted.write(new Uint8Array(600_000));
    await aborted.abort();
    const unfinished = await storage.createSnapshot(metadata);
    await unfinished.write(new Uint8Array(300_000));
    const finished = await storage.createSnapshot(metadata);
    await finished.write(new Uint8Array(300_000));
    await finished.finish();
    await reopen();
    await write(5);
    expect((await recordsOnDisk()).snapshots).toEqual([]);
  });

  test("is left to the next opening of the group: a spool that outlives its group touches nothing of it", async () => {
    await write(20);
    const at = (index: number) => ({ confState: CONF_STATE, index, term: 1 });
    const [silent, busy, late] = [
      await storage.createSnapshot(at(5)),
      await storage.createSnapshot(at(6)),
      await storage.createSnapshot(at(7)),
    ];
    await busy.write(new Uint8Array(300_000));
    await storage.close();
    storage = await environment.group(1);
    await snapshotAt(10, 1);
    await snapshotAt(11, 1);
    await expect(late.write(new Uint8Array(300_000))).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
    for (const sink of [silent, busy, late]) await sink.abort();
    await write(10);
    let bytes = 0;
    for await (const chunk of storage.openSnapshot(at(11))) bytes += chunk.length;
    expect(bytes).toBe(CHUNK_BYTES);
    expect((await recordsOnDisk()).snapshots).toEqual([CHUNK_BYTES + footerBytes(1)]);
  });

  // A million entries: testing/bench-growth.ts.
  test("does not let the files grow with the number of entries that were ever written", {
    timeout: 60_000,
  }, async () => {
    await environment.close();
    environment = await LmdbEnvironment.open({ path, journalBytes: 1024 * 1024 });
    storage = await environment.group(1);
    const sizes: number[] = [];
    for (let next = 1; next <= 60_000; next += 200) {
      const compactTo = next > 2000 ? { compactTo: next - 2000 } : {};
      await storage.write({ entries: testEntries(next, next + 200, 1, 256), ...compactTo });
      if (next % 20_000 === 1) sizes.push((await stat(environment.file)).size);
    }
    sizes.push((await stat(environment.file)).size);
    expect(sizes.at(-1)).toBeLessThan(8 * 1024 * 1024);
    expect(sizes.at(-1)).toBeLessThan((sizes[1] as number) * 1.5);
    for (const journal of ["journal-0", "journal-1"]) {
      expect((await stat(join(path, journal))).size).toBeLessThanOrEqual(1024 * 1024);
    }
  });
});
