/** The record that an operator names to go back to. */
import { editPath, type HistoryRecord } from "../../model/record.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import { recordAt } from "../../state/runs/run-records.ts";
import type { Tables } from "../../state/tables.ts";
import { type Refused, refused } from "../refusal.ts";

/** The record at a path, at the first one of that name, or the answer that somebody gave to that step by hand; undefined when there is none that counts. */
export function namedRecord({ runs }: Tables, run: RunRecord, from: string): HistoryRecord | undefined {
  for (const path of [from, `${from}#0`]) {
    const found = recordAt(runs.records, run, path) ?? recordAt(runs.records, run, editPath(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is said where there is none. */
export function notRecorded({ runId }: RunRecord, from: string): Refused {
  return refused(
    "STEP_NOT_RECORDED",
    `Run ${runId} has no record at ${from}. See its records with show, and name one of them.`,
    { runId, path: from },
  );
}
