/**
 * Where the context calls of a branch of a body meet the run's record.
 *
 * Role: everything that all calls have in common. A call finds its answer in the history or has it recorded, gets the answer in its turn, and is
 * refused, held or dropped when its branch is cancelled, the node drains or the run is lost. What a call records and answers is in a file of its own
 * beside this one.
 *
 * CS1. What the body gets is always what is recorded: a value is decoded from its record on the first run too. A body that waits for one call only
 *      gets it before the commit; nothing of the body is seen outside before the commit (staged-records.ts SR2).
 * CS2. Once the run is lost, nothing is recorded and no call settles, whatever it waited for: no error handler of the body may take the loss for
 *      a failure of its work. The body is garbage from then on; the new owner's goes on.
 * CS3. When a branch is cancelled, its open calls reject in that turn, and later calls in the turn after. What is on its way into the record for
 *      them has its turn all the same, and answers nothing: a replay, which finds it in the record, does the same.
 * CS4. Nothing new is recorded by a body that is held.
 * CS5. A body that asks for something else than what is recorded gets no answer and no error: its run is held for code that fits.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { NonDeterminismError } from "../../author/errors/errors.ts";
import type { HistoryRecord, RecordKind, RecordPosition } from "../../model/record.ts";
import { type Behaviour, behaves } from "../behaviours.ts";
import type { BodyCalls } from "../body/body-calls.ts";
import type { Branch, CancellableCall } from "../body/branch.ts";
import type { ContextGuard } from "../body/context-guard.ts";
import { type History, never } from "../history/history.ts";
import type { Places } from "./steps/places.ts";

/** One record of a call: where it is, how it comes about, and what it answers. */
export interface RecordedCall<T> {
  readonly path: string;
  readonly kind: RecordKind;
  /** Brings the record about. Called only when there is none. */
  readonly record: () => Promise<HistoryRecord>;
  /** What the record answers. May throw, as a failed step's does. */
  readonly answer: (record: HistoryRecord) => T;
}

/** The call site of one body. Every call of the body's context goes through `call`, and each of its records through `once` (CS1 to CS5). */
export class CallSite {
  readonly body: BodyCalls;
  readonly branch: Branch;
  /** Of the innermost scope around the calls that bounds how many of its steps run at once. */
  readonly places: Places | undefined;
  readonly history: History;
  readonly clock: Clock;
  /** Whether a call comes from where it may. */
  readonly guard: ContextGuard;
  /** Largest value that is recorded, in bytes. */
  readonly maxPayloadBytes: number;

  constructor(body: BodyCalls, branch: Branch, places?: Places) {
    const { history, clock, guard, maxPayloadBytes } = body.parts;
    this.body = body;
    this.branch = branch;
    this.places = places;
    this.history = history;
    this.clock = clock;
    this.guard = guard;
    this.maxPayloadBytes = maxPayloadBytes;
  }

  /** The same body's calls in another branch. */
  within(branch: Branch): CallSite {
    return branch === this.branch ? this : new CallSite(this.body, branch, this.places);
  }

  /** The same branch's calls in a scope with places of its own. */
  bounded(places: Places): CallSite {
    return new CallSite(this.body, this.branch, places);
  }

  /** Whether the run has a numbered behaviour of the engine: where a replay would differ, code asks and keeps both forms (behaviours.ts BV2). */
  behaves(behaviour: Behaviour): boolean {
    return behaves(this.body.parts.behaviourLevel, behaviour);
  }

  /** Runs one context call of the body, from its beginning to its answer (CS2, CS3). */
  call<T>(run: () => Promise<T>): Promise<T> {
    return this.body.parts.interruption.isOver ? never() : new OpenCall(this.body, this.branch, run).answer;
  }

  /** Answers from the record, or has one made (CS1). To be used within {@link call}. */
  async once<T>({ path, kind, record, answer }: RecordedCall<T>): Promise<T> {
    const { body, history } = this;
    const { interruption, interception } = body.parts;
    interception?.callBegins(path, kind, history.has(path));
    const found = history.find(path, kind);
    let recorded = found;
    if (found !== undefined) await body.recorded(found.position);
    else {
      if (kind === "step") body.steps.set(path, undefined);
      try {
        const ready = this.ready(path, kind);
        if (ready !== undefined) await ready;
        recorded = await this.fresh(path, record);
      } finally {
        body.steps.delete(path);
      }
    }
    if (interruption.isOver || recorded === undefined) return never();
    interception?.callAnswered(path, kind, found !== undefined);
    body.answers += 1;
    return answer(recorded);
  }

  /** Brings a record about, and gives it its turn among the answers. */
  async fresh<R extends HistoryRecord | undefined>(path: string, record: () => R | Promise<R>): Promise<R> {
    const { answers } = this.body.parts;
    answers.opened(path);
    try {
      const recorded = await record();
      if (recorded === undefined) return recorded;
      const turn = answers.fresh(path, recorded.position, this.body.isAlone);
      if (turn !== undefined) await turn;
      this.body.answeredAfresh();
      return recorded;
    } finally {
      answers.closed(path);
    }
  }

  /** Undefined when a call that has no record may begin; else resolves when it may (replay-gate.ts RG1), or never. */
  ready(path: string, kind: RecordKind): Promise<void> | undefined {
    const replayed = this.body.parts.replay.pass(path, kind);
    return replayed === undefined ? this.gate() : replayed.then(() => this.gate());
  }

  /**
   * Records a call's value: after the answer when the body waits for nothing else, before it otherwise, because the log then decides what comes
   * first. `isRecomputable`: see {@link History.stage}.
   */
  record(
    path: string,
    kind: RecordKind,
    value: Uint8Array,
    isRecomputable = false,
  ): HistoryRecord | Promise<HistoryRecord> {
    if (!this.body.isAlone) return this.history.record(path, kind, value);
    return this.history.stage(path, kind, value, isRecomputable);
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
   * else once everything staged is committed, and only if the branch is not cancelled by then.
   */
  whenRecordable<T>(begin: () => Promise<T>): Promise<T> {
    return this.body.isAlone ? begin() : this.whenSettled(begin);
  }

  /** Something that takes one of the node's slots: a step, a record. */
  work<T>(fn: () => T | Promise<T>): Promise<T> {
    return this.body.parts.activity.work(this, fn);
  }

  /** A wait for a time or for somebody else, which needs no slot. */
  park(wait: () => Promise<void>): Promise<void> {
    return this.body.parts.activity.park(wait);
  }

  /** Calls `fn` once when the run's time has reached `atMs`, never in this turn: the end of a wait (body-alarms.ts). */
  alarm(atMs: number, fn: () => void): Cancel {
    return this.body.parts.alarms.at(atMs, fn);
  }

  /** For an answer from the record: resolves when it is its turn. */
  recorded(position: RecordPosition): Promise<void> {
    return this.body.recorded(position);
  }

  /** Waits for a turn after everything that is recorded: for what the log does not have. Undefined when it is its turn already. */
  afterRecord(path: string): Promise<void> | undefined {
    return this.body.parts.answers.fresh(path, Number.POSITIVE_INFINITY, this.body.isAlone);
  }

  /** What stands in the way of new work: a rejection when the branch is cancelled, a promise that never settles when the body is held. */
  gate(): Promise<never> | undefined {
    return this.body.parts.interruption.isClosed ? never() : this.branch.gate();
  }
}

/** One context call of a body that has not settled. */
class OpenCall<T> implements CancellableCall {
  readonly answer: Promise<T>;
  readonly #body: BodyCalls;
  readonly #branch: Branch;
  #isSettled = false;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(body: BodyCalls, branch: Branch, run: () => Promise<T>) {
    this.#body = body;
    this.#branch = branch;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    body.began();
    const { cancelled } = branch;
    if (cancelled !== undefined) {
      // The body gets its turn: code that catches everything and tries again leaves the event loop its own.
      void body.nextTurn().then(() => this.cancelled(cancelled));
      return;
    }
    branch.opened(this);
    const turn = body.turn();
    const begun = turn === undefined ? begin(run) : turn.then(run);
    begun.then(this.#succeeded, this.#failed);
  }

  cancelled(reason: Error): void {
    if (this.#settles()) this.#reject(reason);
  }

  readonly #succeeded = (value: T): void => {
    if (this.#settles()) this.#resolve(value);
  };

  readonly #failed = (error: unknown): void => {
    if (error instanceof NonDeterminismError) this.#body.parts.onDiverged(error);
    // A closed branch is about to be cancelled, and rejects its calls then.
    else if (!(this.#branch.isClosed && this.#branch.isReason(error)) && this.#settles()) this.#reject(error);
  };

  /** Whether the body gets an answer by this: the first one, unless the run is lost (CS2). */
  #settles(): boolean {
    if (this.#isSettled || this.#body.parts.interruption.isOver) return false;
    this.#isSettled = true;
    this.#branch.settled(this);
    this.#body.settled();
    this.#body.woken();
    return true;
  }
}

/** Begins a call whose path and arguments are taken: what it throws is its rejection. */
function begin<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error);
  }
}
