/** Results that several commands share. A result of one command alone is in that command's file. */
import type { HistoryRecord } from "../model/record.ts";

/** Done, and nothing more to say. `changed` is false when it had been done before. */
export interface Done {
  readonly ok: true;
  readonly kind: "Done";
  readonly changed: boolean;
}

/** The path has this record now. `recorded` is false when an earlier one stands. */
export interface Recorded {
  readonly ok: true;
  readonly kind: "Recorded";
  readonly recorded: boolean;
  readonly record: HistoryRecord;
}

/** Runs changed hands. */
export interface Moved {
  readonly ok: true;
  readonly kind: "Moved";
  readonly moved: number;
  /** Of these, runs that no node can take at present. */
  readonly orphaned: number;
  /** Runs that are still to be moved: a command moves a bounded number. */
  readonly left: number;
}
