// @module-tag slow

/** Data folders after crashes: whole environments, whose writes to the journal and to LMDB end at any point. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry, GroupStorage } from "@raftoral/raft-core/storage";
import fc from "fast-check";
import { type Database, open } from "lmdb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { STORAGE_FORMAT_VERSION } from "./format/format-version.ts";
import { FORMAT_KEY, MARK_KEY } from "./format/keys.ts";
import { encodeFormat } from "./format/records.ts";
import { JournalFile } from "./journal/journal-file.ts";
import { PAGE_BYTES } from "./journal/record.ts";
import { SECTOR_BYTES } from "./journal/stamps.ts";
import { LmdbEnvironment } from "./lmdb-environment.ts";
import { testEntries, testEntry } from "./testing/entries.ts";

const GROUPS = [1, 2, 3];
const SMALL = { flush: "blocking", journalBytes: 16 * PAGE_BYTES, cacheBytesPerGroup: 0 } as const;

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(path, { recursive: true, force: true });
});

/** Lets `count` writes of the journal through; of the next one, only the sectors that `reached` names reach the disk. */
function cutJournalAfter(count: number, reached: readonly boolean[]): void {
  const write = JournalFile.prototype.writeBlocking;
  let left = count;
  vi.spyOn(JournalFile.prototype, "writeBlocking").mockImplementation(function (this: JournalFile, bytes, page) {
    if (left-- > 0) return write.call(this, bytes, page);
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      const sector = bytes.subarray(at, at + SECTOR_BYTES);
      if (reached[(at / SECTOR_BYTES) % reached.length]) write.call(this, sector, page + at / PAGE_BYTES);
    }
    throw new Error("the power is gone");
  });
}

/** The entry of a round: of another size in each group and round. */
function entryOf(group: number, index: number, bytes: number): Entry {
  return testEntry(index, 1, 8 + ((bytes * group) % 9000));
}

/** What is there: every group ends at the same round, and every entry is the one that was written. */
function verify(groups: readonly GroupStorage[], sizes: ReadonlyMap<number, number>): number {
  const last = (groups[0] as GroupStorage).lastIndex();
  for (const [at, group] of groups.entries()) {
    expect(group.lastIndex()).toBe(last);
    if (last > 0) expect(group.initialState().hardState.commit).toBe(last - 1);
    for (let index = group.firstIndex(); index <= last; index++) {
      expect(group.entries(index, index + 1, 0)).toEqual([
        entryOf(GROUPS[at] as number, index, sizes.get(index) as number),
      ]);
    }
  }
  return last;
}

interface Life {
  readonly cut: { readonly at: "journal" | "checkpoint"; readonly after: number; readonly reached: readonly boolean[] };
  readonly sizes: readonly number[];
  readonly compactEvery: number;
}

/** Opens, checks what is there, and writes until the crash. Returns how many rounds were acknowledged. */
async function live(
  folder: string,
  { cut, sizes, compactEvery }: Life,
  known: Map<number, number>,
): Promise<[number, number]> {
  let transactions = 0;
  const beforeCheckpoint = () => {
    if (cut.at === "checkpoint" && transactions++ >= cut.after) throw new Error("the power is gone");
  };
  const environment = await LmdbEnvironment.open({ ...SMALL, path: folder, beforeCheckpoint });
  const groups = await Promise.all(GROUPS.map((group) => environment.group(group)));
  const found = verify(groups, known);
  for (const [offset, size] of sizes.entries()) known.set(found + 1 + offset, size);
  if (cut.at === "journal") cutJournalAfter(cut.after, cut.reached);
  let acknowledged = found;
  for (const size of sizes) {
    const index = acknowledged + 1;
    const compactTo = index % compactEvery === 0 && index > 6 ? { compactTo: index - 5 } : {};
    const hardState = { term: 1, vote: 1, commit: index - 1 };
    const written = groups.map((group, at) =>
      group.write({ hardState, entries: [entryOf(GROUPS[at] as number, index, size)], ...compactTo }),
    );
    if ((await Promise.allSettled(written)).some(({ status }) => status === "rejected")) break;
    acknowledged = index;
  }
  verify(groups, known.set(acknowledged + 1, known.get(acknowledged + 1) ?? 0));
  await environment.close();
  vi.restoreAllMocks();
  return [found, acknowledged];
}

const life: fc.Arbitrary<Life> = fc.record({
  cut: fc.record({
    at: fc.constantFrom("journal", "checkpoint"),
    after: fc.nat(24),
    reached: fc.array(fc.boolean(), { minLength: 1, maxLength: 24 }),
  }),
  sizes: fc.array(fc.nat(60_000), { minLength: 10, maxLength: 30 }),
  compactEvery: fc.integer({ min: 1, max: 30 }),
});

describe("a folder after a crash", () => {
  test("has the acknowledged rounds, and of the one under way all groups' parts or none", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 2, maxLength: 4 }), async (lives) => {
        const folder = await mkdtemp(join(path, "case-"));
        const sizes = new Map<number, number>();
        let expected = 0;
        for (const each of lives) {
          const [found, acknowledged] = await live(folder, each, sizes);
          expect([expected, expected + 1]).toContain(found);
          expected = acknowledged;
        }
        await rm(folder, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });

  test("says which half-written record it drops", async () => {
    const first = await LmdbEnvironment.open({ path, flush: "blocking" });
    const storage = await first.group(1);
    await storage.write({ entries: testEntries(1, 3, 1) });
    cutJournalAfter(0, [true, false]);
    await expect(storage.write({ entries: testEntries(3, 5, 1) })).rejects.toMatchObject({
      code: "STORAGE_WRITE_FAILED",
    });
    await first.close();
    vi.restoreAllMocks();
    const warn = vi.fn();
    const silent = () => undefined;
    const logger = { warn, debug: silent, info: silent, error: silent };
    const again = await LmdbEnvironment.open({ path, logger });
    expect((await again.group(1)).lastIndex()).toBe(2);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ file: join(path, "journal-0"), sequence: 2, sectors: 4 }),
      expect.stringMatching(/never acknowledged/),
    );
    await again.close();
  });
});

describe("rounds that the journal has no room for", () => {
  test("go into LMDB when they are larger than its files, in order with the others", async () => {
    const large = 20 * PAGE_BYTES;
    const environment = await LmdbEnvironment.open({ ...SMALL, path, checkpointIdleMs: 60_000 });
    const storage = await environment.group(1);
    const bytes = [100, large, 100, 100, large, large, 100];
    const entry = (index: number) => testEntry(index, 1, bytes[index - 1]);
    for (let index = 1; index <= bytes.length; index++) await storage.write({ entries: [entry(index)] });
    cutJournalAfter(0, [true, false]);
    await expect(storage.write({ entries: [testEntry(8, 1)] })).rejects.toMatchObject({ code: "STORAGE_WRITE_FAILED" });
    await environment.close();
    vi.restoreAllMocks();
    const again = await LmdbEnvironment.open({ ...SMALL, path });
    const found = (await again.group(1)).entries(1, bytes.length + 1, Number.MAX_SAFE_INTEGER);
    expect(found).toEqual(bytes.map((_size, at) => entry(at + 1)));
    await again.close();
  });

  test.each(["blocking", "background"] as const)("wait for a checkpoint, however long it takes (%s)", async (flush) => {
    const environment = await LmdbEnvironment.open({ ...SMALL, path, flush });
    const groups = await Promise.all(GROUPS.map((group) => environment.group(group)));
    const written: Promise<void>[] = [];
    for (let index = 1; index <= 200; index++) {
      for (const group of groups) written.push(group.write({ entries: [testEntry(index, 1, 5_000)] }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(written);
    for (const group of groups) {
      expect(group.entries(1, 201, Number.MAX_SAFE_INTEGER)).toEqual(
        Array.from({ length: 200 }, (_, at) => testEntry(at + 1, 1, 5_000)),
      );
    }
    await environment.close();
  });
});

describe("a group that is opened again in the same process", () => {
  test("has what it wrote before, though LMDB lacked it", async () => {
    const environment = await LmdbEnvironment.open({ path, checkpointIdleMs: 60_000 });
    const storage = await environment.group(1);
    await storage.write({ entries: testEntries(1, 11, 1) });
    const before = environment.transactions;
    await storage.close();
    const again = await environment.group(1);
    expect(environment.transactions).toBeGreaterThan(before);
    expect(again.entries(1, 11, Number.MAX_SAFE_INTEGER)).toEqual(testEntries(1, 11, 1));
    await environment.close();
  });
});

describe("a folder's format", () => {
  async function change(what: (database: Database<Buffer, Buffer>) => void): Promise<void> {
    const root = open({ path, noSubdir: false, overlappingSync: false });
    const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
    // A block and not an expression: lmdb-js leaves a transaction open whose callback returns a promise.
    database.transactionSync(() => {
      what(database);
    });
    await root.close();
  }

  async function writeSome(): Promise<void> {
    const environment = await LmdbEnvironment.open({ path });
    await (await environment.group(1)).write({ entries: testEntries(1, 11, 1) });
    await environment.close();
  }

  for (const version of [1, STORAGE_FORMAT_VERSION + 1]) {
    test(`${version} is refused, and left as it was`, async () => {
      await writeSome();
      await change((database) => database.putSync(FORMAT_KEY, encodeFormat(FORMAT_KEY, version)));
      for (let opening = 0; opening < 2; opening++) {
        await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({
          code: "STORAGE_FORMAT_UNSUPPORTED",
          message: expect.stringContaining(`has format ${version}`),
        });
      }
    });
  }

  test("is given to a new folder though a crash left something of its journal", async () => {
    await writeFile(join(path, "journal-0"), Buffer.alloc(5000, 7));
    await writeSome();
    const environment = await LmdbEnvironment.open({ path });
    const storage = await environment.group(1);
    expect(storage.entries(1, 11, Number.MAX_SAFE_INTEGER)).toEqual(testEntries(1, 11, 1));
    await environment.close();
  });

  test("2 is refused without its mark, which says how much of the journal counts", async () => {
    await writeSome();
    await change((database) => database.removeSync(MARK_KEY));
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/data\.mdb: the journal's mark: missing/),
    });
  });
});
