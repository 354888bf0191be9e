/**
 * Answers that runs are owed which called other runs: an outbox, which the leader empties.
 *
 * OA1. An answer is put there by the command that gives it, and taken out when the calling run has it, or cannot get it any more.
 * OA2. An update is answered once, so its run and its number name the answer.
 */
import type { LogIndex, StateKey, StateRecord } from "@raftoral/raft-core";
import {
  CALL_OUTCOMES,
  type CallingRun,
  type CallOutcome,
  callingRunCodec,
  NO_CALLER,
} from "../../model/runs/calling-run.ts";
import { KEY_PREFIX, kindRange, numberKey } from "../../records/state-keys.ts";
import { bytes, message, named, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { holderEntry } from "../blobs/blob-references.ts";
import { readFrom, written } from "../streams/stream-codec.ts";

/** What the outbox is kept in. */
interface OwedStore {
  get(key: StateKey): Uint8Array | undefined;
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** Which update was answered (OA2). */
export interface AnsweredCall {
  /** Place of the start of the run that answered. */
  readonly startIndex: LogIndex;
  /** The number of the update. */
  readonly number: number;
}

/** An answer that a run is owed. */
export interface OwedAnswer extends AnsweredCall {
  readonly caller: CallingRun;
  readonly status: CallOutcome;
  /** The answer, or what the call failed of, as JSON. */
  readonly value: Uint8Array;
}

/** An answer that is owed, in the store and in a snapshot. */
export const owedCodec = messageCodec<OwedAnswer>(
  {
    startIndex: uint(1),
    number: uint(2),
    caller: message(3, callingRunCodec, NO_CALLER),
    status: named(4, CALL_OUTCOMES, "outcome of a call"),
    value: bytes(5),
  },
  {},
);

/** The key of an answer that is owed. */
export function owedKey({ startIndex, number }: AnsweredCall): StateKey {
  return KEY_PREFIX.owed + numberKey(startIndex) + numberKey(number);
}

/** The entry by which an answer names the blob of its value, if it refers to one. */
export function owedBlob(answer: OwedAnswer): readonly [StateKey, Uint8Array] | undefined {
  return holderEntry({ kind: "owed", key: owedKey(answer) }, answer.value);
}

/** The outbox of one state machine, over its store (OA1, OA2). */
export class OwedAnswers {
  readonly #store: OwedStore;
  /** Whether there may be any: the leader asks whenever a run has ended, and mostly there is none. */
  #exist = true;

  constructor(store: OwedStore) {
    this.#store = store;
  }

  /** A run is to hear of an answer. */
  put(answer: OwedAnswer): void {
    this.#exist = true;
    const key = owedKey(answer);
    this.#store.put(key, written(owedCodec, answer));
    const named = owedBlob(answer);
    if (named !== undefined) this.#store.put(...named);
  }

  /** The run has heard, or cannot hear any more. */
  told(answered: AnsweredCall): void {
    const key = owedKey(answered);
    const found = this.#store.get(key);
    if (found === undefined) return;
    const named = owedBlob(readFrom(owedCodec, found));
    if (named !== undefined) this.#store.delete(named[0]);
    this.#store.delete(key);
  }

  /** At most `limit` of the answers that are owed. */
  first(limit: number): readonly OwedAnswer[] {
    const answers: OwedAnswer[] = [];
    if (!this.#exist) return answers;
    for (const [, value] of this.#store.scan(...kindRange(KEY_PREFIX.owed))) {
      if (answers.length === limit) break;
      answers.push(readFrom(owedCodec, value));
    }
    this.#exist = answers.length > 0 || limit === 0;
    return answers;
  }
}
