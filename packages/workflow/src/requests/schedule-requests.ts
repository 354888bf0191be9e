/**
 * Requests to schedules, over the engine of one node. The node that is asked computes times and proposes them with the change.
 *
 * SQ1. A change is proposed for the generation that was read; when another one came between, it is read and computed again, a few times.
 * SQ2. Payloads are bytes; nothing here decodes them.
 */
import { type Clock, platformClock } from "@raftoral/raft-core";
import type { WorkflowCommand } from "../commands/registry.ts";
import type { OccurrenceOutcome } from "../commands/schedules/occurrences.ts";
import type { ScheduleAnswered } from "../commands/schedules/schedule-changes.ts";
import type { ScheduleTrigger } from "../commands/schedules/schedule-trigger.ts";
import { WorkflowError } from "../errors.ts";
import type { OverlapPolicy, ScheduleSettings } from "../model/schedule.ts";
import { RetryingProposer } from "../runtime/engine/retrying-proposer.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import { Timing, type TimingSpec } from "../runtime/schedules/timing.ts";
import type { ScheduleView } from "../state/schedules/schedule-table.ts";
import type { OperatorRequest } from "./queue-requests.ts";
import type { RequestLimit } from "./request-limit.ts";

/** How often a change is computed again that met another one (SQ1). */
const ATTEMPTS = 5;

/** What a schedule is created with. */
export interface NewSchedule extends OperatorRequest {
  readonly scheduleId: string;
  readonly settings: Omit<ScheduleSettings, "timing">;
  readonly timing: TimingSpec;
  /** Why it is paused from the beginning; undefined: it is not. */
  readonly pauseNote: string | undefined;
  /** The same request again is done once. */
  readonly requestId: string;
}

/** What is changed of a schedule; the rest stays. */
export interface ScheduleUpdate extends OperatorRequest {
  readonly scheduleId: string;
  readonly settings: Partial<Omit<ScheduleSettings, "timing">>;
  /** What is there and undefined is taken away. */
  readonly timing: { readonly [Name in keyof TimingSpec]?: TimingSpec[Name] | undefined };
  readonly requestId: string;
}

/** Occurrences of the past that are to be run. Times are ms since the epoch, both inclusive. */
export interface BackfillRequest extends OperatorRequest {
  readonly scheduleId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly overlap: OverlapPolicy;
  readonly requestId: string;
}

/** A request that names a schedule and says why. */
export interface NamedSchedule {
  readonly scheduleId: string;
  /** Why. */
  readonly note: string;
  /** Who asks for it. */
  readonly by?: string;
}

/** Requests to schedules over one engine. A limit bounds each. All reject with the engine's errors, too. */
export class ScheduleRequests {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #proposer: RetryingProposer;

  constructor(engine: WorkflowEngine, clock: Clock = platformClock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#proposer = new RetryingProposer(engine, clock);
  }

  /** Resolves once the schedule is committed. Rejects with SCHEDULE_INVALID, SCHEDULE_EXISTS or WORKFLOW_TYPE_UNKNOWN. */
  async create(schedule: NewSchedule, limit: RequestLimit): Promise<void> {
    const { scheduleId, settings, timing: given, pauseNote, ...asked } = schedule;
    const timing = new Timing(given);
    const own = { scheduleId, generation: 0, settings: { ...settings, timing: timing.encode() }, ...asked };
    const paused = { isPaused: pauseNote !== undefined, note: pauseNote ?? "" };
    await this.#propose({ kind: "ScheduleSet", ...own, ...paused, ...this.#next(scheduleId, timing) }, limit);
  }

  /** Resolves once the change is committed: the schedule goes on with the first occurrence from now. Rejects as {@link create} does, with SCHEDULE_NOT_FOUND, and with SCHEDULE_CHANGED. */
  async update(
    { scheduleId, settings, timing: changes, requestId, ...operator }: ScheduleUpdate,
    limit: RequestLimit,
  ): Promise<void> {
    await this.#again(scheduleId, limit, async (schedule) => {
      if (schedule.requestId === requestId) return;
      const timing = new Timing(merged(Timing.decode(schedule.settings.timing).spec, changes));
      const next = { ...schedule.settings, ...settings, timing: timing.encode() };
      const own = { scheduleId, generation: schedule.generation, settings: next, requestId, isPaused: false, note: "" };
      await this.#propose({ kind: "ScheduleSet", ...own, ...operator, ...this.#next(scheduleId, timing) }, limit);
    });
  }

  /** Resolves once it is committed that the schedule fires nothing more. Rejects with SCHEDULE_NOT_FOUND. */
  async pause(schedule: NamedSchedule, limit: RequestLimit): Promise<void> {
    await this.#change({ ...schedule, action: "pause", generation: 0, nextMs: 0, nextDueMs: 0 }, limit);
  }

  /** Resolves once it is committed that the schedule goes on, with the first occurrence from now. Rejects with SCHEDULE_NOT_FOUND. */
  async resume(schedule: NamedSchedule, limit: RequestLimit): Promise<void> {
    const { scheduleId } = schedule;
    const { generation, settings } = await this.#present(scheduleId);
    const { atMs: _, ...next } = this.#next(scheduleId, Timing.decode(settings.timing));
    await this.#change({ ...schedule, action: "resume", generation, ...next }, limit);
  }

  /** Resolves once it is committed that there is no such schedule. */
  async delete(schedule: NamedSchedule, limit: RequestLimit): Promise<void> {
    await this.#change({ ...schedule, action: "delete", generation: 0, nextMs: 0, nextDueMs: 0 }, limit);
  }

  /** Runs the schedule's workflow now. Resolves with what became of that once it is committed. Rejects with SCHEDULE_NOT_FOUND. */
  async trigger(trigger: Omit<ScheduleTrigger, "kind" | "atMs">, limit: RequestLimit): Promise<OccurrenceOutcome> {
    const answer = await this.#propose({ kind: "ScheduleTrigger", ...trigger, atMs: this.#clock.wallMs() }, limit);
    return answer.outcome ?? "skipped";
  }

  /** Resolves once the backfill is committed; it is carried out from then on. Rejects with SCHEDULE_NOT_FOUND, SCHEDULE_INVALID or SCHEDULE_CHANGED. */
  async backfill({ scheduleId, fromMs, ...rest }: BackfillRequest, limit: RequestLimit): Promise<void> {
    await this.#again(scheduleId, limit, async ({ generation, settings }) => {
      const firstMs = Timing.decode(settings.timing).nextMs(fromMs - 1);
      const own = { scheduleId, generation, firstMs, ...rest, atMs: this.#clock.wallMs() };
      await this.#propose({ kind: "ScheduleBackfill", ...own }, limit);
    });
  }

  async #change(
    change: Omit<Extract<WorkflowCommand, { readonly kind: "ScheduleChange" }>, "kind" | "atMs">,
    limit: RequestLimit,
  ): Promise<void> {
    await this.#propose({ kind: "ScheduleChange", ...change, atMs: this.#clock.wallMs() }, limit);
  }

  /** SQ1. */
  async #again(
    scheduleId: string,
    limit: RequestLimit,
    change: (schedule: ScheduleView) => Promise<void>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.#engine.barrier(Number.isFinite(limit.timeoutMs) ? { timeoutMs: limit.timeoutMs } : {});
      try {
        await change(await this.#present(scheduleId));
        return;
      } catch (error) {
        const isRaced = error instanceof WorkflowError && error.code === "SCHEDULE_CHANGED";
        if (!isRaced || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #present(scheduleId: string): Promise<ScheduleView> {
    const schedule = await this.#engine.schedule(scheduleId);
    if (schedule === undefined) throw scheduleNotFound(scheduleId);
    return schedule;
  }

  #next(
    scheduleId: string,
    timing: Timing,
  ): { readonly nextMs: number; readonly nextDueMs: number; readonly atMs: number } {
    const atMs = this.#clock.wallMs();
    const nextMs = timing.nextMs(atMs);
    return { nextMs, nextDueMs: timing.dueMs(scheduleId, nextMs), atMs };
  }

  async #propose(command: WorkflowCommand, limit: RequestLimit): Promise<ScheduleAnswered> {
    const endMs = this.#clock.monotonicMs() + limit.timeoutMs;
    const goOn = (): boolean => this.#clock.monotonicMs() < endMs && limit.signal?.aborted !== true;
    const timeoutMs = (): number => Math.max(1, Math.floor(endMs - this.#clock.monotonicMs()));
    const timed = Number.isFinite(limit.timeoutMs) ? { timeoutMs } : {};
    const result = await this.#proposer.propose(command, { goOn, ...timed, signal: limit.signal });
    if (!result.ok) throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
    return result as ScheduleAnswered;
  }
}

function merged(spec: TimingSpec, changes: ScheduleUpdate["timing"]): TimingSpec {
  const all = Object.entries({ ...spec, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(all) as unknown as TimingSpec;
}

/** The failure of a call about a schedule that does not exist. */
export function scheduleNotFound(scheduleId: string): WorkflowError {
  return new WorkflowError(
    "SCHEDULE_NOT_FOUND",
    `There is no schedule ${scheduleId}: it was never created, or was deleted. Check the id, or create it.`,
    { details: { scheduleId } },
  );
}
