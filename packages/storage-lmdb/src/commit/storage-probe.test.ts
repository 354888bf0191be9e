import { mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LmdbEnvironment, type LmdbEnvironmentOptions } from "../lmdb-environment.ts";
import { testEntries } from "../testing/entries.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

describe("what a data folder measures", () => {
  for (const flush of ["blocking", "background"] satisfies LmdbEnvironmentOptions["flush"][]) {
    test(`each ${flush} flush once, with the time it took`, async () => {
      const environment = await LmdbEnvironment.open({ path, flush });
      const group = await environment.group(1);
      const before = environment.rounds;
      const took: number[] = [];
      environment.measure({ flushed: (tookMs) => took.push(tookMs) });
      const startedMs = performance.now();
      for (let index = 1; index <= 5; index++) await group.write({ entries: testEntries(index, index + 1, 1) });
      const totalMs = performance.now() - startedMs;
      expect(took).toHaveLength(5);
      expect(environment.rounds - before).toBe(5);
      expect(Math.min(...took)).toBeGreaterThan(0);
      expect(took.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(totalMs);
      await environment.close();
    });
  }

  test("the room that it takes, without the holes in its files, and the room that is left", async () => {
    const environment = await LmdbEnvironment.open({ path });
    const empty = await environment.usage();
    const file = await open(join(path, "of another"), "w");
    await file.write(Buffer.alloc(1024 * 1024, 7));
    // A hole of a gigabyte at the end.
    await file.truncate(1024 ** 3);
    await file.datasync();
    await file.close();
    const { usedBytes, freeBytes } = await environment.usage();
    expect(usedBytes - empty.usedBytes).toBeGreaterThanOrEqual(1024 * 1024);
    expect(usedBytes - empty.usedBytes).toBeLessThan(16 * 1024 * 1024);
    const { bsize, blocks } = await statfs(path);
    expect(freeBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeLessThanOrEqual(bsize * blocks);
    await environment.close();
  });
});
