/**
 * How many runs of each type have each status: kept with every change, so that nothing is counted when somebody asks.
 *
 * RC1. Counts that changed are stored with the commit, one record for each type. A type without runs has none.
 */
import type { StateKey, StateRecord } from "@raftoral/raft-core";
import { invariant } from "@raftoral/raft-core";
import { countsKey, KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { RUN_STATUSES, type RunStatus } from "./run-status.ts";

/** How many runs of a type have a status. */
export interface RunCount {
  readonly workflowType: string;
  readonly status: RunStatus;
  readonly runs: number;
}

/** As much of a store as the counters write to. */
interface CounterSink {
  put(key: StateKey, value: Uint8Array): void;
  delete?(key: StateKey): void;
}

interface CounterStore {
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
}

const writer = writerOf(64);
/** Field of the type; that of a status is its number and two more. */
const TYPE_FIELD = 1;
const FIRST_STATUS_FIELD = 2;

/** The counters of one state machine. */
export class RunCounters {
  readonly #counts: Map<string, number[]>;
  readonly #changed = new Set<string>();

  /** Those that a store has; without one, all are zero. */
  constructor(store?: CounterStore) {
    this.#counts = new Map();
    for (const [, value] of store?.scan(...kindRange(KEY_PREFIX.counts)) ?? []) {
      const { type, counts } = decodeCounts(value);
      this.#counts.set(type, counts);
    }
  }

  /** A type has `change` more runs of a status, named by its number. */
  add(type: string, status: number, change: number): void {
    let counts = this.#counts.get(type);
    if (counts === undefined) {
      counts = RUN_STATUSES.map(() => 0);
      this.#counts.set(type, counts);
    }
    const runs = (counts[status] ?? 0) + change;
    invariant(runs >= 0, () => `type ${type} would have ${runs} runs of status ${status}`);
    counts[status] = runs;
    this.#changed.add(type);
  }

  /** Counts above zero, by type and then by status. */
  all(): readonly RunCount[] {
    return [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([workflowType, counts]) =>
        RUN_STATUSES.map((status, at) => ({ workflowType, status, runs: counts[at] ?? 0 })),
      )
      .filter(({ runs }) => runs > 0);
  }

  /** Types that have runs of one of these statuses, by number, in no order. */
  typesWith(statuses: readonly number[]): readonly string[] {
    const types: string[] = [];
    for (const [type, counts] of this.#counts)
      if (statuses.some((status) => (counts[status] ?? 0) > 0)) types.push(type);
    return types;
  }

  /** How many runs of a type have a status, by number. */
  of(type: string, status: number): number {
    return this.#counts.get(type)?.[status] ?? 0;
  }

  /** Stores what has changed since the last time (RC1). */
  save(to: CounterSink): void {
    for (const type of this.#changed) {
      const counts = this.#counts.get(type) ?? [];
      if (counts.some((runs) => runs > 0)) to.put(countsKey(type), encodeCounts(type, counts));
      else {
        this.#counts.delete(type);
        to.delete?.(countsKey(type));
      }
    }
    this.#changed.clear();
  }
}

function encodeCounts(type: string, counts: readonly number[]): Uint8Array {
  writer.reset();
  writer.string(TYPE_FIELD, type);
  for (const [status, runs] of counts.entries()) writer.uint(FIRST_STATUS_FIELD + status, runs);
  return writer.finish();
}

function decodeCounts(bytes: Uint8Array): { readonly type: string; readonly counts: number[] } {
  let type = "";
  const counts = RUN_STATUSES.map(() => 0);
  const from = readerOf(bytes);
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === TYPE_FIELD) type = from.string();
    else if (field - FIRST_STATUS_FIELD < RUN_STATUSES.length) counts[field - FIRST_STATUS_FIELD] = from.uint();
    else from.skip();
  }
  return { type, counts };
}
