/**
 * How many bytes runs that have ended take in the state.
 *
 * SZ1. What is read or written when a run ends counts at once: its record, input, outcome and archive. A long history and streams are measured afterwards, in pieces, with the commands
 *      that follow. Where a run is measured next is in its record, so every node, also one that was restored, counts the same with the same command.
 * SZ2. The sum over all runs that have ended is kept with every change, and nothing is added up when somebody asks.
 * SZ3. It is what keys and records hold, without what the store adds.
 */
import type { StateKey, StateStore } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, lastNumberIn, numberKey, rangeOf } from "../../records/state-keys.ts";
import { firstKeys, isEmpty } from "./first-keys.ts";
import type { FinishedHead, RunRecord } from "./run-record.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** A run's record and the entries by which it is found, without its id and its attributes. */
const RUN_BYTES = 500;
/** Records and bytes of them that one command measures, beside its own work. */
const MAX_MEASURED_AT_ONCE = 32;
const MAX_MEASURED_BYTES = 256 * 1024;
/** Kinds of records that a run may have many of and that are measured in pieces, in this order. */
const MEASURED = [KEY_PREFIX.history, KEY_PREFIX.streamBatch] as const;

/** What is known of a run's size when it ends. */
export type InitialSize = Pick<FinishedHead, "bytes" | "unmeasured">;

/** The sizes of one state machine's runs, over its store (SZ1 to SZ3). */
export class RunSizes {
  /** Of all runs that have ended, as far as they were measured. */
  total: number;
  readonly #store: StateStore;
  /** Whether there may be any to measure. */
  #exist: boolean;

  constructor(store: StateStore, total: number) {
    this.#store = store;
    this.total = total;
    this.#exist = !isEmpty(store.scan(...kindRange(KEY_PREFIX.sizing)));
  }

  /** The size of a run that ends now. `parts`: the bytes of its outcome and its archive. */
  initial({ runId, startKey, startIndex }: RunRecord, { outcome, archive, hasHistory }: EndedParts): InitialSize {
    const store = this.#store;
    const input = store.get(KEY_PREFIX.input + startKey)?.length ?? 0;
    const bytes = RUN_BYTES + runId.length + input + outcome + archive;
    const has = (kind: string): boolean => !isEmpty(store.scan(...rangeOf(kind, startIndex)));
    const isLong = hasHistory || has(KEY_PREFIX.stream);
    if (!isLong) return { bytes, unmeasured: "" };
    store.put(KEY_PREFIX.sizing + startKey, NOTHING);
    this.#exist = true;
    return { bytes, unmeasured: MEASURED[0] + startKey };
  }

  /** A run has ended. */
  add({ bytes }: FinishedHead): void {
    this.total += bytes;
  }

  /** A run that had ended goes on, or is gone. */
  remove({ startKey }: RunRecord, { bytes, unmeasured }: FinishedHead): void {
    this.total -= bytes;
    if (unmeasured !== "") this.#store.delete(KEY_PREFIX.sizing + startKey);
  }

  /** Measures a piece of one run, if one is to be measured. `of` gives the run, `changed` takes its next head. To be called with every command. */
  measure(of: (startIndex: number) => RunRecord, changed: (run: RunRecord, head: FinishedHead) => void): void {
    if (!this.#exist) return;
    const store = this.#store;
    const [sizing] = firstKeys(store.scan(...kindRange(KEY_PREFIX.sizing)), 1);
    if (sizing === undefined) {
      this.#exist = false;
      return;
    }
    const run = of(lastNumberIn(sizing));
    const { head } = run;
    if (head.status !== "finished") return;
    const { bytes, next } = this.#piece(run, head.unmeasured);
    this.total += bytes;
    if (next === "") store.delete(sizing);
    changed(run, { ...head, bytes: head.bytes + bytes, unmeasured: next });
  }

  #piece({ startIndex }: RunRecord, from: StateKey): { readonly bytes: number; readonly next: StateKey } {
    const first = MEASURED.findIndex((kind) => from.startsWith(kind));
    let [records, bytes, begin] = [0, 0, from];
    for (const kind of MEASURED.slice(first)) {
      const [start, end] = rangeOf(kind, startIndex);
      for (const [key, value] of this.#store.scan(begin > start && begin.startsWith(kind) ? begin : start, end)) {
        if (records === MAX_MEASURED_AT_ONCE || bytes > MAX_MEASURED_BYTES) return { bytes, next: key };
        records += 1;
        bytes += key.length + value.length;
      }
      begin = "";
    }
    return { bytes, next: "" };
  }
}

/** What of a run that ends is at hand. */
export interface EndedParts {
  /** Bytes of its outcome. */
  readonly outcome: number;
  /** Bytes of its archive; 0 without one. */
  readonly archive: number;
  /** Whether its records stand by themselves. */
  readonly hasHistory: boolean;
}

/** The entry of a run that is measured still; undefined for another one. */
export function sizingKey({ startIndex, head }: RunRecord): StateKey | undefined {
  const isOpen = head.status === "finished" && head.unmeasured !== "";
  return isOpen ? KEY_PREFIX.sizing + numberKey(startIndex) : undefined;
}
