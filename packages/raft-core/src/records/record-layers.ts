/**
 * Changes in memory above a base that does not know them yet: what is put goes into the top layer, what is read is looked for from the
 * top down.
 *
 * L1. Only the top layer changes. `freeze` puts a new one on it, and hands out those below for as long as anyone likes: a view of
 *     the moment, or what is to be written to the base.
 * L2. A layer is dropped once the base has all of it. Until then both may have it; the layer wins, and says the same.
 * L3. What was inserted into the top layer, and deleted before it was frozen, leaves nothing: no layer below has it, and no base.
 */
import { invariant } from "../errors.ts";
import { MAX_STATE_KEY_BYTES, type StateKey, type StateReader, type StateRecord } from "../ports/state-reader.ts";
import { OrderedRecords } from "./ordered-records.ts";

/** What a record takes in memory beside its value, roughly: the key, twice, and what the tables need. */
const RECORD_OVERHEAD_BYTES = 128;

/** Changes that go together: `null` stands for a deleted record. Not to be changed by who holds it. */
export interface RecordLayer {
  readonly bytes: number;
  readonly size: number;
  entries(): IterableIterator<[StateKey, Uint8Array | null]>;
}

class Layer extends OrderedRecords<Uint8Array | null> implements RecordLayer {
  bytes = 0;
  /** Keys that nothing below this layer has. */
  readonly #inserted = new Set<StateKey>();

  insert(key: StateKey, value: Uint8Array): void {
    // A tombstone here may hide a record below.
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

export class RecordLayers implements StateReader {
  readonly #base: StateReader;
  /** Oldest first; the last one is the top. */
  #layers: Layer[];

  constructor(base: StateReader) {
    this.#base = base;
    this.#layers = [new Layer()];
  }

  /** What is in memory, roughly. */
  get bytes(): number {
    let bytes = 0;
    for (const layer of this.#layers) bytes += layer.bytes;
    return bytes;
  }

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

  put(key: StateKey, value: Uint8Array): void {
    checkStateKey(key);
    this.#top.change(key, value);
  }

  /** As {@link put}, for a key that {@link get} does not find now. */
  insert(key: StateKey, value: Uint8Array): void {
    checkStateKey(key);
    this.#top.insert(key, value);
  }

  delete(key: StateKey): void {
    checkStateKey(key);
    this.#top.remove(key);
  }

  scan(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return mergedScan(this.#base, this.#layers, start, end);
  }

  /** The layers as they are, oldest first. What is put from now on does not show in them (L1). */
  freeze(): readonly RecordLayer[] {
    if (this.#top.size > 0) this.#layers = [...this.#layers, new Layer()];
    return this.#layers.slice(0, -1);
  }

  /** The base has what is in these (L2). */
  drop(layers: readonly RecordLayer[]): void {
    invariant(!layers.includes(this.#top), "the top layer is still written to (L1)");
    this.#layers = this.#layers.filter((layer) => !layers.includes(layer));
  }

  /** Everything as it is now, above `base`, which must show what this one's base shows now (L1). */
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

  get #top(): Layer {
    return this.#layers[this.#layers.length - 1] as Layer;
  }
}

/** Throws InvariantViolation for what is no {@link StateKey} by its length. Whether its characters are bytes is not looked at. */
export function checkStateKey(key: StateKey): void {
  invariant(
    key.length > 0 && key.length <= MAX_STATE_KEY_BYTES,
    () => `a key of state has 1 to ${MAX_STATE_KEY_BYTES} bytes, this one ${key.length}`,
  );
}

function* mergedScan(
  base: StateReader,
  layers: readonly Layer[],
  start: StateKey,
  end: StateKey,
): Generator<StateRecord> {
  // Newest first: of equal keys the first found stands.
  const cursors = layers
    .filter((layer) => layer.size > 0)
    .map((layer) => layer.cursor(start, end))
    .reverse();
  if (cursors.length === 0) {
    yield* base.scan(start, end);
    return;
  }
  const below = base.scan(start, end)[Symbol.iterator]();
  try {
    let stored = below.next();
    for (;;) {
      let least = stored.done === true ? undefined : stored.value[0];
      for (const { key } of cursors) if (key !== undefined && (least === undefined || key < least)) least = key;
      if (least === undefined) return;
      let value: Uint8Array | null | undefined;
      for (const cursor of cursors) {
        if (cursor.key !== least) continue;
        if (value === undefined) value = cursor.value;
        cursor.next();
      }
      if (stored.done !== true && stored.value[0] === least) {
        if (value === undefined) value = stored.value[1];
        stored = below.next();
      }
      if (value !== undefined && value !== null) yield [least, value];
    }
  } finally {
    below.return?.();
  }
}
