/**
 * State in memory: for groups that need not outlive their process, for tests and simulations.
 *
 * It keeps K1-K4 of ports/state-store.ts. With `isDurable`, durable means "kept in this object": `reopen` returns the state that a crash would leave.
 *
 * M1. Without a view, changes go into the table. While a view is open, the table does not change: changes go into layers above it, and the layers
 *     go into the table when the last view closes.
 */

import { invariant } from "../errors.ts";
import { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "../ports/state-reader.ts";
import type { StateReplacement, StateStore, StateView } from "../ports/state-store.ts";
import { OrderedRecords } from "../records/ordered-records.ts";
import { checkStateKey, RecordLayers } from "../records/record-layers.ts";
import { RecordView } from "../records/record-view.ts";
import type { LogIndex } from "../types.ts";

class Table extends OrderedRecords<Uint8Array> implements StateReader {
  *scan(start: StateKey, end: StateKey): Generator<StateRecord> {
    for (const cursor = this.cursor(start, end); cursor.key !== undefined; cursor.next()) {
      yield [cursor.key, cursor.value as Uint8Array];
    }
  }

  *scanBack(start: StateKey, end: StateKey): Generator<StateRecord> {
    for (const cursor = this.cursorBack(start, end); cursor.key !== undefined; cursor.next()) {
      yield [cursor.key, cursor.value as Uint8Array];
    }
  }

  copy(): Table {
    const copy = new Table();
    for (const [key, value] of this.entries()) copy.set(key, value);
    return copy;
  }
}

interface Persisted {
  readonly table: Table;
  readonly index: LogIndex;
}

/** Options of a {@link MemoryStateStore}. */
export interface MemoryStateStoreOptions {
  /** Whether `persist` keeps a copy for {@link MemoryStateStore.reopen}; for tests (false). */
  readonly isDurable?: boolean;
}

/** A {@link StateStore} in memory. */
export class MemoryStateStore implements StateStore {
  readonly isDurable: boolean;
  readonly drained = undefined;
  #table: Table;
  #layers: RecordLayers;
  #views = new Set<RecordView>();
  #appliedIndex: LogIndex;
  #isCommitted = true;
  #persisted: Persisted;
  #isReplacing = false;

  constructor(options: MemoryStateStoreOptions = {}, contents: Persisted = { table: new Table(), index: 0 }) {
    this.isDurable = options.isDurable ?? false;
    this.#persisted = contents;
    this.#table = this.isDurable ? contents.table.copy() : contents.table;
    this.#layers = new RecordLayers(this.#table);
    this.#appliedIndex = contents.index;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get durableIndex(): LogIndex {
    return this.#persisted.index;
  }

  /** Number of records, while no view is open. */
  get size(): number {
    return this.#table.size;
  }

  get(key: StateKey): Uint8Array | undefined {
    return this.#views.size === 0 ? this.#table.get(key) : this.#layers.get(key);
  }

  scan(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return this.#views.size === 0 ? this.#table.scan(start, end) : this.#layers.scan(start, end);
  }

  scanBack(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return this.#views.size === 0 ? this.#table.scanBack(start, end) : this.#layers.scanBack(start, end);
  }

  put(key: StateKey, value: Uint8Array): void {
    this.#isCommitted = false;
    if (this.#views.size > 0) {
      this.#layers.put(key, value);
      return;
    }
    checkStateKey(key);
    this.#table.set(key, value);
  }

  insert(key: StateKey, value: Uint8Array): void {
    if (this.#views.size === 0) {
      this.put(key, value);
      return;
    }
    this.#isCommitted = false;
    this.#layers.insert(key, value);
  }

  delete(key: StateKey): void {
    this.#isCommitted = false;
    if (this.#views.size > 0) {
      this.#layers.delete(key);
      return;
    }
    checkStateKey(key);
    this.#table.delete(key);
  }

  commit(index: LogIndex): void {
    invariant(index >= this.#appliedIndex, () => `a commit at ${index} came after one at ${this.#appliedIndex}`);
    this.#appliedIndex = index;
    this.#isCommitted = true;
  }

  view(): StateView {
    invariant(this.#isCommitted, "a view was asked for between a put and its commit");
    const view = new RecordView(this.#layers.over(this.#table), this.#appliedIndex, () => this.#closed(view));
    this.#views.add(view);
    return view;
  }

  async persist(): Promise<LogIndex> {
    const index = this.#appliedIndex;
    if (this.isDurable) {
      invariant(this.#isCommitted, "state was to be persisted between a put and its commit");
      const view = this.view();
      const table = new Table();
      for (const [key, value] of view.scan(FIRST_KEY, BEYOND_LAST_KEY)) table.set(key, value);
      view.close();
      this.#persisted = { table, index };
    }
    return index;
  }

  replace(): StateReplacement {
    invariant(!this.#isReplacing, "one replacement of state at a time");
    this.#isReplacing = true;
    const table = new Table();
    const end = (): void => {
      this.#isReplacing = false;
    };
    return {
      drained: undefined,
      get: (key) => table.get(key),
      put: (key, value) => {
        checkStateKey(key);
        table.set(key, value);
      },
      finish: async (index) => {
        end();
        // Open views keep the table and the layers that they have.
        for (const view of this.#views) view.detach();
        this.#views.clear();
        this.#table = table;
        this.#layers = new RecordLayers(table);
        this.#appliedIndex = index;
        this.#isCommitted = true;
        if (this.isDurable) await this.persist();
      },
      abort: async () => end(),
    };
  }

  async close(): Promise<void> {
    for (const view of this.#views) view.close();
  }

  /** The store that a process finds when it is started after a crash: the persisted state, or an empty store. */
  reopen(): MemoryStateStore {
    if (!this.isDurable) return new MemoryStateStore();
    return new MemoryStateStore({ isDurable: true }, this.#persisted);
  }

  /** Moves the layers into the table when the last view has closed (M1). */
  #closed(view: RecordView): void {
    if (!this.#views.delete(view) || this.#views.size > 0) return;
    for (const layer of [...this.#layers.freeze()]) {
      for (const [key, value] of layer.entries()) {
        if (value === null) this.#table.delete(key);
        else this.#table.set(key, value);
      }
    }
    this.#layers.clear();
  }
}

const FIRST_KEY = "\u0000";
const BEYOND_LAST_KEY = "\u00ff".repeat(MAX_STATE_KEY_BYTES + 1);
