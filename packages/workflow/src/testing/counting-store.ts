/** A store that counts what is asked of it. */
import {
  type LogIndex,
  MemoryStateStore,
  type StateKey,
  type StateRecord,
  type StateReplacement,
  type StateStore,
  type StateView,
} from "@raftoral/raft-core";

/** A store in memory that counts the records it reads, walks over, writes and deletes. */
export class CountingStore implements StateStore {
  readonly #store = new MemoryStateStore();
  readonly isDurable = false;
  readonly drained = undefined;
  /** Records read one by one or walked over, written and deleted since {@link reset}. */
  touched = 0;

  get appliedIndex(): LogIndex {
    return this.#store.appliedIndex;
  }

  get durableIndex(): LogIndex {
    return this.#store.durableIndex;
  }

  /** Records in it. */
  get size(): number {
    return this.#store.size;
  }

  reset(): void {
    this.touched = 0;
  }

  get(key: StateKey): Uint8Array | undefined {
    this.touched += 1;
    return this.#store.get(key);
  }

  *scan(start: StateKey, end: StateKey): Generator<StateRecord> {
    this.touched += 1;
    for (const record of this.#store.scan(start, end)) {
      this.touched += 1;
      yield record;
    }
  }

  *scanBack(start: StateKey, end: StateKey): Generator<StateRecord> {
    this.touched += 1;
    for (const record of this.#store.scanBack(start, end)) {
      this.touched += 1;
      yield record;
    }
  }

  put(key: StateKey, value: Uint8Array): void {
    this.touched += 1;
    this.#store.put(key, value);
  }

  insert(key: StateKey, value: Uint8Array): void {
    this.touched += 1;
    this.#store.insert(key, value);
  }

  delete(key: StateKey): void {
    this.touched += 1;
    this.#store.delete(key);
  }

  commit(index: LogIndex): void {
    this.#store.commit(index);
  }

  view(): StateView {
    return this.#store.view();
  }

  persist(): Promise<LogIndex> {
    return this.#store.persist();
  }

  replace(): StateReplacement {
    return this.#store.replace();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
