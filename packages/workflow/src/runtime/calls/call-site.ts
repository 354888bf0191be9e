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
 * CS5. A body that makes many calls at once makes them over several turns of the event loop, in their order (turns.ts TU1). It gets no answer until all
 *      are made: a replay must know everything that the body asks for before it decides what comes first.
 */
import type { Clock } from "@raftoral/raft-core";
import type { HistoryRecord, RecordKind, RecordPosition } from "../../model/record.ts";
import type { Activity } from "../execution/activity.ts";
import type { Answers } from "../execution/answers.ts";
import type { ContextGuard } from "../execution/context-guard.ts";
import { type History, never } from "../execution/history.ts";
import type { Interception } from "../execution/interception.ts";
import type { Interruption } from "../execution/interruption.ts";
import type { Turns } from "../execution/turns.ts";

/** What a call site is made of. */
export interface CallSiteParts {
  readonly history: History;
  readonly answers: Answers;
  readonly interruption: Interruption;
  readonly activity: Activity;
  readonly guard: ContextGuard;
  readonly turns: Turns;
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
  /** Asks for the records that belong to this one, where the call itself does not: it is answered from its record, or refused. */
  readonly askForOthers?: () => void;
}

/** The call site of one body. Every call of the body's context goes through `call`, and each of its records through `once` (CS1 to CS5). */
export class CallSite {
  readonly history: History;
  readonly activity: Activity;
  readonly interruption: Interruption;
  /** Whether a call comes from where it may. */
  readonly guard: ContextGuard;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly maxPayloadBytes: number;
  readonly #answers: Answers;
  readonly #interception: Interception | undefined;
  #open = 0;
  /** Of these, how many wait for a turn, and the way to give answers again (CS5). */
  #deferred = 0;
  #giveAnswers = (): void => {};
  /** Calls that wait for an answer from the record. */
  #replays = 0;
  /** The body has got an answer that no earlier owner recorded: it comes after all that they did. */
  #isBeyondRecord = false;
  /** Paths of steps that are not recorded, or whose record is not answered yet. */
  readonly #steps = new Set<string>();

  constructor(parts: CallSiteParts) {
    this.history = parts.history;
    this.activity = parts.activity;
    this.interruption = parts.interruption;
    this.guard = parts.guard;
    this.turns = parts.turns;
    this.clock = parts.clock;
    this.maxPayloadBytes = parts.maxPayloadBytes;
    this.#answers = parts.answers;
    this.#interception = parts.interception;
  }

  /** Context calls of the body that have not settled. */
  get open(): number {
    return this.#open;
  }

  /** Whether the body waits for nothing but one call. */
  get isAlone(): boolean {
    return this.#open === 1;
  }

  /** Whether the body is answered from what earlier owners recorded: they have carried out what it does now. */
  get isReplaying(): boolean {
    return !this.#isBeyondRecord && (this.#replays > 0 || this.history.isLeft);
  }

  /** Whether several calls are open, so that the order of their answers matters. */
  get hasSeveral(): boolean {
    return this.#open > 1;
  }

  /** Paths of the steps that the body has begun and that have not been answered, the oldest first. */
  get stepsUnderWay(): readonly string[] {
    return [...this.#steps];
  }

  /** Runs one context call of the body, from its beginning to its answer (CS2, CS3). */
  async call<T>(run: () => Promise<T>): Promise<T> {
    if (this.interruption.isOver) return never();
    this.#open += 1;
    try {
      const turn = this.turns.next();
      if (turn !== undefined) await this.#inTurn(turn);
      const value = await run();
      return this.interruption.isOver ? never() : value;
    } catch (error) {
      if (!this.interruption.isOver && this.#isCancellation(error)) {
        await this.history.quiet();
        await this.#answers.last();
        this.interruption.tell();
      }
      if (this.interruption.isOver) return never();
      throw error;
    } finally {
      this.#open -= 1;
      this.activity.settled();
    }
  }

  /** Answers from the record, or has one made (CS1). To be used within {@link call}. */
  async once<T>({ path, kind, record, answer, askForOthers }: RecordedCall<T>): Promise<T> {
    this.#interception?.callBegins(path, kind, this.history.has(path));
    const found = this.history.find(path, kind);
    if (found !== undefined) {
      askForOthers?.();
      this.#replays += 1;
      await this.#answers.recorded(found.position);
      this.#replays -= 1;
      if (this.interruption.isOver) return never();
      this.#interception?.callAnswered(path, kind, true);
      return answer(found);
    }
    if (kind === "step") this.#steps.add(path);
    try {
      const gate = this.gate();
      if (gate !== undefined) {
        askForOthers?.();
        await gate;
      }
      this.#answers.opened(path);
      const recorded = await record();
      const turn = this.#answers.fresh(path, recorded.position, this.isAlone);
      if (turn !== undefined) await turn;
      if (this.interruption.isOver) return never();
      this.#isBeyondRecord = true;
      this.#interception?.callAnswered(path, kind, false);
      return answer(recorded);
    } finally {
      this.#answers.closed(path);
      this.#steps.delete(path);
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

  /**
   * Runs `begin`, which does nothing but {@link record}: at once when the body waits for nothing else, for the record then travels with what is staged;
   * else once everything staged is committed, and only if the run is not cancelled by then.
   */
  whenRecordable<T>(begin: () => Promise<T>): Promise<T> {
    return this.isAlone ? begin() : this.whenSettled(begin);
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

  async #inTurn(turn: Promise<void>): Promise<void> {
    if (this.#deferred === 0) this.#giveAnswers = this.#answers.suspend();
    this.#deferred += 1;
    await turn;
    this.#deferred -= 1;
    if (this.#deferred === 0) this.#giveAnswers();
    if (this.interruption.isOver) await never();
  }

  #isCancellation(error: unknown): boolean {
    const { cancelled } = this.interruption;
    return cancelled !== undefined && error === cancelled;
  }
}
