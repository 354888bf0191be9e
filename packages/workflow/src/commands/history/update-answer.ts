/**
 * UpdateAnswer: a run's owner says how an update goes on: that it is accepted, or refused, or answered.
 *
 * UA1. An update is accepted once, at one path, and that record is its place in the run's history. What is refused leaves nothing there, and no memory of its id.
 * UA2. The first answer stands. Answering an update tells its callers, on whichever node they wait, in the same command.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { UPDATE_VERDICTS, type UpdateTotals, type UpdateVerdict } from "../../model/update.ts";
import { findHistoryRecord } from "../../state/runs/run-records.ts";
import type { Tables } from "../../state/tables.ts";
import { bytes, named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun, type Running } from "../find-run.ts";
import { record, stands } from "../put-record.ts";
import type { Refused } from "../refusal.ts";
import type { Done, Recorded } from "../results.ts";

/**
 * What an owner says of an update. Answered with Recorded when it is accepted, and with Done otherwise; `changed` is false when the run does not know the update, or
 * when it cannot go on so: it is answered already, or was not accepted.
 */
export interface UpdateAnswer {
  readonly kind: "UpdateAnswer";
  readonly runId: string;
  readonly updateId: string;
  readonly verdict: UpdateVerdict;
  /** Where an accepted one is recorded; empty otherwise. */
  readonly path: string;
  /** The record of an accepted one, why it is refused, the answer, or what it failed of. */
  readonly value: Uint8Array;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

export const updateAnswer = defineCommand<UpdateAnswer, Done | Recorded>({
  kind: "UpdateAnswer",
  field: 38,
  summary: "Accepts an update into the run's history, refuses it, or answers it.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    updateId: string(2),
    verdict: named(3, UPDATE_VERDICTS, "verdict on an update"),
    path: string(4),
    value: bytes(5),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    return command.verdict === "accepted" ? accept(tables, found, command) : conclude(tables, found, command);
  },
});

const NOTHING: Uint8Array = new Uint8Array(0);
const UNCHANGED: Done = Object.freeze({ ok: true, kind: "Done", changed: false });

function accept(tables: Tables, found: Running, { updateId, path, value }: UpdateAnswer): Done | Recorded | Refused {
  const { run } = found;
  const standing = findHistoryRecord(tables.runs.records, run, path);
  if (standing !== undefined) return stands(run, path, "update", standing);
  const update = tables.updates.find(run, updateId);
  if (update?.status !== "pending") return UNCHANGED;
  const recorded = record(tables, found, path, "update", value);
  if (!recorded.ok) return recorded;
  putTotals(tables, found, tables.updates.accept(run, update, recorded.record.position));
  tell(tables, found, { updateId, name: update.name, verdict: "accepted", value: NOTHING });
  return recorded;
}

function conclude(tables: Tables, found: Running, { updateId, verdict, value }: UpdateAnswer): Done {
  const { run } = found;
  const update = tables.updates.find(run, updateId);
  if (update === undefined) return UNCHANGED;
  if (verdict === "rejected") {
    if (update.status !== "pending") return UNCHANGED;
    putTotals(tables, found, tables.updates.drop(run, update, value));
  } else {
    if (update.status !== "accepted" || verdict === "accepted") return UNCHANGED;
    putTotals(tables, found, tables.updates.answer(run, update, { status: verdict, value }));
  }
  tell(tables, found, { updateId, name: update.name, verdict, value });
  return { ok: true, kind: "Done", changed: true };
}

/** The head may have changed since the command found the run. */
function putTotals({ runs }: Tables, { run }: Running, updates: UpdateTotals): void {
  const { head } = run;
  if (head.status === "running") runs.update(run, { ...head, updates });
}

function tell(
  tables: Tables,
  { run }: Running,
  answer: {
    readonly updateId: string;
    readonly name: string;
    readonly verdict: UpdateVerdict;
    readonly value: Uint8Array;
  },
): void {
  const { index, clock: atMs } = tables;
  tables.events.push({
    type: "update-answered",
    index,
    atMs,
    runId: run.runId,
    workflowType: run.workflowType,
    ...answer,
  });
}
