import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  open as openFile,
  readFile,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { entryKey, stateKey } from "./format/keys.ts";
import { LmdbEnvironment } from "./lmdb-environment.ts";
import { readSnapshotFile, type SnapshotFileIndex, SnapshotFileWriter } from "./snapshots/snapshot-file.ts";
import { testEntries } from "./testing/entries.ts";

const CONF_STATE = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const METADATA = { confState: CONF_STATE, index: 5, term: 1 };

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
  const environment = await LmdbEnvironment.open({ path });
  const storage = await environment.group(3);
  await storage.write({ entries: testEntries(1, 41, 1) });
  const sink = await storage.createSnapshot(METADATA);
  await sink.write(new Uint8Array(1000).fill(0xab));
  await sink.finish();
  await storage.write({ snapshot: { metadata: METADATA, reset: false } });
  await environment.close();
});
afterEach(() => rm(path, { recursive: true, force: true }));

/** Changes records behind the storage's back. */
async function tamper(change: (database: Database<Buffer, Buffer>) => void): Promise<void> {
  const root: RootDatabase = open({ path, noSubdir: false, overlappingSync: false });
  const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
  // A block and not an expression: lmdb-js leaves a transaction open whose callback returns a promise.
  database.transactionSync(() => {
    change(database);
  });
  await root.close();
}

async function openingGroup(group = 3): Promise<unknown> {
  const environment = await LmdbEnvironment.open({ path });
  try {
    await environment.group(group);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await environment.close();
  }
}

function snapshotFile(): string {
  return join(path, "snapshots", "3-1.snapshot");
}

async function flipBit(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] as number) ^ 0x04;
  await writeFile(file, bytes);
}

function copyOf(database: Database<Buffer, Buffer>, key: Buffer): Buffer {
  return Buffer.from(database.getBinary(key) as Buffer);
}

describe("a damaged data folder", () => {
  test("is refused for one flipped bit in the file, naming file, group, index and what to do", async () => {
    const file = join(path, "data.mdb");
    // The entry's content begins with its index as a float; the rest is filled with it.
    const content = testEntries(20, 21, 1)[0]?.data as Uint8Array;
    const bytes = await readFile(file);
    const places: number[] = [];
    for (let at = bytes.indexOf(content); at >= 0; at = bytes.indexOf(content, at + 1)) places.push(at + 30);
    expect(places.length).toBeGreaterThan(0);
    const handle = await openFile(file, "r+");
    for (const at of places) await handle.write(Buffer.from([(bytes[at] as number) ^ 0x10]), 0, 1, at);
    await handle.close();
    expect(await openingGroup()).toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/data\.mdb: group 3, entry 20: wrong checksum.*restore this folder from a backup/),
      details: { group: 3, index: 20 },
    });
    // The damaged record is still there for those who look at it.
    const damaged = Buffer.from(content);
    damaged[30] = (damaged[30] as number) ^ 0x10;
    expect((await readFile(file)).includes(damaged)).toBe(true);
  });

  test("is refused for one flipped bit in the journal, naming file, group, index and what to do", async () => {
    const environment = await LmdbEnvironment.open({ path, checkpointIdleMs: 60_000 });
    const storage = await environment.group(3);
    for (let index = 41; index < 44; index++) await storage.write({ entries: testEntries(index, index + 1, 1) });
    // What a crash at this moment leaves.
    const crashed = join(path, "crashed");
    await mkdir(crashed);
    for (const file of ["data.mdb", "journal-0", "journal-1"]) await copyFile(join(path, file), join(crashed, file));
    await cp(join(path, "snapshots"), join(crashed, "snapshots"), { recursive: true });
    await environment.close();
    const files = ["journal-0", "journal-1"].map((name) => join(crashed, name));
    const content = testEntries(42, 43, 1)[0]?.data as Uint8Array;
    const found = await Promise.all(files.map(async (file) => ({ file, at: (await readFile(file)).indexOf(content) })));
    const [{ file, at } = { file: "", at: -1 }] = found.filter((each) => each.at >= 0);
    expect(at).toBeGreaterThan(0);
    const bytes = await readFile(file);
    bytes[at + 30] = (bytes[at + 30] as number) ^ 0x10;
    await writeFile(file, bytes);
    const before = await readFile(join(crashed, "data.mdb"));
    await expect(LmdbEnvironment.open({ path: crashed })).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(
        /journal-\d: group 3, journal record \d+ at byte \d+ \(entry 42\): wrong checksum.*restore this folder from a backup/,
      ),
      details: { file, group: 3, index: 42, offset: Math.floor(at / 4096) * 4096 },
    });
    expect((await readFile(join(crashed, "data.mdb"))).equals(before)).toBe(true);
  });

  test.each([
    ["a missing entry in the middle", entryKey(3, 17), /entry 17: missing/],
    ["a missing last entry", entryKey(3, 40), /entry 40: missing/],
    ["a missing state", stateKey(3), /state: missing, though there are entries/],
  ])("is refused for %s", async (_name, key, message) => {
    await tamper((database) => database.removeSync(key));
    expect(await openingGroup()).toMatchObject({ code: "STORAGE_CORRUPT", message: expect.stringMatching(message) });
  });

  test("is refused for a sound record in the wrong place: other index, other group", async () => {
    await tamper((database) => database.putSync(entryKey(3, 17), copyOf(database, entryKey(3, 18))));
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/entry 17: wrong checksum/) });
    await tamper((database) => database.putSync(stateKey(4), copyOf(database, stateKey(3))));
    expect(await openingGroup(4)).toMatchObject({ message: expect.stringMatching(/group 4, state: wrong checksum/) });
  });

  test("is refused for an entry past the recorded end, and for a damaged state", async () => {
    await tamper((database) => database.putSync(entryKey(3, 41), copyOf(database, entryKey(3, 40))));
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/entry 41: present, though/) });
    await tamper((database) => {
      const state = copyOf(database, stateKey(3));
      state[10] = (state[10] as number) ^ 1;
      database.putSync(stateKey(3), state);
    });
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/state: wrong checksum/) });
  });

  test.each([
    ["missing", (file: string) => rm(file), /group 3, snapshot 5\/1: its file .*3-1\.snapshot is missing/],
    ["cut off", (file: string) => truncate(file, 1000), /snapshot 5\/1: the footer of its file .* is damaged/],
    ["too short for a footer", (file: string) => truncate(file, 10), /snapshot 5\/1: its file .* is cut off/],
    [
      "of another length",
      (file: string) => appendFile(file, "x"),
      /snapshot 5\/1: the footer of its file .* is damaged/,
    ],
    [
      "damaged in its footer",
      (file: string) => flipBit(file, 1020),
      /snapshot 5\/1: the footer of its file .* is damaged/,
    ],
    [
      "another group's",
      async (file: string) => {
        const { records } = (await readSnapshotFile(file, { group: 3, spool: 1 }, 1)) as SnapshotFileIndex;
        expect(records).toHaveLength(1);
        await rm(file);
        const writer = await SnapshotFileWriter.create(file, { group: 4, spool: 1 });
        await writer.write(new Uint8Array(1000).fill(0xab));
        await writer.finish();
      },
      /snapshot 5\/1: the footer of its file .* is damaged/,
    ],
  ])("is refused for a snapshot's file that is %s", async (_name, damage, message) => {
    await damage(snapshotFile());
    expect(await openingGroup()).toMatchObject({ code: "STORAGE_CORRUPT", message: expect.stringMatching(message) });
  });

  test("fails the reader of a damaged snapshot chunk, not the opening", async () => {
    await flipBit(snapshotFile(), 500);
    const environment = await LmdbEnvironment.open({ path });
    const reader = (await environment.group(3)).openSnapshot(METADATA)[Symbol.asyncIterator]();
    await expect(reader.next()).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/3-1\.snapshot: group 3, snapshot chunk 0: wrong checksum/),
    });
    await environment.close();
  });

  test("does not stop the other groups of the folder", async () => {
    await tamper((database) => database.removeSync(entryKey(3, 17)));
    expect(await openingGroup(1)).toBeUndefined();
  });
});
