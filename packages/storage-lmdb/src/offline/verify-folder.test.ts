// @module-tag slow

import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SAMPLE_IDENTITY, SAMPLE_LAST, sampleFolder } from "../testing/sample-folder.ts";
import { inspectFolder } from "./inspect-folder.ts";
import { StoppedFolder } from "./stopped-folder.ts";
import { verifyFolder } from "./verify-folder.ts";

let base: string;
/** Of a node that crashed: its journal has what LMDB lacks. */
let crashed: string;
/** A copy of it, to be damaged. */
let path: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "raftoral-verify-"));
  crashed = join(base, "crashed");
  path = join(base, "copy");
  const environment = await sampleFolder(join(base, "running"));
  await cp(join(base, "running"), crashed, { recursive: true });
  await environment.close();
});
afterAll(() => rm(base, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(path, { recursive: true, force: true });
  await cp(crashed, path, { recursive: true });
});

/** What each file of the folder has in it; LMDB's lock files say who reads, not what is read. */
async function fingerprint(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === "lock.mdb" || entry.parentPath.endsWith("owner")) continue;
    const file = join(entry.parentPath, entry.name);
    found[file] = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  }
  return found;
}

/** Flips a bit wherever a file has `pattern`, what it does not use any more included; returns how many places that were. */
async function flip(file: string, pattern: Buffer | string, { plus = 0, from = 0 } = {}): Promise<number> {
  const bytes = await readFile(join(path, file));
  const places: number[] = [];
  const step = Math.max(pattern.length, plus + 1);
  for (let at = bytes.indexOf(pattern, from); at >= 0; at = bytes.indexOf(pattern, at + step)) places.push(at + plus);
  for (const place of places) bytes[place] = (bytes[place] ?? 0) ^ 0x10;
  await writeFile(join(path, file), bytes);
  return places.length;
}

/** Everything that a start would find, in one number. */
async function contents(folder: string): Promise<string> {
  const opened = await StoppedFolder.open(folder);
  const hash = createHash("sha256");
  opened.records.visit({ start: Buffer.from([0]), end: Buffer.from([0xff]) }, 1_000_000, (key, value) => {
    hash.update(key).update(value);
  });
  await opened.close();
  return hash.digest("hex");
}

describe("a folder that is inspected", () => {
  test("tells of LMDB and of the journal as one, and stays as it is", async () => {
    const before = await fingerprint(path);
    const report = await inspectFolder(path);
    expect(report).toMatchObject({ isBackup: false, format: 2, identity: SAMPLE_IDENTITY, incarnation: 1 });
    expect(report.journal?.records).toBeGreaterThan(3);
    expect(report.groups.map(({ group }) => group)).toEqual([1, 7]);
    expect(report.groups[0]).toMatchObject({
      term: 1,
      vote: 1,
      firstIndex: 2,
      lastIndex: SAMPLE_LAST,
      lastTerm: 1,
      compactedIndex: 1,
      members: [1, 2, 3].map((nodeId) => ({ nodeId, address: `10.0.0.${nodeId}:5001`, role: "voter" })),
      snapshot: { index: 1, term: 1 },
      unreadable: undefined,
    });
    // Group 7 had no checkpoint after its last writes: what a start would find, not what was in memory.
    expect(report.groups[1]?.state?.appliedIndex).toBeLessThan(SAMPLE_LAST);
    expect(await fingerprint(path)).toEqual(before);
  });

  test("that is none is refused, and nothing appears in it", async () => {
    const empty = join(base, "empty");
    await mkdir(empty, { recursive: true });
    await expect(inspectFolder(empty)).rejects.toMatchObject({ code: "STORAGE_PATH_INVALID" });
    await expect(verifyFolder(join(base, "absent"))).rejects.toMatchObject({ code: "STORAGE_PATH_INVALID" });
    expect(await readdir(empty)).toEqual([]);
  });

  test("of a running node is refused, naming the process", async () => {
    const environment = await sampleFolder(join(base, "in-use"));
    for (const look of [inspectFolder, verifyFolder]) {
      await expect(look(join(base, "in-use"))).rejects.toMatchObject({ code: "STORAGE_LOCKED" });
    }
    await environment.close();
  });
});

describe("a folder that is verified", () => {
  test("is intact after a crash and after a close, and stays as it is", async () => {
    for (const folder of [path, join(base, "running")]) {
      const before = await fingerprint(folder);
      expect(await verifyFolder(folder)).toMatchObject({ isIntact: true, damages: [], groups: 2, notes: [] });
      expect(await fingerprint(folder)).toEqual(before);
    }
  });

  test("names every damage, in every kind of file", async () => {
    // Entries have their index as a number at the beginning; states their key.
    const data = (index: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(index);
      return Buffer.concat([bytes, Buffer.alloc(16, index & 0xff).subarray(0, 16)]);
    };
    expect(await flip("data.mdb", data(33), { plus: 20 })).toBeGreaterThan(0);
    expect(await flip("data.mdb", data(77), { plus: 20 })).toBeGreaterThan(0);
    expect(await flip("data.mdb", "key-99", { plus: 5 })).toBeGreaterThan(0);
    expect(await flip("snapshots/1-1.snapshot", Buffer.alloc(50_000, 1), { plus: 50 })).toBeGreaterThan(0);
    expect(await flip("snapshots/7-1.snapshot", Buffer.alloc(50_000, 1), { plus: 50, from: 300_000 })).toBeGreaterThan(
      0,
    );
    // Group 7's: group 1's is in LMDB.
    expect(
      (await flip("journal-0", data(230), { plus: 20 })) + (await flip("journal-1", data(230), { plus: 20 })),
    ).toBe(2);
    const report = await verifyFolder(path);
    const found = report.damages.map(({ file, group, record }) => `${file.slice(path.length + 1)} ${group} ${record}`);
    expect(report.isIntact).toBe(false);
    expect(report.damageCount).toBe(report.damages.length);
    for (const wanted of [
      /^data\.mdb [17] entry 33$/,
      /^data\.mdb [17] entry 77$/,
      /^data\.mdb [17] state record/,
      /^snapshots\/1-1\.snapshot 1 snapshot 1\/1, record 0$/,
      /^snapshots\/7-1\.snapshot 7 snapshot 1\/1, record 1$/,
      /^journal-[01] 7 journal record \d+ at byte \d+ \(entry 230\)$/,
    ]) {
      expect(found).toContainEqual(expect.stringMatching(wanted));
    }
    expect(report.damages.every(({ advice }) => advice.includes("restore a backup"))).toBe(true);
  });

  test("finds records, files and states that are missing", async () => {
    await rm(join(path, "journal-1"));
    await rm(join(path, "snapshots/7-1.snapshot"));
    const { damages } = await verifyFolder(path);
    expect(damages).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ file: join(path, "journal-1"), found: "the file is missing" }),
        expect.objectContaining({ group: 7, found: expect.stringContaining("is missing") }),
      ]),
    );
  });

  test("is told intact only if every record in it is what it was, whatever bits of LMDB's file flip", {
    timeout: 60_000,
  }, async () => {
    const file = join(path, "data.mdb");
    const original = await readFile(file);
    const expected = await contents(path);
    let seed = 20_260;
    const below = (bound: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * bound);
    };
    let damaged = 0;
    for (let round = 0; round < 80; round++) {
      const bytes = Buffer.from(original);
      const at = below(bytes.length);
      // A bit, or a piece of the page's head, where LMDB is led from page to page.
      if (round % 2 === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      else bytes.fill(below(256), at - (at % 4_096), at - (at % 4_096) + 16 + below(64));
      await writeFile(file, bytes);
      const { isIntact } = await verifyFolder(path);
      if (isIntact) expect(await contents(path)).toBe(expected);
      else damaged += 1;
    }
    expect(damaged).toBeGreaterThan(20);
  });
});
