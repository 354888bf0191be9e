/** WorkflowEnd: a run's owner ends it. */
import type { NodeId } from "@raftoral/raft-core";
import { failureCodec } from "../../model/failure.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import {
  OUTCOMES,
  type OutcomeParts,
  outcomeOfParts,
  partsOfOutcome,
  type RunOutcome,
} from "../../model/runs/run-outcome.ts";
import { bytes, message, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec, partedCodec } from "../../wire/message-codec.ts";
import type { CommandDefinition } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import type { Done } from "../results.ts";

/** Ends a run with an outcome. Refused with STALE_OWNER unless it comes from the run's owner. */
export interface WorkflowEnd {
  readonly kind: "WorkflowEnd";
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** The outcome travels in parts, among the other fields. */
type Parts = Omit<WorkflowEnd, "outcome" | "kind"> & OutcomeParts;

const partsCodec = messageCodec<Parts>(
  {
    runId: string(1),
    result: bytes(2),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
    status: named(19, OUTCOMES, "outcome"),
    error: optional(message(20, failureCodec, { name: "", message: "" })),
    reason: string(21),
  },
  {},
);

export const workflowEnd: CommandDefinition<WorkflowEnd, Done> = {
  kind: "WorkflowEnd",
  field: 2,
  summary: "Ends a run: completed, failed or cancelled.",
  maxRuns: 1,
  codec: partedCodec<WorkflowEnd, Parts>(partsCodec, {
    toParts: ({ runId, outcome, atMs, owner, epoch }) => ({ runId, atMs, owner, epoch, ...partsOfOutcome(outcome) }),
    fromParts: (parts) => {
      const { runId, atMs, owner, epoch } = parts;
      return { kind: "WorkflowEnd", runId, outcome: outcomeOfParts(parts), atMs, owner, epoch };
    },
  }),
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    tables.finish(found.run, found.head, command.outcome);
    return { ok: true, kind: "Done", changed: true };
  },
};
