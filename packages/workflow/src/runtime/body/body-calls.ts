/**
 * The open context calls of one body, over all of its branches: how many there are, which are steps, and when new ones begin.
 *
 * BC1. A body that makes many calls at once makes them over several turns of the event loop, in their order (turns.ts TU1). It gets no answer until all
 *      are made: a replay must know everything that the body asks for before it decides what comes first.
 * BC2. A receipt of a signal on its way counts beside the calls: its signal may go to any wait (signal-waits.ts SW1), so the log decides its place.
 * BC3. A sleep that ended alone, in a body without handlers, has no record of its end. The last one of them is known here, because a cancellation that was heard
 *      afterwards says so. A body that was taken out of memory has come to where it was once that sleep has ended again and it has asked for all that is recorded.
 * BC4. A body goes on in the turn of an answer, by microtasks alone. What goes on in another turn has awaited something else: a timer, I/O, an event.
 */
import type { Clock } from "@raftoral/raft-core";
import type { NonDeterminismError } from "../../author/errors/errors.ts";
import type { Attributes } from "../../model/attributes.ts";
import type { RecordPosition } from "../../model/record.ts";
import type { BehaviourLevel } from "../../model/runs/run-needs.ts";
import type { PayloadCoder } from "../../payloads/payload-coder.ts";
import type { StepUnderWay } from "../calls/steps/steps-under-way.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import type { History } from "../history/history.ts";
import type { Activity } from "./activity.ts";
import type { Answers } from "./answers.ts";
import type { BodyAlarms } from "./body-alarms.ts";
import { BodyAttributes } from "./body-attributes.ts";
import type { ContextGuard } from "./context-guard.ts";
import type { Interception } from "./interception.ts";
import type { Interruption } from "./interruption.ts";
import { type PendingCall, PendingCalls } from "./pending-calls.ts";
import type { ReplayGate } from "./replay-gate.ts";
import { SignalWaits } from "./signal-waits.ts";
import type { Turns } from "./turns.ts";

/** What the calls of a body share. */
export interface BodyParts {
  readonly history: History;
  readonly answers: Answers;
  readonly interruption: Interruption;
  readonly activity: Activity;
  readonly guard: ContextGuard;
  readonly replay: ReplayGate;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly alarms: BodyAlarms;
  /** The sleep that had ended last when the body was taken out of memory, of those whose end is not recorded (BC3). */
  readonly resumesAfter: string | undefined;
  /** Largest value that is recorded, in bytes. */
  readonly maxPayloadBytes: number;
  /** The payload codecs of this process. */
  readonly payloads: PayloadCoder;
  readonly interception: Interception | undefined;
  readonly run: { readonly runId: string; readonly initialAttributes: Attributes };
  /** Behaviours of the engine that the run has. */
  readonly behaviourLevel: BehaviourLevel;
  /** Nothing of the body is recorded: no answer is given before it stands in the log. */
  readonly isAgain: boolean;
  /** The body asks for something else than what is recorded. */
  readonly onDiverged: (error: NonDeterminismError) => void;
}

/** Counts and begins the context calls of one body (BC1 to BC3). All of its call sites share it. */
export class BodyCalls {
  readonly parts: BodyParts;
  readonly signals = new SignalWaits();
  #open = 0;
  /** Receipts of signals whose fate is not known, or whose turn has not come (BC2). */
  #receipts = 0;
  /** Calls that wait for a turn of the event loop, and the way to give answers again (BC1). */
  #deferred = 0;
  #giveAnswers = (): void => {};
  /** Calls that wait for an answer from the record, and whether the body has got one that no earlier owner recorded: that comes after all that they did. */
  #replays = 0;
  #isBeyondRecord = false;
  #lastWake: string | undefined;
  /** Whether messages begin handlers of the body, at any time: then the log has the end of every sleep, also of one that ends alone (BC3). */
  hasHandlers = false;
  /** Sets a variable of the body, by the names of its scopes and its own (handlers/settable-variables.ts). */
  readonly setters = new LazyMap<string, (value: unknown) => Promise<void>>();
  /** Records that the body has been answered with. */
  answers = 0;
  /** Undefined once the body has come to that sleep again. */
  #resumesAfter: string | undefined;
  #awaitedWake: { readonly path: string; readonly fn: () => void } | undefined;
  /** The turn in which the body got its latest answer, or began. */
  #awakeTurn = -1;
  /** Paths of steps that are not recorded, or whose record is not answered yet; with their attempts, once these have begun. */
  readonly steps = new LazyMap<string, StepUnderWay | undefined>();
  /** What its other open calls wait for. */
  readonly waits = new PendingCalls();
  /** What the body waits for now, steps first. */
  readonly pending = (): readonly PendingCall[] => {
    return [...Array.from(this.steps.keys(), (path) => ({ kind: "step", path }) as const), ...this.waits.all];
  };
  readonly attributes: BodyAttributes;
  /** What `ctx.patched` has answered, by id. */
  readonly patches = new LazyMap<string, boolean>();

  constructor(parts: BodyParts) {
    this.parts = parts;
    this.#resumesAfter = parts.resumesAfter;
    this.attributes = new BodyAttributes(parts.run.runId, parts.run.initialAttributes);
  }

  /** Context calls of the body that have not settled. */
  get open(): number {
    return this.#open;
  }

  /** Whether the body waits for nothing but one call, and may get its answer before the commit. */
  get isAlone(): boolean {
    return this.#open === 1 && this.#receipts === 0 && !this.parts.isAgain;
  }

  /** Whether several calls are open, so that the order of their answers matters. */
  get hasSeveral(): boolean {
    return this.#open + this.#receipts > 1;
  }

  /** Whether the body is answered from what earlier owners recorded: they have carried out what it does now. */
  get isReplaying(): boolean {
    return !this.#isBeyondRecord && (this.#replays > 0 || !this.parts.history.isAllAsked);
  }

  /** For an answer from the record: resolves when it is its turn. */
  async recorded(position: RecordPosition): Promise<void> {
    this.#replays += 1;
    await this.parts.answers.recorded(position);
    this.#replays -= 1;
  }

  /** The body gets an answer that no earlier owner recorded. */
  answeredAfresh(): void {
    this.#isBeyondRecord = true;
  }

  /** Path of the sleep that ended last of those whose end is not recorded (BC3). */
  get lastWake(): string | undefined {
    return this.#lastWake;
  }

  /** A sleep has ended without a record of its end. */
  woke(path: string): void {
    this.#lastWake = path;
    if (this.#resumesAfter === path) this.#resumesAfter = undefined;
    if (this.#awaitedWake?.path !== path) return;
    this.#awaitedWake.fn();
    this.#awaitedWake = undefined;
  }

  /** Calls back when that sleep has ended; in this call, if there is none to wait for. */
  whenWoken(path: string | undefined, fn: () => void): void {
    if (path === undefined || path === this.#lastWake) fn();
    else this.#awaitedWake = { path, fn };
  }

  /** Calls back when a body that was taken out of memory has ended the sleep again that it had ended last; in this call, if there is none (BC3). */
  whenResumed(fn: () => void): void {
    this.whenWoken(this.#resumesAfter, fn);
  }

  /** The body goes on in this turn: it begins, or has got an answer. */
  woken(): void {
    this.#awakeTurn = this.parts.turns.current;
  }

  /**
   * Whether the body makes a call in a turn in which it got no answer, while others are open: something that is not recorded has woken it, and may do so in another
   * order on a replay (BC4).
   */
  get isWokenByOthers(): boolean {
    return this.#open > 0 && this.parts.turns.current !== this.#awakeTurn;
  }

  began(): void {
    this.#open += 1;
    if (this.#open === 2) this.parts.history.flush();
  }

  settled(): void {
    this.#open -= 1;
    this.parts.activity.settled();
  }

  /** Asks for a signal, and gives its receipt its turn. */
  async receipt<T>(ask: () => Promise<T>): Promise<T> {
    this.#receipts += 1;
    try {
      return await ask();
    } finally {
      this.#receipts -= 1;
    }
  }

  /** The turn in which a call may begin; undefined when that is now (BC1). */
  turn(): Promise<void> | undefined {
    const turn = this.parts.turns.next();
    return turn === undefined ? undefined : this.deferred(turn);
  }

  /** Resolves in the next turn of the event loop. The body gets no answer before. */
  nextTurn(): Promise<void> {
    return this.deferred(new Promise((resolve) => this.parts.clock.soon(resolve)));
  }

  async deferred(turn: Promise<void>): Promise<void> {
    if (this.#deferred === 0) this.#giveAnswers = this.parts.answers.suspend();
    this.#deferred += 1;
    await turn;
    this.#deferred -= 1;
    if (this.#deferred === 0) this.#giveAnswers();
  }
}
