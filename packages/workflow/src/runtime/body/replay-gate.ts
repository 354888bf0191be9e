/**
 * Holds back what is new until a body has asked for everything that earlier owners recorded.
 *
 * RG1. No step's function, signal receipt or other call without a record begins while the history has records that the body has not asked for. So code that
 *      does not fit the history is found out before it does anything, and a branch that the record is about to cancel begins nothing again.
 * RG3. What a body has to have again before it does anything new ({@link ReplayGate.before}) is brought about when the history is used up, and calls wait for it.
 * RG2. A body that rests (all its open calls wait here, and no answer is left to give) with records left does not fit its history: that is reported once,
 *      after REST_MS, because a body may be waiting for something that is not recorded.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import type { RecordKind } from "../../model/record.ts";
import type { History } from "../history/history.ts";

/** How long a body must rest before it is said to differ from its history, in milliseconds. */
export const REST_MS = 2000;

/** What a {@link ReplayGate} is made of. */
export interface ReplayGateOptions {
  readonly history: History;
  readonly clock: Clock;
  /** Context calls of the body that have not settled. */
  readonly open: () => number;
  /** Whether an answer is left to give. */
  readonly isAnswering: () => boolean;
  /** The body asks for this call, and the history has something else (RG2). */
  readonly onRest: (path: string, kind: RecordKind) => void;
}

/** Where calls without a record wait until the history is used up (RG1), and where a body that does not fit it is found out (RG2). */
export class ReplayGate {
  readonly #options: ReplayGateOptions;
  #waiting: (() => void)[] = [];
  #first: { readonly path: string; readonly kind: RecordKind } | undefined;
  #cancelCheck: Cancel = () => {};
  #isTold = false;
  /** What is to be done before calls begin, and how much of it is under way (RG3). */
  #tasks: (() => Promise<void>)[] = [];
  #underWay = 0;

  constructor(options: ReplayGateOptions) {
    this.#options = options;
  }

  /** Undefined when a call without a record may begin; else resolves when it may. */
  pass(path: string, kind: RecordKind): Promise<void> | undefined {
    const { history } = this.#options;
    if (history.isAllAsked && this.#underWay === 0) return undefined;
    if (this.#waiting.length === 0 && !history.isAllAsked) {
      this.#first = { path, kind };
      history.whenAllAsked(() => this.#release());
      this.#check(history.left);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Has `task` done before any call without a record begins (RG3). It must not reject but for an execution that is over. */
  before(task: () => Promise<void>): void {
    const { history } = this.#options;
    this.#tasks.push(task);
    if (history.isAllAsked) this.#begin();
    else if (this.#tasks.length === 1) history.whenAllAsked(() => this.#begin());
  }

  /** The execution is over. */
  close(): void {
    this.#cancelCheck();
    this.#waiting = [];
    this.#isTold = true;
  }

  #begin(): void {
    for (const task of this.#tasks.splice(0)) {
      this.#underWay += 1;
      void task()
        .catch(() => {})
        .finally(() => {
          this.#underWay -= 1;
          if (this.#underWay === 0) this.#release();
        });
    }
  }

  #release(): void {
    this.#cancelCheck();
    this.#begin();
    if (this.#underWay > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  #check(leftBefore: number): void {
    const { history, clock, open, isAnswering, onRest } = this.#options;
    this.#cancelCheck = clock.after(REST_MS, () => {
      const { left } = history;
      const isAtRest = left === leftBefore && !isAnswering() && open() <= this.#waiting.length;
      if (!isAtRest || this.#first === undefined) this.#check(left);
      else if (!this.#isTold) {
        this.#isTold = true;
        onRest(this.#first.path, this.#first.kind);
      }
    });
  }
}
