/**
 * ContinueAsNew: ends a generation of a run and begins the next one, under the same id and owner, with an empty history and another input.
 *
 * CN1. One command: a crash leaves the old generation or the new one. The old one's records are swept in pieces, with the commands that follow
 *      (run-table.ts T4).
 * CN2. The new generation has a new epoch, so nothing that was proposed for the old one is applied to it.
 * CN3. It keeps what belongs to the run and not to the generation: parent, children, time limit, a cancellation that was asked for, and signals that wait. Streams and
 *      variables are the generation's.
 * CN4. With `orEnd`, the run ends in its place unless updates wait for it: whether they do is known where the command is applied, and nowhere before.
 * CN5. It may be of another version of the run's type, which the owner has registered; otherwise the version stays.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { needsOf } from "../../model/runs/run-needs.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import { bool, bytes, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import type { Done } from "../results.ts";

/** Begins the next generation of a run. Answered with Continued, or with Done when the run has ended in its place (CN4). Refused with STALE_OWNER unless it comes from the run's owner. */
export interface ContinueAsNew {
  readonly kind: "ContinueAsNew";
  readonly runId: string;
  readonly input: Uint8Array;
  /** The next generation's (CN5); as before by default. */
  readonly version?: number;
  /** Whether the run ends, completed and without a result, unless updates wait for it (CN4). */
  readonly orEnd?: boolean;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** The run's next generation has begun. */
export interface Continued {
  readonly ok: true;
  readonly kind: "Continued";
  readonly generation: number;
  readonly epoch: Epoch;
}

const COMPLETED: RunOutcome = Object.freeze({ status: "completed", result: new Uint8Array(0) });

export const continueAsNew = defineCommand<ContinueAsNew, Continued | Done>({
  kind: "ContinueAsNew",
  field: 35,
  summary: "Ends a generation of a run and begins the next one with an empty history.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    input: bytes(2),
    version: optional(uint(3)),
    orEnd: optional(bool(4)),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    if (command.orEnd === true && (found.head.updates?.open ?? 0) === 0) {
      tables.finish(found.run, found.head, COMPLETED);
      return { ok: true, kind: "Done", changed: true };
    }
    const needs = needsOf(found.run);
    const { version = needs.version } = command;
    const next = tables.nodes.taker(command.owner, { ...needs, version }) === undefined ? needs.version : version;
    const { generation, head } = tables.continue(found.run, found.head, command.input, next);
    return { ok: true, kind: "Continued", generation, epoch: head.epoch };
  },
});
