/**
 * Prune: lets the cluster's uptime advance, and drops finished runs that are old, and the oldest beyond a number.
 *
 * PU1. How long a run has been kept is measured in uptime: what leaders have measured on their monotonic clocks while they led. No clock that people set
 *      decides it, so a jump of one prunes nothing early and keeps nothing for ever. While no node leads, it stands still.
 * PU2. The uptime advances from a value that the command names, so a command that is applied twice, or a second leader's, advances it once.
 * PU3. A run that is dropped leaves its history behind if that is long; it goes in pieces, with the commands that follow (run-table.ts T4).
 * PU4. A child whose parent is still to hear of its end is not dropped (child-table.ts CT2).
 */
import { uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";

/** Runs that one command drops at most, so that applying it stays short. */
export const MAX_PRUNED_AT_ONCE = 1000;
/** Runs that one command passes over, because their parents are still to hear of their ends. */
const MAX_PASSED_OVER = 1000;

/** Advances the uptime and drops at most MAX_PRUNED_AT_ONCE finished runs. Answered with Pruned, whose `more` says whether others are due. */
export interface Prune {
  readonly kind: "Prune";
  readonly keepAtMost: number;
  readonly atMs: number;
  /** The uptime as the proposer knows it. */
  readonly uptimeFromMs: number;
  /** What it is now. */
  readonly uptimeMs: number;
  /** How long a run is kept after its end, in ms of uptime. */
  readonly retentionMs: number;
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
  fields: { keepAtMost: uint(2), atMs: uint(3), uptimeFromMs: uint(4), uptimeMs: uint(5), retentionMs: uint(6) },
  apply(tables, { keepAtMost, uptimeFromMs, uptimeMs, retentionMs }) {
    const { runs } = tables;
    if (uptimeFromMs === tables.uptimeMs && uptimeMs > uptimeFromMs) tables.uptimeMs = uptimeMs;
    const runIds: string[] = [];
    let more = false;
    let passedOver = 0;
    for (const run of runs.finished()) {
      if (run.head.status !== "finished") continue;
      const isOld = run.head.endedUptimeMs + retentionMs <= tables.uptimeMs;
      if (!isOld && runs.finishedCount <= keepAtMost) break;
      if (runIds.length >= MAX_PRUNED_AT_ONCE) {
        more = true;
        break;
      }
      if (!tables.children.isReported(run.startIndex)) {
        passedOver += 1;
        if (passedOver > MAX_PASSED_OVER) break;
        continue;
      }
      runs.prune(run);
      runIds.push(run.runId);
    }
    if (runIds.length > 0) tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds });
    return { ok: true, kind: "Pruned", pruned: runIds.length, more };
  },
});
