/** {@link SchedulesPort} of a node: over its own workflow engine. Reads are made after a barrier; nothing here decodes a payload. */
import {
  assertPayloadSize,
  attributeValues,
  decodeAttributes,
  encodeAttributes,
  inputOf,
  type Occurrence,
  type OccurrenceOutcome,
  ScheduleRequests,
  type ScheduleView,
  scheduleNotFound,
  Timing,
  type TimingSpec,
  type WorkflowEngine,
} from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import { Payload } from "../../api/payloads/payload.ts";
import { assertFits } from "../../api/payloads/validated-payload.ts";
import type { ScheduleDescription, ScheduledRun, SchedulePage } from "../../api/schedules/schedules.ts";
import type {
  BackfillScheduleRequest,
  CreateScheduleRequest,
  PartialTimes,
  ScheduleParts,
  ScheduleRequest,
  SchedulesPort,
  TriggerRequest,
  UpdateScheduleRequest,
} from "../../api/schedules/schedules-port.ts";
import type { PageRequest } from "../../api/workflows-port.ts";
import type { Environment } from "../../platform.ts";
import { schedulePageToken, schedulePosition } from "../workflows/page-token.ts";
import type { RunStarts } from "../workflows/run-starts.ts";

/** What {@link NodeSchedules} is made of. */
export interface NodeSchedulesOptions {
  readonly engine: WorkflowEngine;
  readonly environment: Environment;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
  /** Has the definitions of workflows that this node can execute. */
  readonly starts: RunStarts;
  /** Resolves once this node's workflows are known to the cluster. */
  readonly registered: () => Promise<void>;
  /** Who asks: the audit has it. */
  readonly by: string;
}

/** How old an occurrence may be, unless its schedule says. */
const DEFAULT_CATCH_UP_MS = 3_600_000;
/** Next occurrences of each schedule in a list. */
const LISTED_TIMES = 1;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The schedule calls of one node. */
export class NodeSchedules implements SchedulesPort {
  readonly #options: NodeSchedulesOptions;
  readonly #requests: ScheduleRequests;

  constructor(options: NodeSchedulesOptions) {
    this.#options = options;
    this.#requests = new ScheduleRequests(options.engine, options.environment.clock);
  }

  async create(request: CreateScheduleRequest, limit: CallLimit): Promise<void> {
    const { scheduleId, workflowType, pauseNote, requestId, times, reason } = request;
    const { by } = this.#options;
    await this.#options.registered();
    await this.#check(request, workflowType);
    const { version = 0, input, attributes, runTimeoutMs = 0, overlap = "skip" } = request;
    const given = {
      input: input?.bytes ?? NOTHING,
      attributes: attributes === undefined ? NOTHING : encodeAttributes(attributes),
    };
    const settings = { workflowType, version, runTimeoutMs, overlap, ...given };
    const timing = timesOf({ catchUpMs: DEFAULT_CATCH_UP_MS, catchUp: "last", ...times });
    await this.#requests.create({ scheduleId, settings, timing, pauseNote, requestId, by, reason }, limit);
  }

  async update(request: UpdateScheduleRequest, limit: CallLimit): Promise<void> {
    const { scheduleId, requestId, times, version, input, attributes, runTimeoutMs, overlap, reason } = request;
    await this.#barrier(limit);
    const { settings } = await this.#present(scheduleId);
    await this.#check(request, settings.workflowType);
    const asked = { scheduleId, requestId, by: this.#options.by, reason };
    const changes = {
      ...(version === undefined ? {} : { version }),
      ...(input === undefined ? {} : { input: input.bytes }),
      ...(attributes === undefined ? {} : { attributes: encodeAttributes(attributes) }),
      ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
      ...(overlap === undefined ? {} : { overlap }),
    };
    await this.#requests.update({ ...asked, settings: changes, timing: times }, limit);
  }

  async pause(request: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#requests.pause(this.#named(request), limit);
  }

  async resume(request: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#barrier(limit);
    await this.#requests.resume(this.#named(request), limit);
  }

  trigger({ overlap, ...trigger }: TriggerRequest, limit: CallLimit): Promise<OccurrenceOutcome> {
    const { by } = this.#options;
    return this.#requests.trigger({ ...trigger, overlap: overlap ?? "default", by }, limit);
  }

  async backfill(request: BackfillScheduleRequest, limit: CallLimit): Promise<void> {
    const { by } = this.#options;
    await this.#requests.backfill({ ...request, by }, limit);
  }

  async delete(request: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#requests.delete(this.#named(request), limit);
  }

  async get(scheduleId: string, upcoming: number, limit: CallLimit): Promise<ScheduleDescription> {
    await this.#barrier(limit);
    return this.#describe(await this.#present(scheduleId), upcoming);
  }

  async list({ pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<SchedulePage> {
    const after = schedulePosition(pageToken);
    await this.#barrier(limit);
    const views = await this.#options.engine.schedules(after, pageSize);
    const last = views.at(-1);
    // A page may have fewer than it may have, for it is bounded in bytes: only an empty one is the last for sure.
    const schedules = views.map((view) => this.#describe(view, LISTED_TIMES));
    return { schedules, nextPageToken: last === undefined ? undefined : schedulePageToken(last.scheduleId) };
  }

  #named({ scheduleId, reason }: ScheduleRequest) {
    return { scheduleId, note: reason, by: this.#options.by };
  }

  #describe(view: ScheduleView, upcoming: number): ScheduleDescription {
    const { settings, isPaused, nextMs, nextDueMs, counts, failure } = view;
    const timing = Timing.decode(settings.timing);
    return {
      scheduleId: view.scheduleId,
      workflowType: settings.workflowType,
      version: settings.version === 0 ? undefined : settings.version,
      times: timing.spec,
      overlap: settings.overlap,
      runTimeoutMs: settings.runTimeoutMs === 0 ? undefined : settings.runTimeoutMs,
      attributes: settings.attributes.length === 0 ? {} : attributeValues(decodeAttributes(settings.attributes)),
      createdAtMs: view.createdAtMs,
      isPaused,
      note: view.note,
      nextDueMs: isPaused || nextMs === 0 ? undefined : nextDueMs,
      upcomingMs: timing.upcoming(this.#options.environment.clock.wallMs(), upcoming),
      running: view.running.map(runOf),
      buffered: view.buffered.map(runOf),
      recent: view.recent.map(runOf),
      backfills: view.backfills.length,
      ...counts,
      failure: failure === "" ? undefined : failure,
    };
  }

  async #check({ input, version = 0 }: ScheduleParts, workflowType: string): Promise<void> {
    if (input === undefined) return;
    assertPayloadSize(input.bytes, `the input of ${workflowType}`, this.#options.maxPayloadBytes);
    const schema = this.#options.starts.definitionOf(workflowType, version)?.input;
    if (schema !== undefined)
      await assertFits(schema, Payload.ofBytes(input.bytes, "the input"), inputOf(workflowType));
  }

  async #present(scheduleId: string): Promise<ScheduleView> {
    const view = await this.#options.engine.schedule(scheduleId);
    if (view === undefined) throw scheduleNotFound(scheduleId);
    return view;
  }

  async #barrier({ timeoutMs, isStale }: CallLimit): Promise<void> {
    if (isStale !== true) await this.#options.engine.barrier({ timeoutMs });
  }
}

function runOf({ runId, atMs }: Occurrence): ScheduledRun {
  return { runId, scheduledForMs: atMs };
}

/** What is undefined is left out. */
function timesOf(given: PartialTimes): TimingSpec {
  const all = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(all) as unknown as TimingSpec;
}
