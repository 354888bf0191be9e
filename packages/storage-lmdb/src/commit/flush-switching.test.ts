// @module-tag slow

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotMetadata } from "@raftoral/raft-core";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "../testing/entries.ts";
import { FlushPace } from "./flush-pace.ts";

const CONF_STATE = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

/** The same numbers for the same seed (mulberry32). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(path, { recursive: true, force: true });
});

/** Reads all of a snapshot, leaving the event loop to others now and then. */
async function expectContent(storage: GroupStorage, metadata: SnapshotMetadata, size: number, fill: number) {
  let bytes = 0;
  for await (const chunk of storage.openSnapshot(metadata)) {
    expect([chunk[0], chunk.at(-1)]).toEqual([fill, fill]);
    bytes += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(bytes).toBe(size);
}

/** Writes, receives and takes snapshots as a group does, and reads each back while the next ones come. */
async function work(storage: GroupStorage, below: (bound: number) => number, rounds: number): Promise<void> {
  const readers: Promise<void>[] = [];
  for (let round = 0; round < rounds; round++) {
    const next = storage.lastIndex() + 1;
    const entries = testEntries(next, next + 1 + below(20), 1, 64 + below(2000));
    const written = storage.write({ hardState: { term: 1, vote: 1, commit: next - 1 }, entries });
    if (below(2) === 0) await written;
    const reset = below(3) > 0;
    const index = storage.lastIndex() + (reset ? 1 + below(30) : 0);
    const metadata = { confState: CONF_STATE, index, term: 1 };
    let size = 0;
    // The same place several times: sent again, given up half-way, given up when it was complete.
    for (let attempts = 1 + below(3); attempts > 0; attempts--) {
      const sink = await storage.createSnapshot(metadata);
      size = 1 + below(below(4) === 0 ? 700_000 : 2_000);
      for (let left = size; left > 0; left -= 65_536) {
        await sink.write(new Uint8Array(Math.min(left, 65_536)).fill(attempts + (round % 200)));
      }
      if (attempts > 1 && below(3) === 0) {
        await sink.abort();
        continue;
      }
      await sink.finish();
      if (attempts > 1 && below(3) === 0) await sink.abort();
    }
    const hardState = { term: 1, vote: 1, commit: index };
    const compactTo = reset ? {} : { compactTo: Math.max(storage.firstIndex(), index - 3) };
    const installed = storage.write({ hardState, snapshot: { metadata, reset }, ...compactTo });
    if (below(2) === 0) await installed;
    const reader = expectContent(storage, metadata, size, 1 + (round % 200));
    if (below(2) === 0) await reader;
    else readers.push(reader);
    await installed;
    const found = storage.entries(storage.firstIndex(), storage.lastIndex() + 1, Number.MAX_SAFE_INTEGER);
    expect(found).toHaveLength(storage.lastIndex() + 1 - storage.firstIndex());
  }
  await Promise.all(readers);
}

describe("commits that go back and forth between blocking and background", () => {
  test.each([1, 2, 3])("show everything that was acknowledged to who reads next (seed %i)", async (seed) => {
    const below = numbers(seed);
    let background = 0;
    let asked = 0;
    vi.spyOn(FlushPace.prototype, "current", "get").mockImplementation(() => {
      asked++;
      if (below(2) === 0) return "blocking";
      background++;
      return "background";
    });
    for (let opening = 0; opening < 3; opening++) {
      const environment = await LmdbEnvironment.open({ path, cacheBytesPerGroup: opening * 1000 });
      const groups = await Promise.all([1, 2, 3].map((group) => environment.group(group)));
      await Promise.all(groups.map((group) => work(group, below, 15)));
      await environment.close();
    }
    expect(background).toBeGreaterThan(50);
    expect(asked - background).toBeGreaterThan(50);
  });

  test.each(["blocking", "background"] as const)(
    "fail for who comes after the end, and crash nothing (%s)",
    async (flush) => {
      const environment = await LmdbEnvironment.open({ path, flush, cacheBytesPerGroup: 0 });
      const storage = await environment.group(1);
      await storage.write({ entries: testEntries(1, 11, 1) });
      const metadata = { confState: CONF_STATE, index: 10, term: 1 };
      const sink = await storage.createSnapshot(metadata);
      for (let piece = 0; piece < 3; piece++) await sink.write(new Uint8Array(300_000));
      await sink.finish();
      await storage.write({ snapshot: { metadata, reset: false } });
      const reader = storage.openSnapshot(metadata)[Symbol.asyncIterator]();
      await reader.next();
      const spooling = await storage.createSnapshot({ ...metadata, index: 11 });
      const last = storage.write({ entries: testEntries(11, 12, 1) });
      // In the middle of a commit, with a reader and a spool open.
      const closed = environment.close();
      const late = spooling.write(new Uint8Array(600_000));
      await last;
      await closed;
      await late.catch(() => {});
      await expect(reader.next()).rejects.toThrow();
      await expect(spooling.write(new Uint8Array(600_000))).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
      await expect(storage.write({ entries: testEntries(12, 13, 1) })).rejects.toMatchObject({
        code: "STORAGE_CLOSED",
      });
      expect(() => storage.entries(1, 5, 1000)).toThrow();
      const again = await LmdbEnvironment.open({ path });
      expect((await again.group(1)).lastIndex()).toBe(11);
      await again.close();
    },
  );
});
