/**
 * What pruned runs and past generations leave behind: histories, streams, variables and names of blobs, which go in pieces.
 *
 * RM1. A run that is pruned is gone at once, and of its records as many as a command may delete; the others follow with later commands. They are in no
 *      snapshot, and nothing finds them meanwhile.
 */
import type { StateStore } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, lastNumberIn, numberKey, rangeOf } from "../../records/state-keys.ts";
import { unnameByRun } from "../blobs/blob-references.ts";
import { firstKeys, isEmpty } from "./first-keys.ts";
import type { RunRecord } from "./run-record.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** Records of pruned runs that one command deletes beside its own work. */
const MAX_SWEPT_AT_ONCE = 32;
/** Kinds of records that a run may have many of, and that are swept. */
const SWEPT = [
  KEY_PREFIX.history,
  KEY_PREFIX.progress,
  KEY_PREFIX.stream,
  KEY_PREFIX.streamBatch,
  KEY_PREFIX.streamScope,
  KEY_PREFIX.latest,
  KEY_PREFIX.update,
  KEY_PREFIX.updatePlace,
  KEY_PREFIX.attributeChange,
];

/** The remains in one state machine's store (RM1). */
export class RunRemains {
  readonly #store: StateStore;
  /** Whether there may be any. */
  #exist: boolean;

  constructor(store: StateStore) {
    this.#store = store;
    this.#exist = !isEmpty(store.scan(...kindRange(KEY_PREFIX.remains)));
  }

  /** Whether there may be any. */
  get exist(): boolean {
    return this.#exist;
  }

  /** Deletes some of them. To be called with every command. */
  sweep(): void {
    if (!this.#exist) return;
    const store = this.#store;
    const [remains] = firstKeys(store.scan(...kindRange(KEY_PREFIX.remains)), 1);
    if (remains === undefined) {
      this.#exist = false;
      return;
    }
    const start = lastNumberIn(remains);
    let left = MAX_SWEPT_AT_ONCE;
    for (const kind of SWEPT) {
      if (left === 0) return;
      const keys = firstKeys(store.scan(...rangeOf(kind, start)), left);
      for (const key of keys) store.delete(key);
      left -= keys.length;
    }
    left -= unnameByRun(store, start, numberKey(start), left);
    if (left > 0) store.delete(remains);
  }

  /** Takes away a run's record and input, and leaves what it has many of to be swept. */
  leave(run: RunRecord): void {
    const { startKey } = run;
    const store = this.#store;
    if (this.#hasMany(run)) {
      store.put(KEY_PREFIX.remains + startKey, NOTHING);
      this.#exist = true;
    }
    store.delete(KEY_PREFIX.input + startKey);
    store.delete(KEY_PREFIX.run + startKey);
  }

  /** Whether anything of `SWEPT` is left of a run. The store is asked for nothing but the history of a run without an archive. */
  #hasMany({ head, startIndex, hasExtras }: RunRecord): boolean {
    if (hasExtras || head.stepsInProgress > 0 || head.updates !== undefined) return true;
    if (head.status === "finished" && head.archived > 0) return false;
    return !isEmpty(this.#store.scan(...rangeOf(KEY_PREFIX.history, startIndex)));
  }
}
