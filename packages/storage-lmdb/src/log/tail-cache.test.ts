import { entrySize } from "@raftoral/raft-core/storage";
import { describe, expect, test } from "vitest";
import { testEntries, testEntry } from "../testing/entries.ts";
import { TailCache } from "./tail-cache.ts";

function filled(maxBytes: number, count: number): TailCache {
  const cache = new TailCache(maxBytes);
  for (const entry of testEntries(1, count + 1, 1)) cache.append(entry);
  return cache;
}

describe("TailCache", () => {
  test("shrinks to its limit from the oldest on, but keeps what is not durable (C2)", () => {
    const size = entrySize(testEntry(5, 1));
    const cache = filled(3 * size, 10);
    cache.evict(4);
    expect([cache.firstIndex, cache.length]).toEqual([4, 7]);
    cache.evict(11);
    expect([cache.firstIndex, cache.length]).toEqual([8, 3]);
    expect(cache.get(7)).toBeUndefined();
    expect(cache.get(8)).toEqual(testEntry(8, 1));
    expect(cache.get(11)).toBeUndefined();
  });

  test("replaces a suffix, also one that reaches before its beginning", () => {
    const cache = filled(1e6, 10);
    cache.dropBefore(5);
    cache.truncateFrom(8);
    cache.append(testEntry(8, 2));
    expect([cache.get(7)?.term, cache.get(8)?.term, cache.get(9)]).toEqual([1, 2, undefined]);
    cache.truncateFrom(3);
    cache.append(testEntry(3, 3));
    expect([cache.firstIndex, cache.length, cache.get(3)?.term]).toEqual([3, 1, 3]);
  });

  test("refuses a gap (C1)", () => {
    const cache = filled(1e6, 3);
    expect(() => cache.append(testEntry(5, 1))).toThrow(/gap/);
  });

  test("finds every entry while thousands pass through", () => {
    const size = entrySize(testEntry(1, 1));
    const cache = new TailCache(50 * size);
    for (let index = 1; index <= 10_000; index++) {
      cache.append(testEntry(index, 1));
      cache.evict(index + 1);
      expect(cache.get(cache.firstIndex)?.index).toBe(cache.firstIndex);
      expect(cache.get(index)?.index).toBe(index);
    }
    expect(cache.length).toBeLessThanOrEqual(50);
  });
});
