/**
 * The leader's part in what is to happen at a time: begins delayed runs when they are due.
 *
 * DD1. What is due is in the state, in the order of time. The leader reads the first of it, and has one timer, however much there is.
 * DD2. Doing it twice, late, or by two leaders harms nothing: what has happened is not in the index any more, and the commands are judged when applied.
 * DD3. What fails is tried again with the next look, after a second at the latest.
 */
import type { Cancel, Clock, Logger } from "@raftoral/raft-core";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { Repeated } from "../repeated.ts";
import { DutyClock, type DutyTime } from "./duty-clock.ts";

/** Longest time for which the timer is set: a look at the clock is made at least as often. */
const MAX_TIMER_MS = 60_000;
/** When to look again after a command that did nothing. */
const RETRY_MS = 1000;

/** What {@link DueDuties} is made of. */
export interface DueDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
}

/** The duties of one node; its owner calls it only while the node leads (DD1 to DD3). */
export class DueDuties {
  readonly #options: DueDutiesOptions;
  readonly #time: DutyClock;
  readonly #work: Repeated;
  #cancelTimer: Cancel = () => {};

  constructor(options: DueDutiesOptions) {
    this.#options = options;
    this.#time = new DutyClock(options.clock);
    this.#work = new Repeated(
      () => this.#attend(),
      (error) => options.logger.debug({ err: error }, "what is due waits for the next look"),
    );
  }

  /** This node begins to lead. */
  begin(): void {
    this.#time.begin();
    this.look();
  }

  /** Looks after what is due, and sets the timer for what is next. */
  look(): void {
    this.#work.wanted();
  }

  stop(): void {
    this.#cancelTimer();
  }

  async #attend(): Promise<void> {
    const { engine, goOn } = this.#options;
    while (goOn()) {
      const now = this.#time.now();
      const { beginsAtMs, delayEndsMs } = await engine.agenda();
      const leftMs = Math.min(beginsAtMs - now.timeOfDayMs, delayEndsMs - now.delaysMs);
      if (leftMs > 0) {
        this.#setTimer(leftMs);
        return;
      }
      if (!(await this.#beginRuns(now))) {
        this.#setTimer(RETRY_MS);
        return;
      }
    }
  }

  /** Resolves with whether runs have begun. */
  async #beginRuns({ timeOfDayMs: untilMs, delaysMs: delaysUntilMs }: DutyTime): Promise<boolean> {
    const { engine, clock } = this.#options;
    const result = await engine.propose({ kind: "BeginDue", untilMs, delaysUntilMs, atMs: clock.wallMs() });
    return result.ok && result.kind === "Begun" && result.begun > 0;
  }

  #setTimer(leftMs: number): void {
    this.#cancelTimer();
    if (leftMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#options.clock.after(Math.min(leftMs, MAX_TIMER_MS), () => {
      if (this.#options.goOn()) this.look();
    });
  }
}
