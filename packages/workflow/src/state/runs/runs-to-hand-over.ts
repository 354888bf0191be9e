/** Finished runs that the archive hook has not taken, in the order of their ends. */
import type { StateKey } from "@raftoral/raft-core";
import type { EndedRunName } from "../../model/runs/ended-run-name.ts";
import { ALL_ENDED, BEYOND_PLACES } from "../../records/index-keys.ts";
import type { Tables } from "../tables.ts";
import { startInPlace } from "./run-records.ts";

/** Runs that one page looks at. */
const MAX_LOOKED_AT = 1000;

/** A page of them. */
export interface RunsToHandOver {
  readonly runs: readonly EndedRunName[];
  /** Where the next page begins; the same place again when nothing more has ended. */
  readonly next: StateKey;
  /** Whether the page ends before the last run that has ended. */
  readonly more: boolean;
}

/** At most `limit` runs behind a place that an earlier page gave; from the oldest without one. */
export function runsToHandOver({ runs }: Tables, after: StateKey, limit: number): RunsToHandOver {
  const found: EndedRunName[] = [];
  let [next, looked] = [after, 0];
  const from = after === "" ? ALL_ENDED : `${after}\u0000`;
  for (const [key] of runs.records.scan(from, ALL_ENDED + BEYOND_PLACES)) {
    if (looked === MAX_LOOKED_AT || found.length === limit) return { runs: found, next, more: true };
    looked += 1;
    next = key;
    const { runId, startIndex, head } = runs.at(startInPlace(key));
    if (head.status !== "finished" || head.isHandedOver) continue;
    found.push({ runId, startIndex, endIndex: head.endIndex });
  }
  return { runs: found, next, more: false };
}
