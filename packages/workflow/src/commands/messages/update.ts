/**
 * Update: a caller asks the body of a run to do something, and waits for the answer. The same id again is one update.
 *
 * UP1. An id names one update. As long as the run remembers its answer, an update that is asked for again is answered with it, also after the run's end. Another one under
 *      its id, by its name or by the digest of its input, is refused with UPDATE_CONFLICT.
 * UP2. It is kept until the run's owner accepts or refuses it (history/update-answer.ts). Only a number of them, and of bytes, is kept at a time.
 * UP3. An update may be asked for by the body of another run: by its present owner, with an id that follows from the call. That run hears the answer by a command
 *      (call-answered.ts).
 */
import { type CallingRun, callingRunCodec, NO_CALLER } from "../../model/runs/calling-run.ts";
import { SET_VARIABLE, variableIn } from "../../model/set-variable.ts";
import {
  MAX_OPEN_UPDATE_BYTES,
  MAX_OPEN_UPDATES,
  MAX_UPDATE_ID_LENGTH,
  NO_UPDATES,
  shownUpdateName,
  type UpdateStatus,
} from "../../model/update.ts";
import { sameBytes } from "../../records/same-bytes.ts";
import type { Tables } from "../../state/tables.ts";
import { openUpdate } from "../../state/updates/update-table.ts";
import { bytes, message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { type Running, runningRun } from "../find-run.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { type Refused, refused } from "../refusal.ts";

/** An update of a run. Answered with UpdateTaken. Refused with UPDATE_BUFFER_FULL, UPDATE_CONFLICT, WORKFLOW_FINISHED, WORKFLOW_NOT_FOUND or COMMAND_INVALID. */
export interface Update extends GivenUpdate {
  readonly kind: "Update";
  readonly runId: string;
  readonly atMs: number;
  /** Who asks for it, where that is an operator (operators/operated.ts). */
  readonly by?: string;
  readonly reason?: string;
}

/** The run knows the update now. */
export interface UpdateTaken {
  readonly ok: true;
  readonly kind: "UpdateTaken";
  readonly status: UpdateStatus;
  /** False for one that the run knew before. */
  readonly changed: boolean;
  /** What it was answered with, or what it failed of; empty before. */
  readonly value: Uint8Array;
}

/** What a caller asks for. */
export interface GivenUpdate {
  readonly updateId: string;
  readonly name: string;
  readonly input: Uint8Array;
  /** Of the input's value, for the comparison with a repetition; absent for an input that is not compared. */
  readonly inputDigest?: Uint8Array;
  /** The run whose body asks, and hears the answer by CallAnswered. */
  readonly caller?: CallingRun;
}

const MAX_DIGEST_BYTES = 64;
const NOTHING: Uint8Array = new Uint8Array(0);

export const update = defineCommand<Update, UpdateTaken>({
  kind: "Update",
  field: 37,
  summary: "Asks the body of a run to do something and to answer, once for each id.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    updateId: string(2),
    name: string(3),
    input: bytes(4),
    atMs: uint(5),
    caller: optional(message(6, callingRunCodec, NO_CALLER)),
    inputDigest: optional(bytes(7)),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ runId, name, input }) => {
    const isVariable = name === SET_VARIABLE;
    return {
      action: isVariable ? "set-variable" : "update",
      subject: runId,
      detail: isVariable ? variableIn(input) : name,
    };
  },
  apply(tables, command) {
    const { runId } = command;
    const malformed = malformedUpdate(runId, command) ?? staleCaller(tables, runId, command);
    if (malformed !== undefined) return malformed;
    const known = knownUpdate(tables, runId, command);
    if (known !== undefined) return known;
    const found = runningRun(tables, runId);
    return found.ok ? takeUpdate(tables, found, command) : found;
  },
});

/** Refuses an update that no run takes. */
export function malformedUpdate(
  runId: string,
  { updateId, input, inputDigest = NOTHING }: GivenUpdate,
): Refused | undefined {
  if (updateId.length === 0 || updateId.length > MAX_UPDATE_ID_LENGTH) {
    return refused(
      "COMMAND_INVALID",
      `The id of an update of run ${runId} has ${updateId.length} characters. Give one of 1 to ${MAX_UPDATE_ID_LENGTH}.`,
    );
  }
  if (inputDigest.length > MAX_DIGEST_BYTES) {
    return refused(
      "COMMAND_INVALID",
      `The digest of the input of an update of run ${runId} has ${inputDigest.length} bytes. Give at most ${MAX_DIGEST_BYTES}.`,
    );
  }
  if (input.length <= MAX_OPEN_UPDATE_BYTES) return undefined;
  return refused(
    "COMMAND_INVALID",
    `The input of an update of run ${runId} has ${input.length} bytes. Give at most ${MAX_OPEN_UPDATE_BYTES}.`,
  );
}

/** Refuses a call of a run that has ended, or that has another owner by now (UP3). */
export function staleCaller({ runs }: Tables, target: string, { caller }: GivenUpdate): Refused | undefined {
  if (caller === undefined) return undefined;
  const { runId, startIndex, epoch } = caller;
  const run = runs.get(runId);
  if (run?.startIndex === startIndex && run.head.status === "running" && run.head.epoch === epoch) return undefined;
  return refused(
    "STALE_OWNER",
    `Run ${target} is not called: run ${runId}, which calls it, has ended, or has another owner than at epoch ${epoch}. Leave the run to that owner.`,
    { runId },
  );
}

/** How an update stands that the run knows (UP1). */
export function knownUpdate(
  { runs, updates }: Tables,
  runId: string,
  { updateId, name, inputDigest = NOTHING }: GivenUpdate,
): UpdateTaken | Refused | undefined {
  const run = runs.get(runId);
  const known = run === undefined ? undefined : updates.find(run, updateId);
  if (known === undefined) return undefined;
  if (known.name !== name) {
    const before = `Update ${updateId} of run ${runId} was asked for before as ${shownUpdateName(known.name)}`;
    return refused("UPDATE_CONFLICT", `${before}, and is ${shownUpdateName(name)} now. Give it another id.`, { runId });
  }
  if (known.inputDigest.length > 0 && inputDigest.length > 0 && !sameBytes(known.inputDigest, inputDigest)) {
    const text = `Update ${updateId} of run ${runId}, ${shownUpdateName(name)}, was asked for before with another input. Give it another id, or the same input.`;
    return refused("UPDATE_CONFLICT", text, { runId });
  }
  const { status, value } = known;
  return { ok: true, kind: "UpdateTaken", status, changed: false, value: status === "pending" ? NOTHING : value };
}

/** Keeps an update that the run does not know (UP2). */
export function takeUpdate(tables: Tables, { run }: Running, given: GivenUpdate): UpdateTaken | Refused {
  const { name, input } = given;
  const { runId, head } = run;
  const { open, openBytes } = head.updates ?? NO_UPDATES;
  if (open >= MAX_OPEN_UPDATES || openBytes + input.length > MAX_OPEN_UPDATE_BYTES) {
    return refused(
      "UPDATE_BUFFER_FULL",
      `Run ${runId} has ${open} updates that are not answered, as many or as much as it may. Ask for ${name} again once it has answered some.`,
      { runId },
    );
  }
  const { update: added, totals } = tables.updates.add(run, given);
  if (head.status === "running") tables.runs.update(run, { ...head, updates: totals });
  const { index, clock: atMs } = tables;
  tables.events.push({ type: "update-requested", index, atMs, runId, update: openUpdate(added) });
  return { ok: true, kind: "UpdateTaken", status: "pending", changed: true, value: NOTHING };
}
