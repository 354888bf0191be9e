// @module-tag slow

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "../testing/entries.ts";
import { openSample, SAMPLE_GROUPS, SAMPLE_LAST, sampleFolder, takeSnapshot } from "../testing/sample-folder.ts";
import { backupFolder } from "./backup-folder.ts";
import { inspectFolder } from "./inspect-folder.ts";
import { planRecovery, recoverFolder } from "./recover-folder.ts";
import { restoreBackup } from "./restore-backup.ts";
import { verifyFolder } from "./verify-folder.ts";

const NEW = { clusterId: "sample-2" };

let base: string;
let data: string;
let out: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "raftoral-backup-"));
  data = join(base, "data");
  out = join(base, "backups", "one");
});
afterEach(() => rm(base, { recursive: true, force: true }));

/** Flips a bit in the middle of a file. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** The folder of a node that crashed: its journal has what LMDB lacks. */
async function crashedFolder(): Promise<void> {
  const environment = await sampleFolder(join(base, "running"));
  await cp(join(base, "running"), data, { recursive: true });
  await environment.close();
}

describe("a backup of a stopped node", () => {
  test("has everything, journal included, and becomes a cluster of one", async () => {
    await crashedFolder();
    const manifest = await backupFolder(data, out);
    expect(manifest).toMatchObject({ clusterId: "sample-1", nodeId: 1, incarnation: 1, storageFormat: 2 });
    expect(manifest.groups).toMatchObject(SAMPLE_GROUPS.map((group) => ({ group, lastIndex: SAMPLE_LAST })));
    expect((await readdir(out)).sort()).toEqual(["backup.json", "data.mdb", "journal-0", "journal-1", "snapshots"]);
    expect(await verifyFolder(out)).toMatchObject({ isBackup: true, isIntact: true });

    const restored = join(base, "restored");
    const restoration = await restoreBackup(out, restored, { ...NEW, address: "10.0.0.9:5001" });
    expect(restoration.groups).toMatchObject(
      SAMPLE_GROUPS.map((group) => ({ group, kind: "recovered", removed: [2, 3], lastIndex: SAMPLE_LAST })),
    );
    const report = await inspectFolder(restored);
    expect(report.identity).toEqual({ nodeId: 1, clusterId: "sample-2" });
    expect(report.groups.map(({ members }) => members)).toEqual(
      SAMPLE_GROUPS.map(() => [{ nodeId: 1, address: "10.0.0.9:5001", role: "voter" }]),
    );
    expect(await verifyFolder(restored)).toMatchObject({ isIntact: true });
    const environment = await LmdbEnvironment.open({ path: restored, nodeId: 1, clusterId: "sample-2" });
    const group = await environment.group(7);
    expect(group.entries(212, 222, Number.MAX_SAFE_INTEGER)).toEqual(testEntries(212, 222, 1, 120));
    await environment.close();
    expect((await readdir(base)).filter((name) => name.includes("restoring"))).toEqual([]);
  });

  test("is refused where anything is damaged, and leaves nothing", async () => {
    await crashedFolder();
    await damage(join(data, "snapshots", "7-1.snapshot"));
    await expect(backupFolder(data, out)).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringContaining(join(data, "snapshots", "7-1.snapshot")),
    });
    expect(await readdir(out)).toEqual([]);
  });

  test("writes over nothing, is no data folder, and is backed up by a copy", async () => {
    await crashedFolder();
    await mkdir(out, { recursive: true });
    await writeFile(join(out, "mine"), "");
    await expect(backupFolder(data, out)).rejects.toMatchObject({ code: "STORAGE_TARGET_NOT_EMPTY" });
    expect(await readdir(out)).toEqual(["mine"]);
    const other = join(base, "other");
    await backupFolder(data, other);
    const uses = [
      () => openSample(other),
      () => backupFolder(other, join(base, "copy")),
      () => planRecovery(other, NEW),
    ];
    for (const use of uses) {
      await expect(use()).rejects.toMatchObject({ code: "STORAGE_IS_BACKUP" });
    }
  });
});

describe("a backup that is restored", () => {
  test("is refused with any file of it damaged, missing, or without its manifest", async () => {
    await crashedFolder();
    const { files } = await backupFolder(data, out);
    const target = join(base, "restored");
    for (const name of [...files.map(({ path }) => path), "backup.json"]) {
      const copy = join(base, "copy");
      await cp(out, copy, { recursive: true });
      await damage(join(copy, name));
      await expect(restoreBackup(copy, target, NEW), name).rejects.toMatchObject({ code: "STORAGE_BACKUP_INVALID" });
      expect((await verifyFolder(copy)).damages.map(({ file }) => file)).toContain(join(copy, name));
      await rm(join(copy, name));
      await expect(restoreBackup(copy, target, NEW), name).rejects.toMatchObject({ code: "STORAGE_BACKUP_INVALID" });
      await rm(copy, { recursive: true });
    }
    expect(await readdir(base)).not.toContain("restored");
  });

  test("is never of the old cluster, and writes over nothing", async () => {
    await crashedFolder();
    await backupFolder(data, out);
    const target = join(base, "restored");
    await expect(restoreBackup(out, target, { clusterId: "sample-1" })).rejects.toMatchObject({
      code: "STORAGE_IDENTITY_MISMATCH",
    });
    await expect(restoreBackup(out, data, NEW)).rejects.toMatchObject({ code: "STORAGE_TARGET_NOT_EMPTY" });
    await restoreBackup(out, target, NEW);
    // No node of the old cluster is let into it either.
    await expect(openSample(target)).rejects.toMatchObject({ code: "STORAGE_IDENTITY_MISMATCH" });
  });

  test("can name no file outside", async () => {
    await crashedFolder();
    await backupFolder(data, out);
    const manifest = join(out, "backup.json");
    const { createHash } = await import("node:crypto");
    const content = JSON.parse(await readFile(manifest, "utf8"));
    content.manifest.files[0].path = "../../escaped";
    content.sha256 = createHash("sha256").update(JSON.stringify(content.manifest)).digest("hex");
    await writeFile(manifest, JSON.stringify(content));
    await expect(restoreBackup(out, join(base, "restored"), NEW)).rejects.toMatchObject({
      code: "STORAGE_BACKUP_INVALID",
      message: expect.stringContaining("../../escaped"),
    });
  });
});

describe("a backup of a running node", () => {
  test("has all that was acknowledged before, while writes and snapshots go on", { timeout: 60_000 }, async () => {
    const environment = await sampleFolder(data);
    const group = await environment.group(2);
    await takeSnapshot(group, { index: 1, term: 1, reset: true });
    let last = 1;
    let isDone = false;
    let snapshots = 0;
    const write = async (): Promise<void> => {
      const entries = testEntries(last + 1, last + 6, 1, 400);
      last += 5;
      await group.write({ entries, hardState: { term: 1, vote: 1, commit: last } });
    };
    for (let i = 0; i < 100; i++) await write();
    const writer = (async () => {
      // One behind the other, each of them replaces the file of the one before, which the copy may name.
      while (!isDone) {
        await write();
        await takeSnapshot(group, { index: last, term: 1 });
        snapshots += 1;
      }
    })();
    for (let round = 0; round < 4; round++) {
      const target = join(base, `round-${round}`);
      const acknowledged = last - 5;
      const before = snapshots;
      let turns = 0;
      const turning = setInterval(() => {
        turns += 1;
      }, 1);
      const manifest = await environment.backup(target);
      clearInterval(turning);
      expect(turns).toBeGreaterThan(0);
      expect(snapshots).toBeGreaterThan(before);
      expect(manifest.groups.find(({ group: id }) => id === 2)?.lastIndex).toBeGreaterThanOrEqual(acknowledged);
      expect((await verifyFolder(target)).damages).toEqual([]);
      const restored = join(base, `restored-${round}`);
      await restoreBackup(target, restored, { clusterId: `sample-${round + 2}` });
      expect((await verifyFolder(restored)).damages).toEqual([]);
    }
    isDone = true;
    await writer;
    await environment.close();
    // What was kept for the copies is gone.
    const again = await openSample(data);
    await (await again.group(2)).close();
    await again.close();
    expect((await readdir(join(data, "snapshots"))).filter((name) => name.startsWith("2-"))).toHaveLength(1);
    expect(await verifyFolder(data)).toMatchObject({ isIntact: true, notes: [] });
  });

  test("ends before the environment is closed under it, and leaves nothing when it fails", async () => {
    const environment = await sampleFolder(data);
    await mkdir(join(base, "full"));
    await writeFile(join(base, "full", "mine"), "");
    await expect(environment.backup(join(base, "full"))).rejects.toMatchObject({ code: "STORAGE_TARGET_NOT_EMPTY" });
    const backup = environment.backup(out);
    await environment.close();
    await backup;
    expect(await verifyFolder(out)).toMatchObject({ isIntact: true });
    await expect(environment.backup(join(base, "late"))).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
  });
});

describe("a node that is left of its cluster", () => {
  test("tells what would be done, does it for every group, and the same again does no harm", async () => {
    await crashedFolder();
    const before = await readFile(join(data, "data.mdb"));
    const plan = await planRecovery(data, NEW);
    expect(plan.groups).toMatchObject(
      SAMPLE_GROUPS.map((group) => ({ group, kind: "recovered", removed: [2, 3], lastTerm: 1, term: 2 })),
    );
    expect((await readFile(join(data, "data.mdb"))).equals(before)).toBe(true);
    expect(await recoverFolder(data, NEW)).toEqual(plan);
    const again = await recoverFolder(data, NEW);
    expect(again.groups).toMatchObject(SAMPLE_GROUPS.map((group) => ({ group, kind: "alone" })));
    expect(again.identity.clusterId).toBe("sample-2");
    expect(await verifyFolder(data)).toMatchObject({ isIntact: true });
  });

  test("is not recovered while it runs, or with anything that it needs damaged", async () => {
    const environment = await sampleFolder(data);
    await expect(recoverFolder(data, NEW)).rejects.toMatchObject({ code: "STORAGE_LOCKED" });
    await environment.close();
    await damage(join(data, "snapshots", "1-1.snapshot"));
    await rm(join(data, "snapshots", "7-1.snapshot"));
    await expect(recoverFolder(data, NEW)).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
    expect((await inspectFolder(data)).identity?.clusterId).toBe("sample-1");
  });
});
