/**
 * ChildEnded: tells a parent how one of its children ended. The leader proposes it for every report in the outbox (child-table.ts CT2).
 *
 * CE1. The parent has the record once, at a path of its own: a second one changes nothing.
 * CE2. A parent that has ended, or whose id is another run's by now, does not get it.
 * CE3. The report is taken out of the outbox in both cases.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { resultPath } from "../../model/runs/parent.ts";
import { OUTCOMES, type OutcomeStatus } from "../../model/runs/run-outcome.ts";
import { bytes, named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { recordFromOutside } from "../put-record.ts";
import type { Done } from "../results.ts";

/** How a child ended, for its parent. Answered with Done; `changed` is false when the parent does not get it, or has it already. */
export interface ChildEnded {
  readonly kind: "ChildEnded";
  /** The parent. */
  readonly runId: string;
  /** Place of the parent's start in the log. */
  readonly startIndex: LogIndex;
  /** The path of the call that started the child. */
  readonly path: string;
  readonly status: OutcomeStatus;
  /** The child's result; the error of a failed one and the reason of a cancelled one, as JSON. */
  readonly value: Uint8Array;
  /** Place of the child's start in the log. */
  readonly childStart: LogIndex;
  readonly atMs: number;
}

export const childEnded = defineCommand<ChildEnded, Done>({
  kind: "ChildEnded",
  field: 32,
  summary: "Records in a parent's history how one of its children ended.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    startIndex: uint(2),
    path: string(3),
    status: named(4, OUTCOMES, "outcome"),
    value: bytes(5),
    childStart: uint(6),
    atMs: uint(7),
  },
  apply(tables, { runId, startIndex, path, status, value, childStart }) {
    tables.children.reported(childStart);
    const run = tables.runs.get(runId);
    if (run === undefined || run.startIndex !== startIndex || run.head.status !== "running") {
      return { ok: true, kind: "Done", changed: false };
    }
    const found = { ok: true, run, head: run.head } as const;
    const changed = recordFromOutside(tables, found, resultPath(path), `child-${status}`, value);
    return { ok: true, kind: "Done", changed };
  },
});
