/**
 * Records of a body's run that somebody else than its owner writes (model/record.ts), as the body's calls find them.
 *
 * XR1. A record that an earlier owner's body may have seen is known from the beginning; one that comes later is known by its place, and read when a call wants it.
 * XR2. No body is bound to ask for such a record: it holds up no replay, and is no leftover of a body that has ended.
 * XR3. A record stays: any number of calls may ask for it.
 */
import { type HistoryRecord, isExternal, type RecordPosition } from "../../model/record.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import { never } from "./history.ts";

/** Reads a record of the run; undefined when the run has ended or is gone. */
export type ReadRecord = (path: string) => Promise<HistoryRecord | undefined>;

const NONE: readonly string[] = Object.freeze([]);

/** The external records of one body's run (XR1 to XR3). */
export class ExternalRecords {
  readonly #ofEarlierOwners = new LazyMap<string, HistoryRecord>();
  readonly #arrived = new LazyMap<string, RecordPosition>();
  readonly #waiting = new LazyMap<string, Set<() => void>>();
  readonly #reading = new LazyMap<string, Promise<HistoryRecord>>();
  readonly #read: ReadRecord;

  constructor(history: Iterable<readonly [path: string, record: HistoryRecord]>, read: ReadRecord) {
    for (const [path, record] of history) if (isExternal(record.kind)) this.#ofEarlierOwners.set(path, record);
    this.#read = read;
  }

  /** Whether a call waits for a record. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Paths of the records that calls wait for. */
  get awaited(): readonly string[] {
    return this.#waiting.size === 0 ? NONE : [...this.#waiting.keys()];
  }

  /** What was recorded at a path before this execution began. */
  recorded(path: string): HistoryRecord | undefined {
    return this.#ofEarlierOwners.get(path);
  }

  /** The place of a record that has come since. */
  arrival(path: string): RecordPosition | undefined {
    return this.#arrived.get(path);
  }

  /** The log has a record from outside at this path. */
  arrived(path: string, position: RecordPosition): void {
    if (this.#ofEarlierOwners.has(path) || this.#arrived.has(path)) return;
    this.#arrived.set(path, position);
    const waiting = this.#waiting.get(path);
    this.#waiting.delete(path);
    for (const wake of waiting ?? []) wake();
  }

  /** Calls back once the log has a record at this path. Returns the way to stop listening. */
  listen(path: string, fn: () => void): () => void {
    const waiting = this.#waiting.get(path) ?? new Set();
    this.#waiting.set(path, waiting);
    waiting.add(fn);
    return () => {
      waiting.delete(fn);
      if (waiting.size === 0 && this.#waiting.get(path) === waiting) this.#waiting.delete(path);
    };
  }

  /** The record at a path that the log has. Calls that ask at once are answered at once, so that nothing comes between them. */
  read(path: string): Promise<HistoryRecord> {
    const reading = this.#reading.get(path) ?? this.#fetch(path);
    this.#reading.set(path, reading);
    return reading;
  }

  async #fetch(path: string): Promise<HistoryRecord> {
    try {
      return (await this.#read(path)) ?? (await never<HistoryRecord>());
    } finally {
      this.#reading.delete(path);
    }
  }
}
