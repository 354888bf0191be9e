import { mkdtemp, open as openFile, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chunkKey, entryKey, stateKey } from "./keys.ts";
import { LmdbEnvironment } from "./lmdb-environment.ts";
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

function copyOf(database: Database<Buffer, Buffer>, key: Buffer): Buffer {
  return Buffer.from(database.getBinary(key) as Buffer);
}

describe("a damaged data folder", () => {
  it("is refused for one flipped bit in the file, naming file, group, index and what to do", async () => {
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
    const before = await readFile(file);
    expect(await openingGroup()).toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/data\.mdb: group 3, entry 20: wrong checksum.*restore this folder from a backup/),
      details: { group: 3, index: 20 },
    });
    const after = await readFile(file);
    expect(after.indexOf(content.subarray(0, 8))).toBe(before.indexOf(content.subarray(0, 8)));
  });

  it.each([
    ["a missing entry in the middle", entryKey(3, 17), /entry 17: missing/],
    ["a missing last entry", entryKey(3, 40), /entry 40: missing/],
    ["a missing state", stateKey(3), /state: missing, though there are entries/],
    ["a missing snapshot chunk", chunkKey(3, 1, 0), /snapshot 5\/1: 0 chunks of 1/],
  ])("is refused for %s", async (_name, key, message) => {
    await tamper((database) => database.removeSync(key));
    expect(await openingGroup()).toMatchObject({ code: "STORAGE_CORRUPT", message: expect.stringMatching(message) });
  });

  it("is refused for a sound record in the wrong place: other index, other group", async () => {
    await tamper((database) => database.putSync(entryKey(3, 17), copyOf(database, entryKey(3, 18))));
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/entry 17: wrong checksum/) });
    await tamper((database) => database.putSync(stateKey(4), copyOf(database, stateKey(3))));
    expect(await openingGroup(4)).toMatchObject({ message: expect.stringMatching(/group 4, state: wrong checksum/) });
  });

  it("is refused for an entry past the recorded end, and for a damaged state", async () => {
    await tamper((database) => database.putSync(entryKey(3, 41), copyOf(database, entryKey(3, 40))));
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/entry 41: present, though/) });
    await tamper((database) => {
      const state = copyOf(database, stateKey(3));
      state[10] = (state[10] as number) ^ 1;
      database.putSync(stateKey(3), state);
    });
    expect(await openingGroup()).toMatchObject({ message: expect.stringMatching(/state: wrong checksum/) });
  });

  it("fails the reader of a damaged snapshot chunk, not the opening", async () => {
    await tamper((database) => {
      const chunk = copyOf(database, chunkKey(3, 1, 0));
      chunk[500] = 0;
      database.putSync(chunkKey(3, 1, 0), chunk);
    });
    const environment = await LmdbEnvironment.open({ path });
    const reader = (await environment.group(3)).openSnapshot(METADATA)[Symbol.asyncIterator]();
    await expect(reader.next()).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/group 3, snapshot chunk 0: wrong checksum/),
    });
    await environment.close();
  });

  it("does not stop the other groups of the folder", async () => {
    await tamper((database) => database.removeSync(entryKey(3, 17)));
    expect(await openingGroup(1)).toBeUndefined();
  });
});
