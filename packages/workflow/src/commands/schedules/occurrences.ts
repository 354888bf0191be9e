/**
 * What becomes of an occurrence of a schedule: it starts a run, waits for the end of an earlier one, or is skipped.
 *
 * OC1. The overlap policy is asked once, and sees the runs that go on in this place of the log.
 * OC2. An occurrence starts at most one run, and has ended or asked to cancel at most `MAX_SCHEDULED_RUNS` others.
 * OC3. A run that has the id of an occurrence is that occurrence's run, also if somebody else has started it: the occurrence is not run again.
 */
import { changedAttributes, decodeChanges, encodeAttributes, NO_ATTRIBUTES } from "../../model/attributes.ts";
import { terminated } from "../../model/runs/run-outcome.ts";
import {
  KEPT_RUNS,
  MAX_BUFFERED,
  MAX_SCHEDULED_RUNS,
  type Occurrence,
  type OverlapPolicy,
  type ScheduleCounts,
} from "../../model/schedule.ts";
import type { RunningHead, RunRecord } from "../../state/runs/run-record.ts";
import type { ScheduleRecord } from "../../state/schedules/schedule-record.ts";
import type { Tables } from "../../state/tables.ts";
import { askToCancel } from "../runs/cancel.ts";
import { begin } from "../runs/workflow-start.ts";

/** What an occurrence became. */
export type OccurrenceOutcome = "started" | "buffered" | "skipped" | "failed";

/** A schedule after an occurrence of it. */
export interface Decided {
  readonly schedule: ScheduleRecord;
  readonly outcome: OccurrenceOutcome;
}

const NOTHING: Uint8Array = new Uint8Array(0);
/** Why a run of a schedule ends or is asked to cancel. */
const OVERLAPPED = "the schedule's next run is due";
/** Names of the attributes by which a run of a schedule is found. */
const ID_ATTRIBUTE = "scheduleId";
const OCCURRENCE_ATTRIBUTE = "scheduledFor";

/** Decides about an occurrence (OC1). The schedule that comes back is the caller's to put. */
export function decideOccurrence(
  tables: Tables,
  schedule: ScheduleRecord,
  occurrence: Occurrence,
  policy: OverlapPolicy,
): Decided {
  if (isKnown(tables, schedule, occurrence)) return skipped(schedule);
  const { running, buffered: waiting } = schedule;
  if (policy === "allow")
    return running.length < MAX_SCHEDULED_RUNS ? startOccurrence(tables, schedule, occurrence) : skipped(schedule);
  if (running.length === 0 && waiting.length === 0) return startOccurrence(tables, schedule, occurrence);
  switch (policy) {
    case "skip":
      return skipped(schedule);
    case "buffer-one":
      return waiting.length > 0 ? skipped(schedule) : buffered(schedule, occurrence);
    case "buffer-all":
      return waiting.length < MAX_BUFFERED ? buffered(schedule, occurrence) : skipped(schedule);
    case "cancel-other":
      return buffered(withoutBuffered(cancelled(tables, schedule)), occurrence);
    case "terminate-other":
      return startOccurrence(tables, withoutBuffered(ended(tables, schedule)), occurrence);
  }
}

/** Starts the run of an occurrence (OC2). */
export function startOccurrence(tables: Tables, schedule: ScheduleRecord, occurrence: Occurrence): Decided {
  // OC3. It may have come while the occurrence waited.
  if (tables.runs.get(occurrence.runId) !== undefined) return skipped(schedule);
  const { scheduleId, createdIndex } = schedule;
  const { workflowType, version, input, attributes, runTimeoutMs } = tables.schedules.settingsOf(schedule);
  const facts = {
    runId: occurrence.runId,
    workflowType,
    version,
    input,
    owner: 0,
    atMs: tables.clock,
    seed: NOTHING,
    attributes: foundBy(scheduleId, occurrence, attributes),
    runTimeoutMs,
  };
  const started = begin(tables, facts, () => {}, { scheduleId, createdIndex });
  if (!started.ok) return { schedule: { ...counted(schedule, "failed"), failure: started.message }, outcome: "failed" };
  const running = [...schedule.running, { ...occurrence, family: tables.index }];
  const recent = [...schedule.recent, occurrence].slice(-KEPT_RUNS);
  return { schedule: { ...counted(schedule, "started"), running, recent }, outcome: "started" };
}

/** The schedule with more occurrences of one fate. */
export function counted(schedule: ScheduleRecord, fate: keyof ScheduleCounts, more = 1): ScheduleRecord {
  return { ...schedule, counts: { ...schedule.counts, [fate]: schedule.counts[fate] + more } };
}

function isKnown({ runs }: Tables, schedule: ScheduleRecord, { runId }: Occurrence): boolean {
  return runs.get(runId) !== undefined || schedule.buffered.some((waiting) => waiting.runId === runId);
}

function skipped(schedule: ScheduleRecord): Decided {
  return { schedule: counted(schedule, "skipped"), outcome: "skipped" };
}

function buffered(schedule: ScheduleRecord, occurrence: Occurrence): Decided {
  return { schedule: { ...schedule, buffered: [...schedule.buffered, occurrence] }, outcome: "buffered" };
}

/** What waited makes way. */
function withoutBuffered(schedule: ScheduleRecord): ScheduleRecord {
  return { ...counted(schedule, "skipped", schedule.buffered.length), buffered: [] };
}

/** A run that no node executes ends at once: then it is not in the schedule any more. */
function cancelled(tables: Tables, schedule: ScheduleRecord): ScheduleRecord {
  return eachRunning(tables, schedule, (run, head) => void askToCancel(tables, run, head, OVERLAPPED));
}

function ended(tables: Tables, schedule: ScheduleRecord): ScheduleRecord {
  return eachRunning(tables, schedule, (run, head) => tables.finish(run, head, terminated(run.runId, OVERLAPPED)));
}

/** The ends of runs are in the stored record (schedule-table.ts SC2); what the given one has beside that stays. */
function eachRunning(
  tables: Tables,
  schedule: ScheduleRecord,
  act: (run: RunRecord, head: RunningHead) => void,
): ScheduleRecord {
  for (const { runId, family } of schedule.running) {
    const run = tables.runs.get(runId);
    if (run?.family === family && run.head.status === "running") act(run, run.head);
  }
  return { ...schedule, running: tables.schedules.get(schedule.scheduleId)?.running ?? [] };
}

/** What does not fit beside the run's own attributes is left out. */
function foundBy(scheduleId: string, { atMs }: Occurrence, attributes: Uint8Array): Uint8Array {
  const given = decodeChanges(attributes);
  if (typeof given === "string") return attributes;
  const all = new Map([...given, [ID_ATTRIBUTE, scheduleId], [OCCURRENCE_ATTRIBUTE, { dateMs: atMs }]] as const);
  return typeof changedAttributes(NO_ATTRIBUTES, all) === "string" ? attributes : encodeAttributes(all);
}
