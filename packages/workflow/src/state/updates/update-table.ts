/**
 * The updates of runs: those that wait or are under way, and the latest that were answered.
 *
 * UT1. A run has at most one update of an id. It is found by one look-up, however many there are.
 * UT2. Answered updates are remembered up to a number and up to so many bytes, the latest ones: the one that was answered first is forgotten first.
 * UT3. The head of a run says how many there are (model/update.ts), so that a run without updates reads nothing.
 * UT4. When a run ends, what is pending is dropped, and what is accepted has failed: it is not executed again, whatever becomes of the run's id. When it continues as
 *      new, or another run follows under its id, all go to the new one.
 * UT5. An update whose acceptance a retry takes back has failed, whatever it was answered with before: the history does not have it any more. It is asked for again under
 *      another id.
 */
import type { StateKey, StateStore } from "@raftoral/raft-core";
import { isUndone, type RunMending } from "../../model/mending.ts";
import type { RecordPosition } from "../../model/record.ts";
import { type CallingRun, type CallOutcome, originOf } from "../../model/runs/calling-run.ts";
import {
  MAX_ANSWERED_UPDATE_BYTES,
  MAX_ANSWERED_UPDATES,
  NO_UPDATES,
  type OpenUpdate,
  type UpdateTotals,
} from "../../model/update.ts";
import { KEY_PREFIX, numberKey, rangeOf, updateKey, updatePlaceKey } from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { readFrom } from "../streams/stream-codec.ts";
import type { OwedAnswers } from "./owed-answers.ts";
import { putUpdate, type UpdateRecord, updateCodec } from "./update-codec.ts";

/** What somebody asks a run for. */
export interface AskedUpdate {
  readonly updateId: string;
  readonly name: string;
  readonly input: Uint8Array;
  /** Of the input's value; absent for an input that is not compared. */
  readonly inputDigest?: Uint8Array;
  /** The run that waits for the answer, if a run does. */
  readonly caller?: CallingRun;
}

/** An answer to an update. */
export interface UpdateAnswered {
  readonly status: "completed" | "failed";
  readonly value: Uint8Array;
}

const NOTHING: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();
/** What an update failed of whose run ended before it was answered. */
const UNANSWERED: UpdateAnswered = Object.freeze({
  status: "failed",
  value: encoder.encode(
    JSON.stringify({
      name: "WorkflowError",
      message: "The run ended before the handler did. Ask for the run's result instead.",
      code: "WORKFLOW_FINISHED",
    }),
  ),
});
/** What an update failed of that a retry has taken back (UT5). */
const TAKEN_BACK: UpdateAnswered = Object.freeze({
  status: "failed",
  value: encoder.encode(
    JSON.stringify({
      name: "WorkflowError",
      message:
        "The run was retried from before this update, so that what its handler did does not count. Ask again under another id.",
    }),
  ),
});
/** Why a call was not taken whose update the run had not accepted when it ended. */
const FINISHED: Uint8Array = new TextEncoder().encode(
  JSON.stringify({
    message: "The run ended before it accepted the update. Call it again.",
    code: "WORKFLOW_FINISHED",
  }),
);
const decoder = new TextDecoder();

/** The updates of one state machine, over its store (UT1 to UT5). Each method that changes them gives the totals for the run's head. */
export class UpdateTable {
  readonly #store: StateStore;
  readonly #owed: OwedAnswers;

  constructor(store: StateStore, owed: OwedAnswers) {
    this.#store = store;
    this.#owed = owed;
  }

  /** The update of this id, if the run knows it. */
  find({ startKey, head }: RunRecord, id: string): UpdateRecord | undefined {
    if (head.updates === undefined) return undefined;
    const found = this.#store.get(updateKey(startKey, id));
    return found === undefined ? undefined : readFrom(updateCodec, found);
  }

  /** Those that are not answered, in the order in which they came. */
  open(run: RunRecord): readonly OpenUpdate[] {
    if ((run.head.updates?.open ?? 0) === 0) return [];
    return [...this.#all(run)]
      .filter(({ place }) => place === 0)
      .sort((a, b) => a.number - b.number)
      .map(openUpdate);
  }

  /** A caller asks for an update, which the run does not know. */
  add(
    { startKey, head }: RunRecord,
    { updateId: id, name, input, inputDigest = NOTHING, caller }: AskedUpdate,
  ): AddedUpdate {
    const before = head.updates ?? NO_UPDATES;
    const number = before.latest + 1;
    const asked = { id, name, number, status: "pending", value: input, place: 0, position: 0, inputDigest } as const;
    const update: UpdateRecord = caller === undefined ? asked : { ...asked, caller };
    putUpdate(this.#store, startKey, update);
    const openBytes = before.openBytes + input.length;
    return { update, totals: { ...before, latest: update.number, open: before.open + 1, openBytes } };
  }

  /** The owner has accepted a pending update: the history has its input from now on, at this position. */
  accept({ startKey, head }: RunRecord, update: UpdateRecord, position: RecordPosition): UpdateTotals {
    const before = head.updates ?? NO_UPDATES;
    putUpdate(this.#store, startKey, { ...update, status: "accepted", value: NOTHING, position });
    return { ...before, openBytes: before.openBytes - update.value.length };
  }

  /**
   * The owner has refused a pending update. That of a body is kept as an answer: another owner of its caller asks again under the same id, and hears the same. Any
   * other caller has heard the refusal, and its id is free again.
   */
  drop(run: RunRecord, update: UpdateRecord, why: Uint8Array): UpdateTotals {
    const { startKey, head } = run;
    const { id, value } = update;
    const before = head.updates ?? NO_UPDATES;
    if (update.caller !== undefined) {
      return this.answer(
        run,
        update,
        { status: "failed", value: why },
        { ...before, openBytes: before.openBytes - value.length },
      );
    }
    this.#store.delete(updateKey(startKey, id));
    this.#tell(run, update, "failed", why);
    return { ...before, open: before.open - 1, openBytes: before.openBytes - value.length };
  }

  /** An accepted update is answered. Forgets the answers that are too many then (UT2). */
  answer(
    run: RunRecord,
    update: UpdateRecord,
    { status, value }: UpdateAnswered,
    before: UpdateTotals = run.head.updates ?? NO_UPDATES,
  ): UpdateTotals {
    const { startKey } = run;
    const answered = before.answered + 1;
    this.#tell(run, update, status, value);
    putUpdate(this.#store, startKey, { ...update, status, value, place: answered });
    let { forgotten } = before;
    let answeredBytes = before.answeredBytes + value.length;
    while (
      answered - forgotten > MAX_ANSWERED_UPDATES ||
      (answeredBytes > MAX_ANSWERED_UPDATE_BYTES && answered - forgotten > 1)
    ) {
      forgotten += 1;
      answeredBytes -= this.#forget(startKey, forgotten);
    }
    return { ...before, open: before.open - 1, answered, forgotten, answeredBytes };
  }

  /** The run ends: what is pending is dropped, and what is under way has failed (UT4). */
  close(run: RunRecord): UpdateTotals | undefined {
    const { updates } = run.head;
    if (updates === undefined || updates.open === 0) return updates;
    let totals = updates;
    for (const update of [...this.#all(run)].filter(({ place }) => place === 0).sort((a, b) => a.number - b.number)) {
      if (update.status === "accepted") totals = this.answer(run, update, UNANSWERED, totals);
      else if (update.caller !== undefined)
        totals = this.answer(run, update, { status: "failed", value: FINISHED }, totals);
      else {
        this.#store.delete(updateKey(run.startKey, update.id));
      }
    }
    return { ...totals, open: 0, openBytes: 0 };
  }

  /** A run that has ended goes on, and of its records some do not count any more: what it accepted there has failed (UT5). */
  takeBack(run: RunRecord, mending: RunMending): UpdateTotals | undefined {
    const { updates } = run.head;
    if (updates === undefined || updates.answered === updates.forgotten) return updates;
    let { answeredBytes } = updates;
    for (const update of [...this.#all(run)]) {
      const { position, value } = update;
      if (position === 0 || !isUndone(mending, "update", position)) continue;
      putUpdate(this.#store, run.startKey, { ...update, ...TAKEN_BACK });
      answeredBytes += TAKEN_BACK.value.length - value.length;
    }
    return { ...updates, answeredBytes };
  }

  /** What a run has goes to its next generation, or to the run that follows under its id (UT4). What stays behind is swept with the old one's records. */
  move(from: RunRecord, to: StateKey): void {
    if (from.head.updates === undefined) return;
    for (const update of [...this.#all(from)]) putUpdate(this.#store, to, update);
  }

  /** The run that called is owed the answer (owed-answers.ts OA1). */
  #tell({ startIndex }: RunRecord, { caller, number }: UpdateRecord, status: CallOutcome, value: Uint8Array): void {
    if (caller !== undefined) this.#owed.put({ startIndex, number, caller, status, value });
  }

  *#all({ startIndex }: RunRecord): Generator<UpdateRecord> {
    for (const [, record] of this.#store.scan(...rangeOf(KEY_PREFIX.update, startIndex)))
      yield readFrom(updateCodec, record);
  }

  /** Gives how many bytes the answer had. */
  #forget(startKey: StateKey, place: number): number {
    const placeKey = updatePlaceKey(startKey, numberKey(place));
    const id = this.#store.get(placeKey);
    this.#store.delete(placeKey);
    if (id === undefined) return 0;
    const key = updateKey(startKey, decoder.decode(id));
    const update = this.#store.get(key);
    this.#store.delete(key);
    return update === undefined ? 0 : readFrom(updateCodec, update).value.length;
  }
}

/** An update that is not answered, for the run's owner. */
export function openUpdate({ id, name, number, status, value, caller }: UpdateRecord): OpenUpdate {
  const update = { id, name, number, isAccepted: status === "accepted", input: value };
  return caller === undefined ? update : { ...update, calledBy: originOf(caller) };
}

/** An update that was added, and what its run has then. */
export interface AddedUpdate {
  readonly update: UpdateRecord;
  readonly totals: UpdateTotals;
}
