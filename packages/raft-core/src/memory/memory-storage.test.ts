import { describe, expect, test } from "vitest";
import { storageConformance } from "../testing/conformance/storage-conformance.ts";
import { testEntries, testMetadata } from "../testing/conformance/storage-subject.ts";
import { EMPTY_BYTES } from "../types.ts";
import { MemoryStorage } from "./memory-storage.ts";

storageConformance(
  "MemoryStorage",
  () => {
    const groups = new Map<number, MemoryStorage>();
    return {
      open: async (groupId) => {
        const storage = groups.get(groupId) ?? new MemoryStorage();
        groups.set(groupId, storage);
        return storage;
      },
      restart: async () => {
        for (const [groupId, storage] of groups) groups.set(groupId, storage.reopen());
      },
      failNextWrite: () => {
        for (const storage of groups.values()) storage.poison(new Error("injected"));
      },
      dispose: async () => groups.clear(),
    };
  },
  { describe, test },
);

describe("MemoryStorage", () => {
  test("starts from a given state", () => {
    const storage = new MemoryStorage({
      hardState: { term: 3, vote: 1, commit: 6 },
      snapshot: { metadata: testMetadata(5, 2), data: new Uint8Array([1]) },
      entries: testEntries(6, 9, 3),
    });
    expect(storage.initialState().hardState.commit).toBe(6);
    expect([storage.firstIndex(), storage.lastIndex(), storage.term(5), storage.term(8)]).toEqual([6, 8, 2, 3]);
    expect(storage.snapshot()).toEqual({ metadata: testMetadata(5, 2), data: new Uint8Array([1]) });
  });

  test("refuses entries that do not join what comes before them", () => {
    expect(() => new MemoryStorage({ entries: testEntries(3, 5, 1) })).toThrow(/do not join/);
  });

  test("takes a snapshot with its content in one piece, and streams it", async () => {
    const storage = new MemoryStorage({ entries: testEntries(1, 4, 1) });
    storage.applySnapshot({ metadata: testMetadata(9, 2), data: new Uint8Array([7, 7]) });
    expect([storage.firstIndex(), storage.lastIndex()]).toEqual([10, 9]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.openSnapshot(testMetadata(9, 2))) chunks.push(chunk);
    expect(chunks).toEqual([new Uint8Array([7, 7])]);
  });

  test("serves a configuration without a snapshot", () => {
    const { confState } = testMetadata(0, 0);
    const storage = new MemoryStorage({ confState });
    expect(storage.initialState().confState).toEqual(confState);
    expect(storage.snapshot()).toEqual({ metadata: { confState, index: 0, term: 0 }, data: EMPTY_BYTES });
  });

  test("is not written to after it was closed", async () => {
    const storage = new MemoryStorage();
    await storage.close();
    await expect(storage.write({ entries: testEntries(1, 2, 1) })).rejects.toThrow(/closed/);
  });
});
