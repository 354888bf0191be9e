/** Prune: drops finished runs that ended before a time, and the oldest beyond a number. */
import { uint } from "../wire/fields.ts";
import { defineCommand } from "./command.ts";

/** Runs that one command drops at most, so that applying it stays short. */
export const MAX_PRUNED_AT_ONCE = 1000;

/** See the file's head. */
export interface Prune {
  readonly kind: "Prune";
  readonly finishedBeforeMs: number;
  readonly keepAtMost: number;
  readonly atMs: number;
}

/** Finished runs were dropped. */
export interface Pruned {
  readonly ok: true;
  readonly kind: "Pruned";
  readonly pruned: number;
  /** Whether as much again is due: a command drops a bounded number of runs. */
  readonly more: boolean;
}

export const prune = defineCommand<Prune, Pruned>({
  kind: "Prune",
  field: 22,
  summary: "Drops finished runs that are old, and the oldest beyond a number.",
  maxRuns: MAX_PRUNED_AT_ONCE,
  fields: { finishedBeforeMs: uint(1), keepAtMost: uint(2), atMs: uint(3) },
  apply(tables, command) {
    const { runs } = tables;
    const runIds: string[] = [];
    let more = false;
    for (const run of runs.finished()) {
      if (run.head.status !== "finished") continue;
      const due = run.head.endedAtMs < command.finishedBeforeMs || runs.finishedCount > command.keepAtMost;
      if (!due) break;
      if (runIds.length >= MAX_PRUNED_AT_ONCE) {
        more = true;
        break;
      }
      runs.prune(run);
      runIds.push(run.runId);
    }
    if (runIds.length > 0) tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds });
    return { ok: true, kind: "Pruned", pruned: runIds.length, more };
  },
});
