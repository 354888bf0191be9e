/**
 * A run's history in pages, in the order in which the records were committed.
 *
 * Records stand in the store by a hash of their path, so that a record is found by its path. Their order has to be found out: once for a reader that goes
 * from page to page, not once for each page.
 *
 * HP1. A page reads the records that it gives, and no others, unless the order has to be found out.
 * HP2. A page holds at least one record, if there is one after `after`, and ends once it has `maxRecords` or `maxBytes`.
 * HP3. A reader that goes from page to page gets every record that there was at its first page, once.
 */

import type { LogIndex, StateKey, StateReader } from "@raftoral/raft-core";
import type { HistoryRecord, RecordPosition } from "../../model/record.ts";
import { KEY_PREFIX, rangeOf } from "../../records/state-keys.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { decodeArchive, positionIn } from "../archive.ts";
import { decodeHistoryRecord } from "../runs/record-codec.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { counts, recordCountOf } from "../runs/run-records.ts";

/** Which page to read. */
export interface HistoryQuery {
  /** `next` of the page before; absent for the first page. */
  readonly after?: string;
  /** Records at most (1,000). */
  readonly maxRecords?: number;
  /** The page ends once paths and values take so many bytes (1 MiB). */
  readonly maxBytes?: number;
}

/** One page. Structured-cloneable. */
export interface HistoryPage {
  readonly records: readonly (readonly [path: string, record: HistoryRecord])[];
  /** Present when there may be more. Opaque. */
  readonly next?: string;
}

/** Where one run's records stand, in their order. */
interface Order {
  readonly startIndex: LogIndex;
  /** Of the run's latest retry: later ones change what counts. */
  readonly retriedAt: LogIndex;
  readonly positions: readonly RecordPosition[];
  readonly keys: readonly StateKey[];
}

const DEFAULT_MAX_RECORDS = 1_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** Orders that are kept, and records in all of them: some 40 MiB at the most. */
const MAX_ORDERS = 8;
const MAX_ORDERED_RECORDS = 400_000;

/** Gives pages of histories, and remembers the order of those that were read lately (HP1 to HP3). */
export class HistoryPages {
  /** The one used last comes first. */
  #orders: readonly Order[] = [];

  /** One page of a run's history. `run` is as the state has it now. Undefined when `after` is of an earlier run with this id. */
  page(records: StateReader, run: RunRecord, query: HistoryQuery): HistoryPage | undefined {
    const [start, after] = positionOf(query.after, run);
    if (start !== run.startIndex) return undefined;
    const maxRecords = query.maxRecords ?? DEFAULT_MAX_RECORDS;
    const maxBytes = query.maxBytes ?? DEFAULT_MAX_BYTES;
    if (recordCountOf(records, run) === 0) return { records: [] };
    const archive = run.head.status === "finished" ? records.get(KEY_PREFIX.archive + run.startKey) : undefined;
    if (archive !== undefined) return pageOf(run, decodeArchive(archive), { after, maxRecords, maxBytes });
    const order = this.#orderOf(records, run, after);
    const contents = function* (): Generator<Uint8Array> {
      for (let at = firstAfter(order.positions, after); at < order.keys.length; at++) {
        const content = records.get(order.keys[at] ?? "");
        if (content !== undefined) yield content;
      }
    };
    return pageOf(run, contents(), { after, maxRecords, maxBytes });
  }

  /** The order that is known while it goes on beyond `after`; else the order of all records that there are now. */
  #orderOf(records: StateReader, run: RunRecord, after: RecordPosition): Order {
    const known = this.#orders.find(({ startIndex }) => startIndex === run.startIndex);
    const isCurrent =
      known !== undefined &&
      known.retriedAt === run.head.mending.retriedAt &&
      (known.keys.length === recordCountOf(records, run) ||
        (after >= 0 && firstAfter(known.positions, after) < known.keys.length));
    const order = isCurrent ? known : findOrder(records, run);
    this.#keep(order);
    return order;
  }

  #keep(order: Order): void {
    const kept: Order[] = [];
    let room = MAX_ORDERED_RECORDS;
    for (const each of [order, ...this.#orders.filter(({ startIndex }) => startIndex !== order.startIndex)]) {
      room -= each.keys.length;
      if (kept.length === 0 || (kept.length < MAX_ORDERS && room >= 0)) kept.push(each);
    }
    this.#orders = kept;
  }
}

function findOrder(records: StateReader, run: RunRecord): Order {
  const { startIndex, head } = run;
  const found: { readonly position: RecordPosition; readonly key: StateKey }[] = [];
  for (const [key, content] of records.scan(...rangeOf(KEY_PREFIX.history, startIndex))) {
    if (counts(run, content)) found.push({ position: positionIn(content), key });
  }
  found.sort((a, b) => a.position - b.position);
  const { retriedAt } = head.mending;
  return { startIndex, retriedAt, positions: found.map(({ position }) => position), keys: found.map(({ key }) => key) };
}

/** The place of the first position beyond `after`, in an ascending list. */
function firstAfter(positions: readonly RecordPosition[], after: RecordPosition): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] ?? 0) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Start of the run, and position after which the page begins: -1 for the first page. */
function positionOf(
  after: string | undefined,
  { startIndex }: RunRecord,
): readonly [start: LogIndex, after: RecordPosition] {
  if (after === undefined) return [startIndex, -1];
  const [start, position] = after.split(".");
  return [Number(start), Number(position)];
}

/** `contents` may begin before `after`. */
function pageOf(
  { startIndex }: RunRecord,
  contents: Iterable<Uint8Array>,
  {
    after,
    maxRecords,
    maxBytes,
  }: { readonly after: RecordPosition; readonly maxRecords: number; readonly maxBytes: number },
): HistoryPage {
  const page: (readonly [path: string, record: HistoryRecord])[] = [];
  let bytes = 0;
  for (const content of contents) {
    if (page.length > 0 && (page.length >= maxRecords || bytes >= maxBytes)) {
      return { records: page, next: `${startIndex}.${page.at(-1)?.[1].position}` };
    }
    if (positionIn(content) <= after) continue;
    const { path, record } = decodeHistoryRecord(readerOf(content));
    page.push([path, record]);
    bytes += content.length;
  }
  return { records: page };
}
