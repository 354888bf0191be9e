/**
 * One page of a list of runs.
 *
 * LR1. The work for a page is bounded, whatever the state holds: entries of the index that are counted to choose a source, runs that are looked at, and records that
 *      are counted. A page that meets its bound ends early and says where to go on.
 * LR2. The source with the fewest entries is walked; what it does not say, the filter decides.
 * LR3. A cursor is a place in the order of the list. A run that stays in the list comes once over all pages, whatever is started or ends meanwhile.
 */
import type { StateKey } from "@raftoral/raft-core";
import { placeIn, placeKeyOf, placeOf } from "../../records/index-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { loadRun, recordCountUpTo, startNamedBy } from "../runs/run-records.ts";
import { type RunSummary, summary } from "../runs/run-view.ts";
import type { Tables } from "../tables.ts";
import { filterOf } from "./run-filter.ts";
import { createdPlace, endedKey } from "./run-index.ts";
import type { RunPage, RunQuery, RunSort } from "./run-query.ts";
import {
  type OrderedSource,
  orderedSources,
  placesIn,
  placesOf,
  type RangeSource,
  rangeSources,
} from "./run-source.ts";

/** Entries of a source that are counted; one with fewer may be read as a whole and put in order. */
const MAX_PROBED = 500;
/** Runs that a page looks at in vain. */
const MAX_PASSED_OVER = 1_000;
/** Records that a page counts, for each run and in all. */
const MAX_COUNTED_OF_RUN = 1_000;
const MAX_COUNTED = 20_000;
/** What a place begins with in the order of creation: time and first generation. */
const CREATED_LENGTH = 14;

/** A run with its place in the order of the list. */
type Placed = readonly [place: StateKey, run: RunRecord];

interface Order {
  readonly sort: RunSort;
  readonly isBack: boolean;
  /** Places of the list from its cursor on: `[from, to)`. */
  readonly range: readonly [from: StateKey, to: StateKey];
}

/** Runs that fit a query, in its order; the latest first unless it says otherwise. */
export function listRuns(tables: Tables, query: RunQuery): RunPage {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? 100), 1), 1000);
  const { records } = tables.runs;
  const fits = filterOf(tables, query);
  const found: RunSummary[] = [];
  let [passedOver, counted, last] = [0, 0, ""];
  for (const [place, run] of candidates(tables, query)) {
    const isFull = passedOver >= MAX_PASSED_OVER || counted >= MAX_COUNTED;
    if (fits(run)) {
      if (found.length === limit || isFull) return { runs: found, next: cursorAt(last) };
      const recordCount = recordCountUpTo(records, run, MAX_COUNTED_OF_RUN);
      counted += recordCount;
      found.push(summary(tables, run, recordCount));
    } else {
      if (isFull) return { runs: found, next: cursorAt(last) };
      passedOver += 1;
    }
    last = place;
  }
  return { runs: found };
}

/** LR2. */
function candidates(tables: Tables, query: RunQuery): Iterable<Placed> {
  const { records } = tables.runs;
  const order = orderOf(query);
  const ordered = orderedSources(tables, query);
  const ranges = rangeSources(query);
  let best: { readonly source: OrderedSource; readonly size: number } | undefined;
  let small: { readonly starts: ReadonlySet<number>; readonly size: number } | undefined;
  const [only] = ordered;
  if (ordered.length === 1 && ranges.length === 0 && only?.sort === order.sort) return walked(tables, only, order);
  for (const source of ordered) {
    const isInOrder = source.sort === order.sort;
    const range = isInOrder ? order.range : placesOf(query[source.sort] ?? {});
    const starts = first(placesIn(records, source, range, order.isBack), (place) => placeOf(place).start);
    if (isInOrder && (best === undefined || starts.length < best.size)) best = { source, size: starts.length };
    if (!isInOrder && starts.length < Math.min(MAX_PROBED, small?.size ?? MAX_PROBED))
      small = { starts: new Set(starts), size: starts.length };
  }
  for (const source of ranges) {
    const starts = startsIn(tables, source);
    if (starts.length < Math.min(MAX_PROBED, small?.size ?? MAX_PROBED))
      small = { starts: new Set(starts), size: starts.length };
  }
  if (best === undefined || (small !== undefined && small.size < best.size))
    return small === undefined ? [] : sorted(tables, small.starts, order);
  return walked(tables, best.source, order);
}

function orderOf({ sort = "created", isAscending = false, created, ended, cursor }: RunQuery): Order {
  const [from, to] = placesOf((sort === "created" ? created : ended) ?? {});
  if (cursor === undefined) return { sort, isBack: !isAscending, range: [from, to] };
  const [ms = 0, place = 0, start = 0] = cursor.split(".").map(Number);
  const at = placeKeyOf({ ms, place, start });
  // A run that has continued as new since then has another start, and is not to come again.
  const bound = sort === "created" ? at.slice(0, CREATED_LENGTH) : at;
  if (isAscending) return { sort, isBack: false, range: [later(from, `${bound}\u00ff`), to] };
  return { sort, isBack: true, range: [from, earlier(to, bound)] };
}

function later(a: StateKey, b: StateKey): StateKey {
  return a > b ? a : b;
}

function earlier(a: StateKey, b: StateKey): StateKey {
  return a < b ? a : b;
}

function cursorAt(place: StateKey): string {
  const { ms, place: at, start } = placeOf(place);
  return `${ms}.${at}.${start}`;
}

/** Past the cache: what is listed once is not looked at again. */
function* walked({ runs }: Tables, source: OrderedSource, { range, isBack }: Order): Generator<Placed> {
  for (const place of placesIn(runs.records, source, range, isBack)) {
    const run = loadRun(runs.records, placeOf(place).start);
    if (run !== undefined) yield [place, run];
  }
}

/** SO1: all of a small source. */
function sorted({ runs }: Tables, starts: ReadonlySet<number>, { sort, range, isBack }: Order): readonly Placed[] {
  const [from, to] = range;
  const placed: Placed[] = [];
  for (const start of starts) {
    const run = loadRun(runs.records, start);
    const place = run === undefined ? undefined : placeOfRun(run, sort);
    if (run !== undefined && place !== undefined && place >= from && place < to) placed.push([place, run]);
  }
  return placed.sort(([a], [b]) => (a < b === isBack ? 1 : -1));
}

function placeOfRun(run: RunRecord, sort: RunSort): StateKey | undefined {
  if (sort === "created") return createdPlace(run);
  return run.head.status === "finished" ? placeIn(endedKey(run, run.head)) : undefined;
}

function startsIn({ runs }: Tables, { range: [start, end], isOfIds }: RangeSource): readonly number[] {
  return first(runs.records.scan(start, end), ([key, value]) =>
    isOfIds ? startNamedBy(value) : placeOf(placeIn(key)).start,
  );
}

/** What `of` gives for at most MAX_PROBED entries. */
function first<Entry>(entries: Iterable<Entry>, of: (entry: Entry) => number): readonly number[] {
  const starts: number[] = [];
  for (const entry of entries) {
    starts.push(of(entry));
    if (starts.length === MAX_PROBED) break;
  }
  return starts;
}
