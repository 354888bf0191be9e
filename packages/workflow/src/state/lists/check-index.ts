/**
 * Compares the index and the counters with the runs, and makes them again: for tests, and for a tool that looks after a stopped folder.
 *
 * CI1. Everything that is compared follows from the runs (run-index.ts RI1), so making it again loses nothing.
 * CI2. The runs are walked once, and none is kept: memory does not grow with them.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, lastNumberIn, numberIn, numberKey } from "../../records/state-keys.ts";
import { firstKeys, keysIn } from "../runs/first-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { loadRun, placeKey } from "../runs/run-records.ts";
import { RunCounters } from "./run-counters.ts";
import { indexKeys } from "./run-index.ts";
import { statusNumber } from "./run-status.ts";

/** Kinds of records that follow from the runs. */
const DERIVED = [KEY_PREFIX.created, KEY_PREFIX.byStatus, KEY_PREFIX.byEnd, KEY_PREFIX.byFact, KEY_PREFIX.counts];
const NOTHING: Uint8Array = new Uint8Array(0);
/** Records that are deleted between two looks at the store. */
const DELETED_AT_ONCE = 1_000;

/** How an index differs from its runs. */
export interface IndexCheck {
  readonly runs: number;
  /** Entries that runs should have and do not have. */
  readonly missing: number;
  /** Entries that no run should have. */
  readonly surplus: number;
  /** Types whose counts are not those of their runs. */
  readonly miscounted: readonly string[];
}

/** As much of a store as is needed to make an index again. */
export interface IndexedStore extends StateReader {
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** Compares the index of a store with its runs. */
export function checkIndex(store: StateReader): IndexCheck {
  const counters = new RunCounters();
  let [runs, expected, missing] = [0, 0, 0];
  for (const run of runsIn(store)) {
    runs += 1;
    counters.add(run.workflowType, statusNumber(run.head), 1);
    for (const key of [placeKey(run), ...indexKeys(run)]) {
      expected += 1;
      if (store.get(key) === undefined) missing += 1;
    }
  }
  let found = 0;
  const places = [
    KEY_PREFIX.ended,
    KEY_PREFIX.seated,
    KEY_PREFIX.waiting,
    KEY_PREFIX.stuck,
    KEY_PREFIX.held,
    KEY_PREFIX.delayed,
  ];
  const entries = [...DERIVED.filter((kind) => kind !== KEY_PREFIX.counts), ...places];
  for (const kind of entries) found += keysIn(store.scan(...kindRange(kind)));
  const shown = (counts: RunCounters): ReadonlyMap<string, number> =>
    new Map(counts.all().map(({ workflowType, status, runs: of }) => [`${workflowType} ${status}`, of]));
  const [kept, counted] = [shown(new RunCounters(store)), shown(counters)];
  const miscounted = [...new Set([...kept.keys(), ...counted.keys()])].filter(
    (key) => kept.get(key) !== counted.get(key),
  );
  return { runs, missing, surplus: found - (expected - missing), miscounted };
}

/** Makes index and counters again from the runs (CI1), a piece at each step. The caller may commit after each, and commits at the end. Returns the number of runs. */
export function* rebuildIndex(store: IndexedStore): Generator<void, number, undefined> {
  for (const kind of DERIVED) {
    for (;;) {
      const keys = firstKeys(store.scan(...kindRange(kind)), DELETED_AT_ONCE);
      for (const key of keys) store.delete(key);
      yield;
      if (keys.length < DELETED_AT_ONCE) break;
    }
  }
  const counters = new RunCounters();
  let runs = 0;
  for (const run of runsIn(store)) {
    runs += 1;
    counters.add(run.workflowType, statusNumber(run.head), 1);
    for (const key of [placeKey(run), ...indexKeys(run)]) store.put(key, NOTHING);
    if (runs % DELETED_AT_ONCE === 0) yield;
  }
  counters.save(store);
  return runs;
}

/** Runs in the order of their starts. A run that is put or deleted meanwhile may or may not come. */
function* runsIn(store: StateReader): Generator<RunRecord> {
  const [first, end] = kindRange(KEY_PREFIX.run);
  let from = first;
  for (;;) {
    const keys = firstKeys(store.scan(from, end), DELETED_AT_ONCE);
    for (const key of keys) {
      const run = loadRun(store, lastNumberIn(key));
      if (run !== undefined) yield run;
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < DELETED_AT_ONCE) return;
    from = KEY_PREFIX.run + numberKey(numberIn(last, 1) + 1);
  }
}
