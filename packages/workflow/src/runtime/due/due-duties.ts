/**
 * The leader's part in what is to happen at a time: begins delayed runs when they are due, and fires schedules.
 *
 * DD1. What is due is in the state, in the order of time. The leader reads the first of it, and has one timer, however much there is.
 * DD2. Doing it twice, late, or by two leaders harms nothing: what has happened is not in the index any more, and the commands are judged when applied.
 * DD4. A schedule whose times cannot be computed here is left, and said with each attempt: it does not hold up the others.
 * DD3. What fails is tried again with the next look, after a second at the latest.
 */
import type { Cancel, Clock, Logger } from "@raftoral/raft-core";
import { WorkflowError } from "../../errors.ts";
import type { ScheduleView } from "../../state/schedules/schedule-table.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { Repeated } from "../repeated.ts";
import type { RuntimeProbe } from "../runtime-probe.ts";
import { nextStep } from "../schedules/next-step.ts";
import { Timings } from "../schedules/timings.ts";
import { DutyClock, type DutyTime } from "./duty-clock.ts";

/** Longest time for which the timer is set: a look at the clock is made at least as often. */
const MAX_TIMER_MS = 60_000;
/** Schedules that are fired at once. */
const SCHEDULES_AT_ONCE = 256;
/** When to look again after a command that did nothing. */
const RETRY_MS = 1000;

/** What {@link DueDuties} is made of. */
export interface DueDutiesOptions {
  readonly engine: WorkflowEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node leads, and goes on. */
  readonly goOn: () => boolean;
  /** Told of every occurrence that this leader fires. */
  readonly probe?: RuntimeProbe | undefined;
}

/** The duties of one node; its owner calls it only while the node leads (DD1 to DD3). */
export class DueDuties {
  readonly #options: DueDutiesOptions;
  readonly #time: DutyClock;
  readonly #work: Repeated;
  readonly #timings = new Timings();
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
      const { beginsAtMs, delayEndsMs, scheduleDueMs } = await engine.agenda();
      const runLeftMs = Math.min(beginsAtMs - now.timeOfDayMs, delayEndsMs - now.delaysMs);
      const scheduleLeftMs = scheduleDueMs - now.timeOfDayMs;
      const leftMs = Math.min(runLeftMs, scheduleLeftMs);
      if (leftMs > 0) {
        this.#setTimer(leftMs);
        return;
      }
      const hasBegun = runLeftMs <= 0 && (await this.#beginRuns(now));
      const hasFired = scheduleLeftMs <= 0 && (await this.#fire(now));
      if (!hasBegun && !hasFired) {
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

  /** Resolves with whether something has happened. */
  async #fire({ timeOfDayMs }: DutyTime): Promise<boolean> {
    const due = await this.#options.engine.dueSchedules(timeOfDayMs, SCHEDULES_AT_ONCE);
    const fired = await Promise.all(due.map((schedule) => this.#fireOne(schedule, timeOfDayMs)));
    return fired.includes(true);
  }

  async #fireOne(schedule: ScheduleView, nowMs: number): Promise<boolean> {
    const { engine, clock, logger, probe } = this.#options;
    try {
      const timing = this.#timings.of(schedule.settings.timing);
      const step = nextStep(schedule, { timing, nowMs, atMs: clock.wallMs() });
      if (step === undefined) return false;
      const result = await engine.propose(step);
      if (!result.ok || result.kind !== "ScheduleAnswered" || !result.changed) return false;
      const { occurrenceMs, missed } = step;
      const latenessMs = occurrenceMs === 0 ? undefined : nowMs - timing.dueMs(schedule.scheduleId, occurrenceMs);
      probe?.scheduleFired?.({ outcome: result.outcome, missed, latenessMs });
      return true;
    } catch (error) {
      const isWrong = error instanceof WorkflowError && error.code === "SCHEDULE_INVALID";
      const said = { err: error, scheduleId: schedule.scheduleId };
      if (isWrong) logger.warn(said, "The times of a schedule cannot be computed here. Update the schedule.");
      else logger.debug(said, "a schedule waits for the next look");
      return false;
    }
  }

  #setTimer(leftMs: number): void {
    this.#cancelTimer();
    if (leftMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#options.clock.after(Math.min(leftMs, MAX_TIMER_MS), () => {
      if (this.#options.goOn()) this.look();
    });
  }
}
