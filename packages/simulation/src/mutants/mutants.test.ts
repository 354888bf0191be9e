// @module-tag slow

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SeedPool, seedPool } from "../command/seed-pool.ts";
import { findFirst } from "./hunt.ts";
import { applyEdit } from "./install.ts";
import { MUTANTS, mutantNamed } from "./mutants.ts";

describe("known bugs", () => {
  test.each(MUTANTS)("$name: its edits still fit the sources", async ({ edits }) => {
    for (const edit of edits) {
      const source = await readFile(new URL(`../../../${edit.file}`, import.meta.url), "utf8");
      expect(applyEdit(source, edit)).not.toBe(source);
    }
  });

  /** Those that a few seeds find: the rest takes `npm run simulate -- --hunt`. */
  test.concurrent.each([
    ["unsorted-progress", "commit-by-quorum"],
    ["unsynced-acknowledged", "durable-before-claimed"],
    ["retry-applied-twice", "applied-once"],
    ["compacted-stalls", "no-progress"],
  ])("%s is found, by %s", { timeout: 120_000 }, async (name, invariant) => {
    const found = await findFirst(mutantNamed(name), {
      start: 1,
      seeds: 20,
      steps: 20_000,
      threads: 1,
      kind: "clusters" as const,
      ignore: [],
    });
    expect(found?.invariant).toBe(invariant);
  });
});

describe("known bugs of the core alone", () => {
  /** Those that bare cores find within one task. */
  test.concurrent.each([
    ["figure-8", "commit-by-quorum"],
    ["campaign-before-change", "one-pending-change"],
    ["auto-leave-lost", "no-progress"],
    ["outgoing-ignored", "commit-by-quorum"],
    ["transfer-wedges", "no-progress"],
  ])("%s is found, by %s", { timeout: 120_000 }, async (name, invariant) => {
    const search = { start: 1, seeds: 200, steps: 0, threads: 1, kind: "cores" as const, ignore: [] };
    expect((await findFirst(mutantNamed(name), search))?.invariant).toBe(invariant);
  });
});

describe("known bugs of the workflow engine", () => {
  /** A sample of those that the fixed set finds: each loads the engine with its bug. All of them take `npm run simulate -- --workflows --hunt`. */
  test.concurrent.each([
    ["settles-after-loss", "lost"],
    ["failed-initial-unrecorded", "replays-same"],
    ["entry-keeps-first-record", "replays-same"],
    ["chunks-twice-after-takeover", "chunks-once"],
    ["undo-stops-at-cancel", "undone-in-order"],
    ["patch-forgets-old-way", "engine-error"],
    ["evicted-without-alarm", "ended"],
    ["record-overtakes", "engine-error"],
  ])("%s is found, by %s", { timeout: 120_000 }, async (name, invariant) => {
    const search = { start: 0, seeds: 1, steps: 0, threads: 1, kind: "programs" as const, ignore: [] };
    expect((await findFirst(mutantNamed(name), search))?.invariant).toBe(invariant);
  });
});

describe("a pool of threads", () => {
  let pool: SeedPool;
  beforeAll(() => {
    pool = seedPool(2);
  });
  afterAll(() => pool.close());

  test("runs without a mutant find nothing, whichever thread they are in", async () => {
    const options = { seed: 1, steps: 5_000 };
    const [a, b] = await Promise.all([pool.run(options), pool.run(options)]);
    expect(a.finding).toBeUndefined();
    expect(b).toEqual(a);
  });
});
