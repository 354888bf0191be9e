// @module-tag slow

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StateStoreSubject, stateStoreConformance } from "@raftoral/raft-core/testing";
import { describe, expect, test } from "vitest";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { LmdbStateStore } from "./lmdb-state-store.ts";

async function subject(bufferBytes: number): Promise<StateStoreSubject> {
  const path = await mkdtemp(join(tmpdir(), "raftoral-state-"));
  let environment = await LmdbEnvironment.open({ path });
  return {
    open: async (groupId) => LmdbStateStore.open(environment, groupId, { bufferBytes }),
    restart: async () => {
      await environment.close();
      environment = await LmdbEnvironment.open({ path });
    },
    dispose: async () => {
      await environment.close().finally(() => rm(path, { recursive: true, force: true }));
    },
  };
}

stateStoreConformance("LmdbStateStore", () => subject(1 << 20), { describe, test });
stateStoreConformance("LmdbStateStore with hardly a buffer", () => subject(2_000), { describe, test });

describe("a state store on LMDB", () => {
  test("makes callers that put wait, once twice the buffer waits for the disk (state-store.ts K4)", async () => {
    const place = await subject(10_000);
    try {
      const store = await place.open(1);
      const put = (index: number): void => {
        store.put(`key-${index}`, new Uint8Array(1_000));
        store.commit(index);
      };
      for (let index = 1; index <= 15; index++) put(index);
      expect(store.drained).toBeUndefined();
      for (let index = 16; index <= 25; index++) put(index);
      const { drained } = store;
      expect(drained).toBeInstanceOf(Promise);
      await drained;
      expect([store.drained, store.durableIndex]).toEqual([undefined, 25]);
    } finally {
      await place.dispose();
    }
  });

  test("refuses a damaged record and a damaged mark, naming the group", async () => {
    const path = await mkdtemp(join(tmpdir(), "raftoral-state-"));
    const environment = await LmdbEnvironment.open({ path });
    try {
      const store = LmdbStateStore.open(environment, 7);
      store.put("key", Uint8Array.of(1, 2, 3));
      store.commit(5);
      await store.persist();
      await store.close();
      for (const { key, value } of environment.records.getRange({ start: Buffer.of(0x40), end: Buffer.of(0x42) })) {
        const damaged = Buffer.from(value);
        damaged[5] = (damaged[5] ?? 0) ^ 1;
        const kept = Buffer.from(value);
        const place = Buffer.from(key);
        await environment.records.put(place, damaged);
        const read = () => LmdbStateStore.open(environment, 7).get("key");
        expect(read).toThrow(expect.objectContaining({ code: "STORAGE_CORRUPT" }));
        expect(read).toThrow("group 7, state");
        await environment.records.put(place, kept);
      }
      expect(LmdbStateStore.open(environment, 7).get("key")).toEqual(Uint8Array.of(1, 2, 3));
    } finally {
      await environment.close().finally(() => rm(path, { recursive: true, force: true }));
    }
  });
});
