/** A store of workflows' state that counts the records of histories that are read of it. */
import { MemoryStateStore, type StateKey } from "@raftoral/raft-core";
import { MemoryNodeStorage } from "../node/storage/node-storage.ts";

/** Prefixes of keys of records and of archives (`state-keys.ts` of the workflow package). */
const HISTORY = /^[ca]/;

/** A state store in memory. `reads` counts the records of histories that were read, by key or in a walk. */
export class CountingStore extends MemoryStateStore {
  reads = 0;

  override get(key: StateKey): Uint8Array | undefined {
    if (HISTORY.test(key)) this.reads += 1;
    return super.get(key);
  }

  override *scan(start: StateKey, end: StateKey): Generator<readonly [StateKey, Uint8Array]> {
    for (const entry of super.scan(start, end)) {
      if (HISTORY.test(entry[0])) this.reads += 1;
      yield entry;
    }
  }
}

/** A node's storage in memory, with a {@link CountingStore}. */
export class CountingStorage extends MemoryNodeStorage {
  readonly store = new CountingStore();

  state(): CountingStore {
    return this.store;
  }
}
