import { describe, expect, test } from "vitest";
import { stateStoreConformance } from "../testing/conformance/state-store-conformance.ts";
import type { StateStoreSubject } from "../testing/conformance/state-store-subject.ts";
import { MemoryStateStore } from "./memory-state-store.ts";

function subject(): StateStoreSubject {
  const stores = new Map<number, MemoryStateStore>();
  let found = new Map<number, MemoryStateStore>();
  return {
    open: async (groupId) => {
      const store = found.get(groupId) ?? new MemoryStateStore({ isDurable: true });
      found.delete(groupId);
      stores.set(groupId, store);
      return store;
    },
    restart: async () => {
      found = new Map([...stores].map(([groupId, store]) => [groupId, store.reopen()]));
    },
    dispose: async () => {
      for (const store of stores.values()) await store.close();
    },
  };
}

stateStoreConformance("MemoryStateStore", subject, { describe, test });

describe("state in memory", () => {
  test("that is not durable is empty when it is opened again", async () => {
    const store = new MemoryStateStore();
    store.put("a", Uint8Array.of(1));
    store.commit(4);
    expect([await store.persist(), store.isDurable, store.durableIndex]).toEqual([4, false, 0]);
    expect(store.reopen().appliedIndex).toBe(0);
  });

  test("forgets deleted keys, whether or not they were put in order before", () => {
    const store = new MemoryStateStore();
    for (let i = 0; i < 20_000; i++) {
      store.put(String(i), Uint8Array.of(1));
      if (i % 1_000 === 0) expect([...store.scan("0", "1")].length).toBeLessThan(2);
      store.delete(String(i - 10));
    }
    store.commit(1);
    expect(store.size).toBe(10);
    expect([...store.scan("0", "a")].map(([key]) => key)).toEqual(
      Array.from({ length: 10 }, (_, i) => String(19_990 + i)),
    );
  });

  test("refuses a view between a put and its commit, and one that is read after it was closed", () => {
    const store = new MemoryStateStore();
    store.put("a", Uint8Array.of(1));
    expect(() => store.view()).toThrow("between a put and its commit");
    store.commit(1);
    const view = store.view();
    const walk = view.scan("a", "b")[Symbol.iterator]();
    walk.next();
    view.close();
    expect(() => view.get("a")).toThrow("after it was closed");
    expect(() => walk.next()).toThrow("after it was closed");
  });

  test("refuses keys without bytes and with too many", () => {
    const store = new MemoryStateStore();
    expect(() => store.put("", Uint8Array.of(1))).toThrow("1 to 1900 bytes");
    expect(() => store.delete("x".repeat(1_901))).toThrow("1 to 1900 bytes");
  });
});
