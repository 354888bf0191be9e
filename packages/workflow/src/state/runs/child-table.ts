/**
 * What connects parents and children: which children of a parent run, which ended children have a parent that does not know it yet, and which ended
 * parents have children that run.
 *
 * CT1. A running run that was started as a child is under its parent's family, until it ends or its parent's end has been told to it.
 * CT2. A child that ends has a report in the outbox, until the parent has it or cannot get it any more. It is not pruned before.
 * CT3. A parent that ends with running children is closing, until each of them has been told. That goes on in bounded pieces, also after the parent is pruned.
 *
 * A family is named by the place of the start of its parent's first generation, a child by the place of its own start.
 */
import type { LogIndex, StateKey, StateRecord } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, lastNumberIn, numberKey, rangeOf } from "../../records/state-keys.ts";
import { writerOf } from "../../wire/command-wire.ts";
import { uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { MessageCodec } from "../../wire/wire-types.ts";
import { firstKeys } from "./first-keys.ts";

/** What the table is kept in. */
interface ChildStore {
  get(key: StateKey): Uint8Array | undefined;
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

interface Child {
  readonly family: LogIndex;
  readonly child: LogIndex;
}

interface Family {
  readonly family: LogIndex;
}

interface Report {
  readonly child: LogIndex;
}

/** A running child, in the store and in a snapshot. */
export const childCodec = messageCodec<Child>({ family: uint(1), child: uint(2) }, {});
/** A closing parent, in the store and in a snapshot. */
export const closingCodec = messageCodec<Family>({ family: uint(1) }, {});
/** A report that is owed, in the store and in a snapshot. */
export const reportCodec = messageCodec<Report>({ child: uint(1) }, {});

/** The key of a running child. */
export function childKey({ family, child }: Child): StateKey {
  return KEY_PREFIX.child + numberKey(family) + numberKey(child);
}

/** The key of a closing parent. */
export function closingKey({ family }: Family): StateKey {
  return KEY_PREFIX.closing + numberKey(family);
}

/** The key of a report that is owed. */
export function reportKey({ child }: Report): StateKey {
  return KEY_PREFIX.report + numberKey(child);
}

/** The families of one state machine, over its store (CT1 to CT3). */
export class ChildTable {
  readonly #store: ChildStore;

  constructor(store: ChildStore) {
    this.#store = store;
  }

  /** A child runs. */
  add(family: LogIndex, child: LogIndex): void {
    this.#store.put(childKey({ family, child }), written(childCodec, { family, child }));
  }

  /** The child has ended, or has been told of its parent's end. */
  remove(family: LogIndex, child: LogIndex): void {
    this.#store.delete(childKey({ family, child }));
  }

  /** At most `limit` of the running children of a family, in the order of their start. */
  of(family: LogIndex, limit: number): readonly LogIndex[] {
    return first(this.#store.scan(...rangeOf(KEY_PREFIX.child, family)), limit);
  }

  /** The parent has ended. Gives whether it has children that run (CT3). */
  close(family: LogIndex): boolean {
    if (this.of(family, 1).length === 0) return false;
    this.#store.put(closingKey({ family }), written(closingCodec, { family }));
    return true;
  }

  /** The first of the closing parents. */
  closing(): LogIndex | undefined {
    return first(this.#store.scan(...kindRange(KEY_PREFIX.closing)), 1)[0];
  }

  /** All children of a closing parent have been told. */
  closed(family: LogIndex): void {
    this.#store.delete(closingKey({ family }));
  }

  /** The parent of this child is to hear of its end (CT2). */
  report(child: LogIndex): void {
    this.#store.put(reportKey({ child }), written(reportCodec, { child }));
  }

  /** Whether the parent of this child is still to hear of its end. */
  isReported(child: LogIndex): boolean {
    return this.#store.get(reportKey({ child })) === undefined;
  }

  /** The parent has heard, or cannot hear any more. */
  reported(child: LogIndex): void {
    this.#store.delete(reportKey({ child }));
  }

  /** At most `limit` of the children whose parents are to hear of their ends, in the order of their start. */
  unreported(limit: number): readonly LogIndex[] {
    return first(this.#store.scan(...kindRange(KEY_PREFIX.report)), limit);
  }
}

function first(records: Iterable<StateRecord>, limit: number): readonly LogIndex[] {
  return firstKeys(records, limit).map(lastNumberIn);
}

function written<T>(codec: MessageCodec<T>, value: T): Uint8Array {
  const to = writerOf(16);
  codec.write(to, value);
  return to.finish();
}
