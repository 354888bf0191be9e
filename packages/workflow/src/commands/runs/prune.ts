/**
 * Prune: lets the cluster's uptime advance, and drops finished runs that are old, and the oldest beyond a number.
 *
 * PU1. How long a run has been kept is measured in uptime: what leaders have measured on their monotonic clocks while they led. No clock that people set
 *      decides it, so a jump of one prunes nothing early and keeps nothing for ever. While no node leads, it stands still.
 * PU2. The uptime advances from a value that the command names, so a command that is applied twice, or a second leader's, advances it once.
 * PU3. A run that is dropped leaves its history behind if that is long; it goes in pieces, with the commands that follow (run-table.ts T4).
 * PU5. Runs of a type or an outcome may be kept for another time than the others; each such group is in the order of its ends.
 * PU6. A run that an archive hook is to take is not dropped before it has, where a command says so or a registered node has a hook, whichever node leads; others are passed over, up to a number.
 * PU7. The id of a run that is dropped is kept for `keepIdsMs` of uptime, and so are at most `maxIds` of them (tombstones.ts TS1, TS3).
 * PU4. A child whose parent is still to hear of its end is not dropped (child-table.ts CT2).
 */
import { retentionOf, type TimedRule, timedRuleCodec } from "../../model/retention-rule.ts";
import type { FinishedHead, RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, messages, optional, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";

/** Runs that one command drops at most, so that applying it stays short. */
export const MAX_PRUNED_AT_ONCE = 1000;
/** Runs that one command passes over, because their parents are still to hear of their ends, or the archive hook is to take them. */
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
  /** For runs that are kept for another time. */
  readonly rules: readonly TimedRule[];
  /** Bytes that finished runs may take in the state; without a bound when absent. */
  readonly keepBytes?: number;
  /** How long ids are kept after their runs were dropped, in ms of uptime; not at all when absent. */
  readonly keepIdsMs?: number;
  /** Ids that are kept at most. */
  readonly maxIds?: number;
  /** Whether only runs are dropped that an archive hook has taken, also while no registered node has one (PU6). */
  readonly onlyHandedOver?: boolean;
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
  summary:
    "Drops finished runs that are old for their type and outcome, the oldest beyond a number and a size, and ids that were kept for long enough.",
  maxRuns: MAX_PRUNED_AT_ONCE,
  fields: {
    keepAtMost: uint(2),
    atMs: uint(3),
    uptimeFromMs: uint(4),
    uptimeMs: uint(5),
    retentionMs: uint(6),
    rules: messages(7, timedRuleCodec),
    keepBytes: optional(uint(8)),
    keepIdsMs: optional(uint(9)),
    maxIds: optional(uint(10)),
    onlyHandedOver: optional(bool(11)),
  },
  apply(tables, { keepAtMost, keepBytes, keepIdsMs = 0, maxIds = 0, onlyHandedOver: isAsked = false, ...command }) {
    const { uptimeFromMs, uptimeMs, retentionMs, rules } = command;
    const { runs, nodes } = tables;
    const onlyHandedOver = isAsked || nodes.archives;
    if (uptimeFromMs === tables.uptimeMs && uptimeMs > uptimeFromMs) tables.uptimeMs = uptimeMs;
    const pruning: Pruning = { runIds: [], passedOver: 0, more: false, onlyHandedOver, keepsIds: maxIds > 0 };
    for (const { workflowType, status } of rules.length === 0 ? [] : runs.counters.all()) {
      if (status !== "completed" && status !== "failed" && status !== "cancelled") continue;
      const keptMs = retentionOf(rules, { workflowType, status }, retentionMs);
      pruneWhile(tables, pruning, runs.finished({ workflowType, status }), (head) => isOld(tables, head, keptMs));
    }
    pruneWhile(tables, pruning, runs.finished(), (head) => {
      return (
        (rules.length === 0 && isOld(tables, head, retentionMs)) ||
        runs.finishedCount > keepAtMost ||
        (keepBytes !== undefined && runs.finishedBytes > keepBytes)
      );
    });
    const { runIds } = pruning;
    const hasOldIds = runs.tombstones.expire(tables.uptimeMs - keepIdsMs, maxIds, MAX_PRUNED_AT_ONCE);
    const more = pruning.more || hasOldIds;
    if (runIds.length > 0) tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds });
    return { ok: true, kind: "Pruned", pruned: runIds.length, more };
  },
});

/** What one command has dropped so far. */
interface Pruning {
  readonly runIds: string[];
  readonly onlyHandedOver: boolean;
  readonly keepsIds: boolean;
  passedOver: number;
  more: boolean;
}

function isOld({ uptimeMs }: Tables, { endedUptimeMs }: FinishedHead, keptMs: number): boolean {
  return endedUptimeMs + keptMs <= uptimeMs;
}

/** Drops the first of these runs, as long as they are due and the command may drop more. */
function pruneWhile(
  { runs, children, uptimeMs }: Tables,
  pruning: Pruning,
  finished: Iterable<RunRecord>,
  isDue: (head: FinishedHead) => boolean,
): void {
  for (const run of finished) {
    if (run.head.status !== "finished" || !isDue(run.head)) return;
    if (pruning.runIds.length >= MAX_PRUNED_AT_ONCE) {
      pruning.more = true;
      return;
    }
    const isWanted = pruning.onlyHandedOver && !run.head.isHandedOver;
    if (isWanted || !children.isReported(run.startIndex)) {
      pruning.passedOver += 1;
      if (pruning.passedOver > MAX_PASSED_OVER) return;
      continue;
    }
    runs.prune(run);
    if (pruning.keepsIds) runs.tombstones.add(run, uptimeMs);
    pruning.runIds.push(run.runId);
  }
}
