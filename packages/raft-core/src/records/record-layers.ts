/**
 * Layers of changes in memory above a base that does not have them yet. Writes go into the top layer; reads search from the
 * top layer down to the base.
 *
 * L1. Only the top layer changes. `freeze` adds a new top layer and hands out the layers below, which never change again: as a view of
 *     the moment, or as changes to be written to the base.
 * L2. A layer is dropped once the base has all of its changes. Until then the layer and the base may both have a change, with the same value.
 * L3. A record that was inserted into the top layer and deleted before the layer was frozen leaves no trace, because no layer below and no base has it.
 */
import { invariant } from "../errors.ts";
import { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "../ports/state-reader.ts";
import { type OrderedCursor, OrderedRecords } from "./ordered-records.ts";

/** Estimated memory of a record besides its value: the key, twice, and the entries of the tables. */
const RECORD_OVERHEAD_BYTES = 128;

/** One layer of changes; `null` stands for a deleted record. Must not be changed. */
export interface RecordLayer {
  /** Estimated memory in bytes. */
  readonly bytes: number;
  /** Number of changed keys. */
  readonly size: number;
  /** All changes, in no particular order. */
  entries(): IterableIterator<[StateKey, Uint8Array | null]>;
}

class Layer extends OrderedRecords<Uint8Array | null> implements RecordLayer {
  bytes = 0;
  /** Keys that no layer below and no base has. */
  readonly #inserted = new Set<StateKey>();

  insert(key: StateKey, value: Uint8Array): void {
    // A deleted record in this layer may hide a record below.
    if (this.get(key) === undefined) this.#inserted.add(key);
    this.change(key, value);
  }

  remove(key: StateKey): void {
    if (!this.#inserted.delete(key)) {
      this.change(key, null);
      return;
    }
    this.bytes -= (this.get(key)?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    this.delete(key);
  }

  change(key: StateKey, value: Uint8Array | null): void {
    const before = this.get(key);
    this.set(key, value);
    this.bytes += (value?.length ?? 0) - (before?.length ?? 0) + (before === undefined ? RECORD_OVERHEAD_BYTES : 0);
  }
}

/** A base with layers of changes above it. Writes throw InvariantViolation for keys that are too long or empty. */
export class RecordLayers implements StateReader {
  readonly #base: StateReader;
  /** Oldest first; the last one is the top. */
  #layers: Layer[];

  constructor(base: StateReader) {
    this.#base = base;
    this.#layers = [new Layer()];
  }

  /** Estimated memory of all layers in bytes. */
  get bytes(): number {
    let bytes = 0;
    for (const layer of this.#layers) bytes += layer.bytes;
    return bytes;
  }

  /** Whether there is no change in any layer. */
  get isEmpty(): boolean {
    return this.#layers.length === 1 && this.#top.size === 0;
  }

  get(key: StateKey): Uint8Array | undefined {
    for (let at = this.#layers.length - 1; at >= 0; at--) {
      const value = this.#layers[at]?.get(key);
      if (value !== undefined) return value ?? undefined;
    }
    return this.#base.get(key);
  }

  /** Puts a record into the top layer. */
  put(key: StateKey, value: Uint8Array): void {
    checkStateKey(key);
    this.#top.change(key, value);
  }

  /** Like {@link put}, for a key that {@link get} does not find now (L3). */
  insert(key: StateKey, value: Uint8Array): void {
    checkStateKey(key);
    this.#top.insert(key, value);
  }

  /** Deletes a record. Deleting a missing key is a no-op. */
  delete(key: StateKey): void {
    checkStateKey(key);
    this.#top.remove(key);
  }

  scan(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return mergedScan(this.#base.scan(start, end), this.#cursors(start, end, false), ascends);
  }

  scanBack(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return mergedScan(this.#base.scanBack(start, end), this.#cursors(start, end, true), descends);
  }

  /** The present layers, oldest first. They do not show later changes (L1). */
  freeze(): readonly RecordLayer[] {
    if (this.#top.size > 0) this.#layers = [...this.#layers, new Layer()];
    return this.#layers.slice(0, -1);
  }

  /** Drops layers whose changes the base has (L2). */
  drop(layers: readonly RecordLayer[]): void {
    invariant(!layers.includes(this.#top), "the top layer is still written to (L1)");
    this.#layers = this.#layers.filter((layer) => !layers.includes(layer));
  }

  /** A reader of the present state above `base`, which must have the same records as this object's base (L1). */
  over(base: StateReader): StateReader {
    this.freeze();
    const view = new RecordLayers(base);
    view.#layers = this.#layers.slice(0, -1);
    return view;
  }

  /** Forgets all layers. */
  clear(): void {
    this.#layers = [new Layer()];
  }

  /** Newest layer first: of equal keys the first one found counts. */
  #cursors(start: StateKey, end: StateKey, back: boolean): OrderedCursor<Uint8Array | null>[] {
    return this.#layers
      .filter((layer) => layer.size > 0)
      .map((layer) => (back ? layer.cursorBack(start, end) : layer.cursor(start, end)))
      .reverse();
  }

  get #top(): Layer {
    return this.#layers[this.#layers.length - 1] as Layer;
  }
}

/** Throws InvariantViolation for a key of invalid length. Does not check whether its characters are bytes. */
export function checkStateKey(key: StateKey): void {
  invariant(
    key.length > 0 && key.length <= MAX_STATE_KEY_BYTES,
    () => `a key of state has 1 to ${MAX_STATE_KEY_BYTES} bytes, this one ${key.length}`,
  );
}

function ascends(a: StateKey, b: StateKey): boolean {
  return a < b;
}

function descends(a: StateKey, b: StateKey): boolean {
  return a > b;
}

/** `comes` says whether a key comes before another one in the order of the walk. */
function* mergedScan(
  base: Iterable<StateRecord>,
  cursors: readonly OrderedCursor<Uint8Array | null>[],
  comes: (a: StateKey, b: StateKey) => boolean,
): Generator<StateRecord> {
  if (cursors.length === 0) {
    yield* base;
    return;
  }
  const below = base[Symbol.iterator]();
  try {
    let stored = below.next();
    for (;;) {
      let first = stored.done === true ? undefined : stored.value[0];
      for (const { key } of cursors) if (key !== undefined && (first === undefined || comes(key, first))) first = key;
      if (first === undefined) return;
      let value: Uint8Array | null | undefined;
      for (const cursor of cursors) {
        if (cursor.key !== first) continue;
        if (value === undefined) value = cursor.value;
        cursor.next();
      }
      if (stored.done !== true && stored.value[0] === first) {
        if (value === undefined) value = stored.value[1];
        stored = below.next();
      }
      if (value !== undefined && value !== null) yield [first, value];
    }
  } finally {
    below.return?.();
  }
}
