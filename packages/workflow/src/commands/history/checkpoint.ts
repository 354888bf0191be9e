/** Checkpoint: a run's owner records what happened at one path. The first record at a path stands; later ones are answered with it. */
import type { NodeId } from "@raftoral/raft-core";
import { RECORD_KINDS, type RecordKind } from "../../model/record.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import { bytes, named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import { record } from "../put-record.ts";
import type { Recorded } from "../results.ts";

/** One record of a run. Answered with Recorded: the record that the path has from then on. `atMs` is the owner's clock, in ms since the epoch. */
export interface Checkpoint {
  readonly kind: "Checkpoint";
  readonly runId: string;
  /** The path: enclosing scopes, name, occurrence, e.g. `ship/label#1`. */
  readonly path: string;
  readonly value: Uint8Array;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  readonly recordKind: RecordKind;
}

export const checkpoint = defineCommand<Checkpoint, Recorded>({
  kind: "Checkpoint",
  field: 3,
  summary: "Records the answer of a context call at its path.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    path: string(2),
    value: bytes(3),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
    recordKind: named(19, RECORD_KINDS, "record kind"),
  },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    return found.ok ? record(tables, found, command.path, command.recordKind, command.value) : found;
  },
});
