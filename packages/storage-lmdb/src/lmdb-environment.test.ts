// @module-tag slow

import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FORMAT_KEY } from "./format/keys.ts";
import { encodeFormat } from "./format/records.ts";
import { LmdbEnvironment } from "./lmdb-environment.ts";
import { killWriters, startWriter } from "./testing/child.ts";
import { testEntries } from "./testing/entries.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
});
afterEach(async () => {
  await killWriters();
  await rm(path, { recursive: true, force: true });
});

describe("identity of a data folder", () => {
  test("is unknown at first, set once, and found again", async () => {
    const first = await LmdbEnvironment.open({ path, nodeId: 7, clusterId: "blue" });
    expect(first.identity()).toBeUndefined();
    await first.setIdentity({ clusterId: "blue", nodeId: 7 });
    await first.setIdentity({ clusterId: "blue", nodeId: 7 });
    await expect(first.setIdentity({ clusterId: "red", nodeId: 7 })).rejects.toMatchObject({
      code: "STORAGE_IDENTITY_MISMATCH",
    });
    await first.close();
    const second = await LmdbEnvironment.open({ path, nodeId: 7, clusterId: "blue" });
    expect(second.identity()).toEqual({ clusterId: "blue", nodeId: 7 });
    await second.close();
  });

  test("is checked against the expected node and cluster, and a refused opening changes nothing", async () => {
    const first = await LmdbEnvironment.open({ path });
    await first.setIdentity({ clusterId: "blue", nodeId: 7 });
    await first.close();
    for (const expected of [{ nodeId: 8 }, { clusterId: "red" }, { nodeId: 8, clusterId: "blue" }]) {
      await expect(LmdbEnvironment.open({ path, ...expected })).rejects.toMatchObject({
        code: "STORAGE_IDENTITY_MISMATCH",
        message: expect.stringContaining("belongs to node 7 of cluster blue"),
      });
    }
    const again = await LmdbEnvironment.open({ path, nodeId: 7 });
    expect(again.incarnation).toBe(2);
    await again.close();
  });

  test("counts openings, also those that ended in a kill", async () => {
    const writer = startWriter([path]);
    await writer.until(() => writer.lines.length > 0);
    writer.process.kill("SIGKILL");
    await writer.ended;
    const environment = await LmdbEnvironment.open({ path });
    expect(environment.incarnation).toBe(2);
    await environment.close();
  });
});

describe("lock of a data folder", () => {
  test("refuses a second opening in the same process", async () => {
    const first = await LmdbEnvironment.open({ path });
    await expect(LmdbEnvironment.open({ path: join(path, ".") })).rejects.toMatchObject({
      code: "STORAGE_LOCKED",
      details: { pid: process.pid },
    });
    // The refused attempt must not have loosened the first one's hold.
    const writer = startWriter([path]);
    expect(await writer.ended).not.toBe(0);
    await first.close();
    await (await LmdbEnvironment.open({ path })).close();
  });

  test("refuses a folder that another process holds, running or stopped, and names it", async () => {
    const writer = startWriter([path]);
    await writer.until(() => writer.acknowledged.length > 0);
    const refusal = { code: "STORAGE_LOCKED", details: { pid: writer.process.pid } };
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject(refusal);
    writer.process.kill("SIGSTOP");
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject(refusal);
    writer.process.kill("SIGKILL");
    await writer.ended;
  });

  test("is free at once after its holder was killed", async () => {
    const writer = startWriter([path]);
    await writer.until(() => writer.acknowledged.length > 0);
    writer.process.kill("SIGKILL");
    await writer.ended;
    const environment = await LmdbEnvironment.open({ path });
    const storage = await environment.group(1);
    await storage.write({ entries: testEntries(storage.lastIndex() + 1, storage.lastIndex() + 2, 9) });
    await environment.close();
  });
});

describe("opening", () => {
  test("refuses a newer format, naming both versions", async () => {
    await (await LmdbEnvironment.open({ path })).close();
    const root = open({ path, noSubdir: false, overlappingSync: false });
    const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
    database.putSync(FORMAT_KEY, encodeFormat(FORMAT_KEY, 3));
    await root.close();
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({
      code: "STORAGE_FORMAT_UNSUPPORTED",
      message: expect.stringMatching(/format 3.*reads 2/),
    });
  });

  test("creates folders on the way", async () => {
    const deep = join(path, "a", "b", "c");
    await (await LmdbEnvironment.open({ path: deep })).close();
    await (await LmdbEnvironment.open({ path: deep })).close();
  });

  test.runIf(process.platform === "linux")("refuses a path where nothing can be created", async () => {
    const opening = LmdbEnvironment.open({ path: "/proc/raftoral/1" });
    await expect(opening).rejects.toMatchObject({ code: "STORAGE_PATH_INVALID" });
  });

  test("refuses a path that is a file, and a database file that is none", async () => {
    const file = join(path, "file");
    await writeFile(file, "x");
    await expect(LmdbEnvironment.open({ path: file })).rejects.toMatchObject({ code: "STORAGE_PATH_INVALID" });
    const cases = [
      [Buffer.alloc(16_384, 0x55), /meta page 0 is not LMDB's/],
      [Buffer.alloc(10, 0x55), /ends within meta page 0/],
    ] as const;
    for (const [at, [content, message]] of cases.entries()) {
      const folder = join(path, `folder-${at}`);
      await mkdir(folder);
      await writeFile(join(folder, "data.mdb"), content);
      const refusal = { code: "STORAGE_CORRUPT", message: expect.stringMatching(message) };
      await expect(LmdbEnvironment.open({ path: folder })).rejects.toMatchObject(refusal);
    }
  });

  test("refuses a database file that was cut short", async () => {
    const environment = await LmdbEnvironment.open({ path });
    const storage = await environment.group(1);
    for (let next = 1; next < 2000; next += 100) await storage.write({ entries: testEntries(next, next + 100, 1) });
    await environment.close();
    await truncate(join(path, "data.mdb"), 12_288);
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({
      code: "STORAGE_CORRUPT",
      message: expect.stringMatching(/cut short/),
    });
  });

  test("makes a new lock table where a power cut left an unusable one", async () => {
    await (await LmdbEnvironment.open({ path })).close();
    await writeFile(join(path, "owner", "data.mdb"), Buffer.alloc(8192));
    const environment = await LmdbEnvironment.open({ path });
    await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({ code: "STORAGE_LOCKED" });
    await environment.close();
  });

  test("takes a folder whose name looks like a file's", async () => {
    const environment = await LmdbEnvironment.open({ path: join(path, "node-1.data") });
    await environment.close();
    expect((await LmdbEnvironment.open({ path: join(path, "node-1.data") })).incarnation).toBe(2);
  });

  test("refuses groups and writes after it was closed", async () => {
    const environment = await LmdbEnvironment.open({ path });
    const storage = await environment.group(1);
    const last = storage.write({ entries: testEntries(1, 3, 1) });
    await environment.close();
    await environment.close();
    await last;
    await expect(environment.group(2)).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
    await expect(storage.write({ entries: testEntries(3, 4, 1) })).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
  });

  test("opens a group once at a time", async () => {
    const environment = await LmdbEnvironment.open({ path });
    const storage = await environment.group(1);
    expect(() => environment.group(1)).toThrow(/open already/);
    await storage.close();
    await (await environment.group(1)).close();
    await environment.close();
  });
});
