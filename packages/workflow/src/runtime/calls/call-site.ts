/**
 * Where a body's context calls meet the run's record: one for each body.
 *
 * Role: everything that all calls have in common. A call finds its answer in the history or has it recorded, gets the answer in its turn, and is
 * refused, held or dropped when the run is cancelled, drained or lost. What a call records and answers is in a file of its own beside this one.
 *
 * CS1. What the body gets is always what is recorded: a value is decoded from its record on the first run too. A body that waits for one call only
 *      gets it before the commit; nothing of the body is seen outside before the commit (staged-records.ts SR2).
 * CS2. Once the run is lost, nothing is recorded and no call settles, whatever it waited for: no error handler of the body may take the loss for
 *      a failure of its work. The body is garbage from then on; the new owner's goes on.
 * CS3. A cancelled body is answered from its record as far as that goes; then every call throws CancelledError. Such a rejection queues behind
 *      every answer that is recorded or on its way into the record, on the first run and on every replay (answers.ts Q3).
 * CS4. Nothing new is recorded by a body that is held.
 */
import type { Clock } from "@raftoral/raft-core";
import type { HistoryRecord, RecordKind, RecordPosition } from "../../model/record.ts";
import type { Activity } from "../execution/activity.ts";
import type { Answers } from "../execution/answers.ts";
import { type History, never } from "../execution/history.ts";
import type { Interception } from "../execution/interception.ts";
import type { Interruption } from "../execution/interruption.ts";

/** What a call site is made of. */
export interface CallSiteParts {
  readonly history: History;
  readonly answers: Answers;
  readonly interruption: Interruption;
  readonly activity: Activity;
  readonly clock: Clock;
  /** Largest value that is recorded, in bytes. */
  readonly maxPayloadBytes: number;
  readonly interception: Interception | undefined;
}

/** One record of a call: where it is, how it comes about, and what it answers. */
export interface RecordedCall<T> {
  readonly path: string;
  readonly kind: RecordKind;
  /** Brings the record about. Called only when there is none. */
  readonly record: () => Promise<HistoryRecord>;
  /** What the record answers. May throw, as a failed step's does. */
  readonly answer: (record: HistoryRecord) => T;
  /** Called when the record is there already: for records that belong to this one. */
  readonly onReplay?: () => void;
}

export class CallSite {
  readonly history: History;
  readonly activity: Activity;
  readonly interruption: Interruption;
  readonly clock: Clock;
  readonly maxPayloadBytes: number;
  readonly #answers: Answers;
  readonly #interception: Interception | undefined;
  /** Context calls of the body that have not settled. */
  #open = 0;

  constructor(parts: CallSiteParts) {
    this.history = parts.history;
    this.activity = parts.activity;
    this.interruption = parts.interruption;
    this.clock = parts.clock;
    this.maxPayloadBytes = parts.maxPayloadBytes;
    this.#answers = parts.answers;
    this.#interception = parts.interception;
  }

  /** Whether the body waits for nothing but one call. */
  get isAlone(): boolean {
    return this.#open === 1;
  }

  /** Whether several calls are open, so that the order of their answers matters. */
  get hasSeveral(): boolean {
    return this.#open > 1;
  }

  /** Runs one context call of the body, from its beginning to its answer (CS2, CS3). */
  async call<T>(run: () => Promise<T>): Promise<T> {
    if (this.interruption.isOver) return never();
    this.#open += 1;
    try {
      const value = await run();
      return this.interruption.isOver ? never() : value;
    } catch (error) {
      if (!this.interruption.isOver && this.#isCancellation(error)) {
        await this.history.quiet();
        await this.#answers.last();
      }
      if (this.interruption.isOver) return never();
      throw error;
    } finally {
      this.#open -= 1;
    }
  }

  /** Answers from the record, or has one made (CS1). To be used within {@link call}. */
  async once<T>({ path, kind, record, answer, onReplay }: RecordedCall<T>): Promise<T> {
    this.#interception?.callBegins(path, kind, this.history.has(path));
    const found = this.history.find(path, kind);
    if (found !== undefined) {
      onReplay?.();
      await this.#answers.recorded(found.position);
      if (this.interruption.isOver) return never();
      this.#interception?.callAnswered(path, kind, true);
      return answer(found);
    }
    const gate = this.gate();
    if (gate !== undefined) await gate;
    try {
      this.#answers.opened(path);
      const recorded = await record();
      const turn = this.#answers.fresh(path, recorded.position, this.isAlone);
      if (turn !== undefined) await turn;
      if (this.interruption.isOver) return never();
      this.#interception?.callAnswered(path, kind, false);
      return answer(recorded);
    } finally {
      this.#answers.closed(path);
    }
  }

  /**
   * Records a call's value: after the answer when the body waits for nothing else, before it otherwise, because the log then decides what comes
   * first. `isRecomputable`: see {@link History.stage}.
   */
  record(path: string, kind: RecordKind, value: Uint8Array, isRecomputable = false): Promise<HistoryRecord> {
    if (!this.isAlone) return this.history.record(path, kind, value);
    return Promise.resolve(this.history.stage(path, kind, value, isRecomputable));
  }

  /**
   * Runs `begin` once everything that the body was answered with is committed, or a replay would answer alike: for what is seen outside of the
   * body.
   */
  whenSettled<T>(begin: () => Promise<T>): Promise<T> {
    const settled = this.history.settled();
    return settled === undefined ? begin() : settled.then(() => this.gate() ?? begin());
  }

  /** Waits for a turn after everything that is recorded: for what the log does not have. Undefined when it is its turn already. */
  afterRecord(path: string): Promise<void> | undefined {
    return this.#answers.fresh(path, Number.POSITIVE_INFINITY, this.isAlone);
  }

  /** What stands in the way of new work: a rejection when the run is cancelled, a promise that never settles when the body is held. */
  gate(): Promise<never> | undefined {
    if (this.interruption.isClosed) return never();
    const { cancelled } = this.interruption;
    return cancelled === undefined ? undefined : Promise.reject(cancelled);
  }

  /** The log has this path of the run, under this ownership. */
  committed(path: string, position: RecordPosition): void {
    // Alone there is nothing that could be answered before it.
    if (this.hasSeveral) this.#answers.committed(path, position);
  }

  #isCancellation(error: unknown): boolean {
    const { cancelled } = this.interruption;
    return cancelled !== undefined && error === cancelled;
  }
}
