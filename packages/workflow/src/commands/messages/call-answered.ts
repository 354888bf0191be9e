/**
 * CallAnswered: tells a run how another run answered its call. The leader proposes it for every answer in the outbox (state/owed-answers.ts OA1).
 *
 * CA1. The run has the record once, at the path of its call: a second one changes nothing.
 * CA2. A run that has ended, or that continued as new, or whose id is another run's by now, does not get it.
 * CA3. The answer is taken out of the outbox in both cases.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { CALL_OUTCOMES, type CallOutcome } from "../../model/runs/calling-run.ts";
import { bytes, named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { recordFromOutside } from "../put-record.ts";
import type { Done } from "../results.ts";

/** How a call was answered, for the run that called. Answered with Done; `changed` is false when the run does not get it, or has it already. */
export interface CallAnswered {
  readonly kind: "CallAnswered";
  /** The run that called. */
  readonly runId: string;
  /** Place of its start in the log. */
  readonly startIndex: LogIndex;
  /** The path of the call. */
  readonly path: string;
  readonly status: CallOutcome;
  /** The answer, or what the call failed of, as JSON. */
  readonly value: Uint8Array;
  /** Place of the start of the run that answered, and the number of the update. */
  readonly answeredStart: LogIndex;
  readonly number: number;
  readonly atMs: number;
}

export const callAnswered = defineCommand<CallAnswered, Done>({
  kind: "CallAnswered",
  field: 57,
  summary: "Records in a run's history how another run answered its call.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    startIndex: uint(2),
    path: string(3),
    status: named(4, CALL_OUTCOMES, "outcome of a call"),
    value: bytes(5),
    answeredStart: uint(6),
    number: uint(7),
    atMs: uint(8),
  },
  apply(tables, { runId, startIndex, path, status, value, answeredStart, number }) {
    tables.owed.told({ startIndex: answeredStart, number });
    const run = tables.runs.get(runId);
    if (run === undefined || run.startIndex !== startIndex || run.head.status !== "running") {
      return { ok: true, kind: "Done", changed: false };
    }
    const found = { ok: true, run, head: run.head } as const;
    const kind = status === "completed" ? "answer" : "answer-failed";
    return { ok: true, kind: "Done", changed: recordFromOutside(tables, found, path, kind, value) };
  },
});
