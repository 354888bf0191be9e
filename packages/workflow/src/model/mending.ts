/**
 * What operators have done to a run, as far as its state and later commands depend on it.
 *
 * ME1. A retry goes back to a place in the log: records of the run from there up to the retry do not count any more. They stay in the store, so that a retry costs the
 *      same however long the history is, until a record at the same path takes their place or the run is archived or pruned.
 * ME2. What came from outside and succeeded counts all the same: it happened, and is not told twice.
 * ME3. What is known of steps without a record counts from the retry on: attempts and time limits begin again.
 * ME4. A request that is repeated because its outcome was not known is done once: the run remembers the latest one.
 */
import { messages, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import type { RecordKind, RecordPosition } from "./record.ts";
import type { Epoch } from "./runs/ownership.ts";

/** Places in the log: `[from, to)`. */
export interface PositionRange {
  readonly from: RecordPosition;
  readonly to: RecordPosition;
}

/** What was done to a run. */
export interface RunMending {
  /** Where records do not count (ME1). Ascending, and apart from each other. */
  readonly undone: readonly PositionRange[];
  /** Progress of steps counts if it was recorded under this epoch or a later one (ME3). 0: all of it. */
  readonly progressFrom: Epoch;
  /** Place in the log of the latest retry; 0 for a run that was never retried. */
  readonly retriedAt: number;
  /** Of the latest request (ME4); empty for none. */
  readonly requestId: string;
}

/** Nothing was done. */
export const NOT_MENDED: RunMending = Object.freeze({ undone: [], progressFrom: 0, retriedAt: 0, requestId: "" });

/** Ranges that a run may have: its record stays small. A run is then retried from an earlier step, or forked. */
export const MAX_UNDONE_RANGES = 32;

/** Kinds of records that count although their place is undone (ME2). */
const KEPT: ReadonlySet<RecordKind> = new Set<RecordKind>(["answer", "child-completed"]);

/** Whether a record of a run does not count any more (ME1, ME2). */
export function isUndone({ undone }: RunMending, kind: RecordKind, position: RecordPosition): boolean {
  if (undone.length === 0 || KEPT.has(kind)) return false;
  return undone.some(({ from, to }) => from <= position && position < to);
}

/** The ranges once everything from `from` on, up to `to`, does not count either. */
export function withUndone(
  undone: readonly PositionRange[],
  from: RecordPosition,
  to: RecordPosition,
): PositionRange[] {
  const before = undone.filter((range) => range.from < from);
  const last = before.at(-1);
  if (last === undefined || last.to < from) return [...before, { from, to }];
  return [...before.slice(0, -1), { from: last.from, to }];
}

const rangeCodec = messageCodec<PositionRange>({ from: uint(1), to: uint(2) }, {});

/** As the run's record has it. */
export const mendingCodec = messageCodec<RunMending>(
  { undone: messages(1, rangeCodec), progressFrom: uint(2), retriedAt: uint(3), requestId: string(4) },
  {},
);
