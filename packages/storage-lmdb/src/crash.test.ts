// @module-tag slow

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { LmdbEnvironment } from "./lmdb-environment.ts";
import { killWriters, startWriter } from "./testing/child.ts";
import { testEntry } from "./testing/entries.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
});
afterEach(async () => {
  await killWriters();
  await rm(path, { recursive: true, force: true });
});

function skip(context: TestContext, reason: string): void {
  console.log(`skipped: ${context.task.name}: ${reason}`);
  context.skip();
}

/** strace that may trace here; the reason why not otherwise. */
function straceProblem(): string | undefined {
  const probe = spawnSync("strace", ["-e", "trace=none", "true"]);
  if (probe.error !== undefined) return "strace is not installed";
  return probe.status === 0 ? undefined : "strace may not trace here";
}

/** Every acknowledged entry is there, whole; what is there beyond them is whole as well. */
async function expectAcknowledged(last: number): Promise<void> {
  const environment = await LmdbEnvironment.open({ path });
  const storage = await environment.group(1);
  expect(storage.lastIndex()).toBeGreaterThanOrEqual(last);
  for (let index = storage.firstIndex(); index <= storage.lastIndex(); index++) {
    const found = storage.entries(index, index + 1, 0);
    const term = storage.term(index) as number;
    expect(found).toEqual([testEntry(index, term)]);
  }
  await environment.close();
}

describe("a killed writer", () => {
  test("has lost nothing that it had acknowledged, wherever the kill fell", { timeout: 60_000 }, async () => {
    let acknowledged = 0;
    for (let round = 0; round < 8; round++) {
      // A small journal: the kill may fall into a checkpoint as well.
      const writer = startWriter([path, "0", "3", "auto", "65536"]);
      const target = 10 + round * 11;
      await writer.until(() => writer.acknowledged.length >= target);
      // Somewhere inside the writes that follow, not at the moment a line came in.
      await after(Math.random() * 5);
      writer.process.kill("SIGKILL");
      expect(await writer.ended).toBe("SIGKILL");
      const last = writer.acknowledged[writer.acknowledged.length - 1] as number;
      expect(last).toBeGreaterThan(acknowledged);
      acknowledged = last;
      await expectAcknowledged(acknowledged);
    }
  });
});

describe("flushing, as the kernel sees it", () => {
  test.each(["blocking", "background"])("flushes the journal once before each acknowledgement (%s)", async (flush) => {
    const problem = straceProblem();
    if (problem !== undefined) return console.log(`skipped: flushes counted (${flush}): ${problem}`);
    const trace = join(path, "trace");
    const folder = join(path, "data");
    await mkdir(folder);
    const calls = "trace=fdatasync,fsync,msync,pwrite64,write";
    const writer = startWriter([folder, "20", "4", flush], ["strace", "-f", "-y", "-e", calls, "-o", trace]);
    expect(await writer.ended).toBe(0);
    const lines = (await readFile(trace, "utf8")).split("\n");
    const opened = lines.findIndex((line) => /write\(1<.*"open 0/.test(line));
    let written = 0;
    let flushed = 0;
    let acknowledged = 0;
    for (const line of lines.slice(opened)) {
      if (/pwrite64\(\d+<[^>]*\/data\/journal-\d>/.test(line)) written++;
      // A call of another thread may be split into its beginning and its end: what counts is the end.
      if (/fdatasync.*(journal-\d>\)|resumed>\)) *= 0/.test(line) && !/data\.mdb/.test(line)) flushed++;
      if (/write\(1<.*"\d+\\n"/.test(line)) {
        acknowledged++;
        expect([written, flushed], `a write and a flush for each line before: ${line}`).toEqual([
          acknowledged,
          acknowledged,
        ]);
      }
    }
    expect(acknowledged).toBe(20);
  });

  test("costs one flush for all that many groups write in one turn", async () => {
    const environment = await LmdbEnvironment.open({ path });
    const groups = await Promise.all(Array.from({ length: 50 }, (_, at) => environment.group(at + 1)));
    const before = [environment.rounds, environment.transactions];
    await Promise.all(groups.map((group) => group.write({ entries: [testEntry(1, 1)] })));
    expect([environment.rounds, environment.transactions]).toEqual([(before[0] as number) + 1, before[1]]);
    await environment.close();
  });

  test.each(["blocking", "background"])("refuses to go on after a flush that the kernel failed (%s)", async (flush) => {
    const problem = straceProblem();
    if (problem !== undefined) return console.log(`skipped: failed flushes (${flush}): ${problem}`);
    // The first flushes belong to the opening; one of the later ones fails.
    const inject = "inject=fdatasync:error=EIO:when=12+";
    const writer = startWriter([path, "100", "1", flush], ["strace", "-f", "-o", "/dev/null", "-e", inject]);
    expect(await writer.ended).toBe(3);
    expect(writer.lines.at(-1)).toBe("failed STORAGE_WRITE_FAILED");
    expect(writer.acknowledged.length).toBeGreaterThan(0);
    await expectAcknowledged(writer.acknowledged.at(-1) as number);
  });
});

describe("a full disk", () => {
  test("fails the write with STORAGE_FULL, and the storage is intact once there is room", async (context) => {
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=5m", "tmpfs", path]);
    if (mount.status !== 0) return skip(context, "a size-limited file system cannot be mounted here");
    try {
      const writer = startWriter([path, "100", "2000"]);
      expect(await writer.ended).toBe(3);
      expect(writer.lines.at(-1)).toBe("failed STORAGE_FULL");
      const last = writer.acknowledged.at(-1) as number;
      expect(last).toBeGreaterThan(0);
      // The journal had its room before: what it took could be acknowledged; now LMDB needs some to take it over.
      await expect(LmdbEnvironment.open({ path })).rejects.toMatchObject({ code: "STORAGE_FULL" });
      expect(spawnSync("mount", ["-o", "remount,size=32m", path]).status).toBe(0);
      await expectAcknowledged(last);
    } finally {
      spawnSync("umount", [path]);
    }
  });

  test.each(["blocking", "background"] as const)("is told apart from other failures (%s)", async (flush) => {
    let failing = false;
    const beforeCommit = () => {
      if (failing) throw Object.assign(new Error("No space left on device"), { code: 28 });
    };
    const environment = await LmdbEnvironment.open({ path, flush, beforeCommit });
    const storage = await environment.group(1);
    const other = await environment.group(2);
    await storage.write({ entries: [testEntry(1, 1)] });
    failing = true;
    await expect(storage.write({ entries: [testEntry(2, 1)] })).rejects.toMatchObject({ code: "STORAGE_FULL" });
    failing = false;
    // Not even another group may write: what the environment holds is unknown now (storage.ts S5).
    await expect(other.write({ entries: [testEntry(1, 1)] })).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await environment.close();
    await expectAcknowledged(1);
  });

  test("stops the writers also when it is a checkpoint that finds no room; what was acknowledged is in the journal", async () => {
    let failing = false;
    const beforeCheckpoint = () => {
      if (failing) throw Object.assign(new Error("No space left on device"), { code: 28 });
    };
    const environment = await LmdbEnvironment.open({ path, beforeCheckpoint });
    const storage = await environment.group(1);
    failing = true;
    for (let index = 1; index <= 3; index++) await storage.write({ entries: [testEntry(index, 1)] });
    await expect(environment.checkpoint()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await expect(storage.write({ entries: [testEntry(4, 1)] })).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await expect(environment.checkpoint()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await environment.close();
    await expectAcknowledged(3);
  });
});
