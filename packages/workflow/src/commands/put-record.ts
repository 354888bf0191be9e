/**
 * Puts a record into a run's history, for every command that does.
 *
 * PR1. A record stays: a second one at its path is answered with the first, or refused when it answers another kind of call.
 */
import { type Attributes, attributesInvalidText, changedAttributes, decodeChanges } from "../model/attributes.ts";
import {
  callOf,
  type ExternalKind,
  type HistoryRecord,
  type RecordKind,
  recordPosition,
  sameFamily,
} from "../model/record.ts";
import { NO_LOSSES } from "../model/runs/owner-losses.ts";
import { lockRecorded } from "../state/locks/asking.ts";
import type { RunRecord } from "../state/runs/run-record.ts";
import type { Tables } from "../state/tables.ts";
import type { Running } from "./find-run.ts";
import { type Refused, refused } from "./refusal.ts";
import type { Recorded } from "./results.ts";

/** Records a value, unless the path has a record. `part`: its place among the records of the entry that is applied. */
export function record(
  tables: Tables,
  { run, head }: Running,
  path: string,
  kind: RecordKind,
  value: Uint8Array,
  part = 0,
): Recorded | Refused {
  const { clock, index } = tables;
  const { owner, epoch } = head;
  const position = recordPosition(index, part);
  const committed: HistoryRecord = { kind, value, recordedAtMs: clock, position, epoch };
  const attributes = kind === "attributes" ? attributesAfter(run.runId, run.attributes, value) : undefined;
  if (attributes !== undefined && "ok" in attributes) return attributes;
  const standing = tables.runs.record(run, path, committed);
  if (standing !== undefined) return stands(run, path, kind, standing);
  if (attributes !== undefined) tables.runs.setAttributes(run, attributes, position);
  // The head may have changed since the command found the run.
  if (run.head.stepsInProgress > 0) tables.runs.dropProgress(run, path);
  forgetLosses(tables, run);
  const { runId, workflowType } = run;
  const at = { index, position, atMs: clock } as const;
  const what = { runId, workflowType, path, kind, value, owner, epoch };
  tables.events.push({ type: "record-committed", ...at, ...what });
  lockRecorded(tables, run, path, kind, value);
  return { ok: true, kind: "Recorded", recorded: true, record: committed };
}

/**
 * Records what somebody else than the run's owner knows: at a path of its own, which no call of the owner records at. False when the path has a record. An
 * owner that was lost before is no less suspect after it.
 */
export function recordFromOutside(
  tables: Tables,
  { run, head }: Running,
  path: string,
  kind: ExternalKind,
  value: Uint8Array,
): boolean {
  const { clock, index } = tables;
  const { owner, epoch } = head;
  const position = recordPosition(index, 0);
  if (tables.runs.record(run, path, { kind, value, recordedAtMs: clock, position, epoch }) !== undefined) return false;
  const { runId, workflowType } = run;
  const at = { index, position, atMs: clock } as const;
  const what = { runId, workflowType, path, kind, value, owner, epoch };
  tables.events.push({ type: "record-committed", ...at, ...what });
  return true;
}

/** What a run's attributes are after a record of a change, or why it cannot be made. */
export function attributesAfter(runId: string, before: Attributes, value: Uint8Array): Attributes | Refused {
  const changes = decodeChanges(value);
  const after = typeof changes === "string" ? changes : changedAttributes(before, changes);
  return typeof after === "string"
    ? refused("ATTRIBUTES_INVALID", attributesInvalidText(runId, after), { runId })
    : after;
}

/** The run makes progress: owners that it lost before say nothing about it (model/runs/owner-losses.ts OL1). */
export function forgetLosses({ runs }: Tables, run: RunRecord): void {
  const { head } = run;
  if (head.status === "running" && head.losses.count > 0) runs.update(run, { ...head, losses: NO_LOSSES });
}

/** Answers with the record that the path has (PR1). */
export function stands(run: RunRecord, path: string, kind: RecordKind, standing: HistoryRecord): Recorded | Refused {
  if (!sameFamily(standing.kind, kind)) {
    return refused(
      "NON_DETERMINISM",
      `Run ${run.runId} recorded a ${callOf(standing.kind)} at ${path}, not a ${callOf(kind)}. Keep running workflows on the version they began with.`,
      { key: path, expected: kind, recorded: standing.kind },
    );
  }
  return { ok: true, kind: "Recorded", recorded: false, record: standing };
}
