/** Records: a run's owner records what several context calls were answered with and, with them, the end of the run; as a whole or not at all. */
import type { NodeId } from "@raftoral/raft-core";
import { failureCodec } from "../../model/failure.ts";
import { MAX_GRANTS_PER_ENTRY, MAX_RECORDS_PER_ENTRY, RECORD_KINDS, type RecordKind } from "../../model/record.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import {
  OUTCOMES,
  type OutcomeParts,
  outcomeOfParts,
  partsOfOutcome,
  type RunOutcome,
} from "../../model/runs/run-outcome.ts";
import { findHistoryRecord } from "../../state/runs/run-records.ts";
import { bytes, message, messages, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec, partedCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import { attributesAfter, record, stands } from "../put-record.ts";
import { refused } from "../refusal.ts";

/** One record, before the log has it. */
export interface NewRecord {
  readonly path: string;
  readonly recordKind: RecordKind;
  readonly value: Uint8Array;
}

/**
 * Several records of a run, and its end with them. Answered with RecordedAll. Refused as a whole: with NON_DETERMINISM when one path has a record of
 * another kind, with COMMAND_INVALID for too many records, and with ATTRIBUTES_INVALID for attributes that the run cannot have.
 */
export interface Records {
  readonly kind: "Records";
  readonly runId: string;
  readonly records: readonly NewRecord[];
  /** How the run ends with them; absent while it goes on. */
  readonly end?: RunOutcome;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** All paths have records now. Those that had one before keep it. */
export interface RecordedAll {
  readonly ok: true;
  readonly kind: "RecordedAll";
  /** The log clock in ms since the epoch. */
  readonly recordedAtMs: number;
}

const newRecordCodec = messageCodec<NewRecord>(
  { path: string(1), value: bytes(2), recordKind: named(3, RECORD_KINDS, "record kind") },
  {},
);

const outcomeCodec = partedCodec<RunOutcome, OutcomeParts>(
  messageCodec<OutcomeParts>(
    {
      status: named(1, OUTCOMES, "outcome"),
      result: bytes(2),
      error: optional(message(3, failureCodec, { name: "", message: "" })),
      reason: string(4),
    },
    {},
  ),
  { toParts: partsOfOutcome, fromParts: outcomeOfParts },
);

const NOTHING: RunOutcome = { status: "completed", result: new Uint8Array(0) };

export const records = defineCommand<Records, RecordedAll>({
  kind: "Records",
  field: 23,
  summary: "Records the answers of several context calls and, optionally, the end of their run.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    records: messages(2, newRecordCodec),
    end: optional(message(3, outcomeCodec, NOTHING)),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    if (command.records.length > MAX_RECORDS_PER_ENTRY) {
      return refused(
        "COMMAND_INVALID",
        `Run ${command.runId} is to record ${command.records.length} answers at once. Propose at most ${MAX_RECORDS_PER_ENTRY}.`,
      );
    }
    if (command.records.filter(({ recordKind }) => recordKind === "lock").length > MAX_GRANTS_PER_ENTRY) {
      return refused(
        "COMMAND_INVALID",
        `Run ${command.runId} asks for more than ${MAX_GRANTS_PER_ENTRY} locks at once. Propose fewer in one command.`,
      );
    }
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    const { run, head } = found;
    let { attributes } = run;
    for (const { path, recordKind, value } of command.records) {
      const standing = findHistoryRecord(tables.runs.records, run, path);
      const answer = standing === undefined ? undefined : stands(run, path, recordKind, standing);
      if (answer?.ok === false) return answer;
      if (recordKind !== "attributes") continue;
      const after = attributesAfter(run.runId, attributes, value);
      if ("ok" in after) return after;
      if (standing === undefined) attributes = after;
    }
    // Of two records of one command at one path the first one stands.
    for (const [part, { path, recordKind, value }] of command.records.entries()) {
      record(tables, found, path, recordKind, value, part);
    }
    if (command.end !== undefined) tables.finish(run, head, command.end);
    return { ok: true, kind: "RecordedAll", recordedAtMs: tables.clock };
  },
});
