/** One generation of a state store as LMDB has it: now, or as of a read transaction. Every record that is read is checked. */
import type { StateKey, StateReader, StateRecord } from "@raftoral/raft-core";
import type { Database, RangeOptions, Transaction } from "lmdb";
import { corrupt } from "../errors.ts";
import { decodeStateRecord, StateKeys } from "./state-records.ts";

/** Where the state of a group is. `file` is for messages. */
export interface StatePlace {
  readonly file: string;
  readonly group: number;
  readonly database: Database<Buffer, Buffer>;
}

/** A reader of one generation. Without a transaction it reads what LMDB has at each call. Reads throw STORAGE_CORRUPT for a damaged record. */
export class StoredState implements StateReader {
  readonly keys: StateKeys;
  readonly #place: StatePlace;
  readonly #transaction: Transaction | undefined;

  constructor(place: StatePlace, generation: number, transaction?: Transaction) {
    this.#place = place;
    this.keys = new StateKeys(place.group, generation);
    this.#transaction = transaction;
  }

  /** Throws StorageError STORAGE_CORRUPT. */
  get(key: StateKey): Uint8Array | undefined {
    const bytes = this.keys.moved(key);
    const record = this.#record(bytes);
    return record === undefined ? undefined : this.#checked(bytes, record);
  }

  /** Throws StorageError STORAGE_CORRUPT. */
  scan(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return this.#walk({ start: this.keys.key(start), end: this.keys.key(end) });
  }

  /** Throws StorageError STORAGE_CORRUPT. */
  scanBack(start: StateKey, end: StateKey): Iterable<StateRecord> {
    const range = { start: this.keys.key(end), end: this.keys.key(start), reverse: true };
    return this.#walk({ ...range, exclusiveStart: true, inclusiveEnd: true });
  }

  *#walk(range: RangeOptions): Generator<StateRecord> {
    const { database } = this.#place;
    const given = this.#transaction === undefined ? range : { ...range, transaction: this.#transaction };
    for (const { key, value } of database.getRange(given)) yield [StateKeys.keyOf(key), this.#checked(key, value)];
  }

  #record(key: Buffer): Buffer | undefined {
    const { database } = this.#place;
    if (this.#transaction !== undefined) return database.get(key, { transaction: this.#transaction });
    const found = database.getBinaryFast(key);
    // lmdb-js answers with a buffer that is longer than its `length` says.
    return found?.subarray(0, found.length);
  }

  #checked(key: Buffer, record: Buffer): Uint8Array {
    const value = decodeStateRecord(key, record);
    if (value !== undefined) return value;
    const { file, group } = this.#place;
    throw corrupt({ file, group, record: `state record ${key.toString("hex", 13)}` }, "wrong checksum");
  }
}
