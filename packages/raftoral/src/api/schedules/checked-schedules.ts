/** What all implementations of {@link Schedules} share: arguments are checked, values become payloads, pages become lists. */
import { inputOf, type Moment, type OccurrenceOutcome, type WorkflowDefinition } from "@raftoral/workflow";
import {
  invalid,
  limitArgument,
  optionsArgument,
  pageArgument,
  readLimitArgument,
  reasonArgument,
  workflowArgument,
} from "../arguments.ts";
import { abortable, type CallLimit, type CallOptions, type ReadOptions, type ReasonOptions } from "../call-options.ts";
import type { PageOptions } from "../pages.ts";
import { assertFits } from "../payloads/validated-payload.ts";
import { momentArgument } from "../starts/beginning.ts";
import type { WorkflowName } from "../workflow-name.ts";
import { overlapArgument, requestIdArgument, scheduleIdArgument, scheduleParts } from "./schedule-arguments.ts";
import type {
  BackfillOptions,
  ScheduleCallOptions,
  ScheduleChanges,
  ScheduleDescription,
  ScheduleNoteOptions,
  ScheduleOptions,
  SchedulePage,
  ScheduleReadOptions,
  Schedules,
  TriggerOptions,
} from "./schedules.ts";
import type { SchedulesPort } from "./schedules-port.ts";

const SHOWN_TIMES = 5;
const MAX_SHOWN_TIMES = 100;

/** What {@link CheckedSchedules} is made of. */
export interface CheckedSchedulesOptions {
  readonly port: SchedulesPort;
  /** For calls that name no time, in milliseconds. */
  readonly timeoutMs: number;
  readonly uuid: () => string;
}

/** {@link Schedules} over a {@link SchedulesPort}. */
export class CheckedSchedules implements Schedules {
  readonly #port: SchedulesPort;
  readonly #timeoutMs: number;
  readonly #uuid: () => string;

  constructor({ port, timeoutMs, uuid }: CheckedSchedulesOptions) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
    this.#uuid = uuid;
  }

  async create<Workflow extends WorkflowName>(
    scheduleId: string,
    schedule: ScheduleOptions<Workflow>,
    options?: ScheduleCallOptions,
  ): Promise<void> {
    const id = scheduleIdArgument(scheduleId);
    const { workflow, paused = false } = optionsArgument<ScheduleOptions<Workflow>>(schedule);
    const { type } = workflowArgument(workflow as WorkflowName, schedule.version);
    const parts = scheduleParts(id, { input: undefined, ...schedule });
    const schema = typeof workflow === "object" ? (workflow as Partial<WorkflowDefinition>).input : undefined;
    if (schema !== undefined && parts.input !== undefined) await assertFits(schema, parts.input, inputOf(type));
    if (typeof paused !== "boolean" && typeof paused !== "string")
      throw invalid("paused", paused, "true, false or a text");
    const pauseNote = paused === false ? undefined : reasonArgument(paused === true ? "" : paused, "");
    const requestId = requestIdArgument(optionsArgument(options).requestId, this.#uuid);
    const request = { scheduleId: id, workflowType: type, ...parts, pauseNote, requestId, ...reasonOf(options) };
    await this.#call(options, `Creating schedule ${id}`, (limit) => this.#port.create(request, limit));
  }

  async update(scheduleId: string, changes: ScheduleChanges, options?: ScheduleCallOptions): Promise<void> {
    const id = scheduleIdArgument(scheduleId);
    const requestId = requestIdArgument(optionsArgument(options).requestId, this.#uuid);
    const request = { scheduleId: id, ...scheduleParts(id, changes), requestId, ...reasonOf(options) };
    await this.#call(options, `Updating schedule ${id}`, (limit) => this.#port.update(request, limit));
  }

  async pause(scheduleId: string, options?: ScheduleNoteOptions): Promise<void> {
    const id = scheduleIdArgument(scheduleId);
    const request = { scheduleId: id, reason: reasonArgument(optionsArgument(options).note, "") };
    await this.#call(options, `Pausing schedule ${id}`, (limit) => this.#port.pause(request, limit));
  }

  async resume(scheduleId: string, options?: ScheduleNoteOptions): Promise<void> {
    const id = scheduleIdArgument(scheduleId);
    const request = { scheduleId: id, reason: reasonArgument(optionsArgument(options).note, "") };
    await this.#call(options, `Resuming schedule ${id}`, (limit) => this.#port.resume(request, limit));
  }

  async trigger(
    scheduleId: string,
    options?: TriggerOptions,
  ): Promise<{ readonly runId: string; readonly outcome: OccurrenceOutcome }> {
    const id = scheduleIdArgument(scheduleId);
    const overlap = overlapArgument(optionsArgument(options).overlap);
    const runId = `${id}/trigger-${requestIdArgument(optionsArgument(options).requestId, this.#uuid)}`;
    const request = { scheduleId: id, runId, overlap, ...reasonOf(options) };
    const what = `Triggering schedule ${id}`;
    return { runId, outcome: await this.#call(options, what, (limit) => this.#port.trigger(request, limit)) };
  }

  async backfill(scheduleId: string, from: Moment, to: Moment, options?: BackfillOptions): Promise<void> {
    const id = scheduleIdArgument(scheduleId);
    const { requestId: given, overlap: policy } = optionsArgument<BackfillOptions>(options);
    const [fromMs, toMs] = [momentArgument("from", from), momentArgument("to", to)];
    if (fromMs > toMs) throw invalid("from", from, "a moment that is not after the other one");
    const overlap = overlapArgument(policy) ?? "buffer-all";
    const requestId = requestIdArgument(given, this.#uuid);
    const request = { scheduleId: id, fromMs, toMs, overlap, requestId, ...reasonOf(options) };
    await this.#call(options, `Backfilling schedule ${id}`, (limit) => this.#port.backfill(request, limit));
  }

  async delete(scheduleId: string, options?: ReasonOptions): Promise<void> {
    const request = { scheduleId: scheduleIdArgument(scheduleId), ...reasonOf(options) };
    await this.#call(options, `Deleting schedule ${request.scheduleId}`, (limit) => this.#port.delete(request, limit));
  }

  async get(scheduleId: string, options?: ScheduleReadOptions): Promise<ScheduleDescription> {
    const id = scheduleIdArgument(scheduleId);
    const { upcoming = SHOWN_TIMES } = optionsArgument<ScheduleReadOptions>(options);
    if (!Number.isInteger(upcoming) || upcoming < 0 || upcoming > MAX_SHOWN_TIMES)
      throw invalid("upcoming", upcoming, `a whole number from 0 to ${MAX_SHOWN_TIMES}, or left out`);
    const limit = readLimitArgument(options, this.#timeoutMs);
    return abortable(limit, `Describing schedule ${id}`, () => this.#port.get(id, upcoming, limit));
  }

  async *list(options?: ReadOptions): AsyncGenerator<ScheduleDescription, void, undefined> {
    let pageToken: string | undefined;
    do {
      const page = await this.listPage({ ...options, ...(pageToken === undefined ? {} : { pageToken }) });
      yield* page.schedules;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async listPage(options?: PageOptions): Promise<SchedulePage> {
    const page = pageArgument(options);
    const limit = readLimitArgument(options, this.#timeoutMs);
    return abortable(limit, "Listing schedules", () => this.#port.list(page, limit));
  }

  #call<T>(options: CallOptions | undefined, what: string, run: (limit: CallLimit) => Promise<T>): Promise<T> {
    return abortable(limitArgument(options, this.#timeoutMs), what, run);
  }
}

function reasonOf(options: ReasonOptions | undefined): { readonly reason: string } {
  return { reason: reasonArgument(optionsArgument<ReasonOptions>(options).reason, "") };
}
