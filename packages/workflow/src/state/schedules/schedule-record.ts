/** A schedule as the state has it, but for its settings. */
import type { StateKey } from "@raftoral/raft-core";
import {
  type Backfill,
  backfillCodec,
  MAX_BUFFERED,
  MAX_SCHEDULED_RUNS,
  NO_COUNTS,
  NO_SETTINGS,
  type Occurrence,
  type OverlapPolicy,
  occurrenceCodec,
  type ScheduleCounts,
  type ScheduledRun,
  type ScheduleSettings,
  scheduleCountsCodec,
  scheduledRunCodec,
  scheduleSettingsCodec,
} from "../../model/schedule.ts";
import { KEY_PREFIX, numberKey, textKey } from "../../records/state-keys.ts";
import { bool, message, messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { holderEntry } from "../blobs/blob-references.ts";

/** What changes of a schedule while it is there. Of bounded size. */
export interface ScheduleRecord {
  readonly scheduleId: string;
  readonly createdIndex: number;
  readonly createdAtMs: number;
  /** Place in the log of the last change of its settings: a command that was made before it is refused. */
  readonly generation: number;
  /** Names that change: the same request again is done once. */
  readonly requestId: string;
  /** The next occurrence, in ms since the epoch; 0: none. */
  readonly nextMs: number;
  /** When it is due: the occurrence and its jitter. */
  readonly nextDueMs: number;
  readonly isPaused: boolean;
  readonly note: string;
  readonly counts: ScheduleCounts;
  /** Why the last occurrence could not be started that could not; empty for none. */
  readonly failure: string;
  /** Oldest first, as in what follows. */
  readonly running: readonly ScheduledRun[];
  readonly buffered: readonly Occurrence[];
  readonly recent: readonly Occurrence[];
  readonly backfills: readonly Backfill[];
}

/** In the store and in a snapshot. */
export const scheduleCodec = messageCodec<ScheduleRecord>(
  {
    scheduleId: string(1),
    createdIndex: uint(2),
    createdAtMs: uint(3),
    generation: uint(4),
    requestId: string(5),
    nextMs: uint(6),
    nextDueMs: uint(7),
    isPaused: bool(8),
    note: string(9),
    counts: message(10, scheduleCountsCodec, NO_COUNTS),
    failure: string(11),
    running: messages(12, scheduledRunCodec),
    buffered: messages(13, occurrenceCodec),
    recent: messages(14, occurrenceCodec),
    backfills: messages(15, backfillCodec),
  },
  {},
);

/** The settings of a schedule with its id, in the store and in a snapshot. */
export interface StoredSettings {
  readonly scheduleId: string;
  readonly settings: ScheduleSettings;
}

/** In the store and in a snapshot. */
export const storedSettingsCodec = messageCodec<StoredSettings>(
  { scheduleId: string(1), settings: message(2, scheduleSettingsCodec, NO_SETTINGS) },
  {},
);

/** The entry by which a schedule names the blob of its input, if that refers to one. */
export function scheduleBlob({ scheduleId, settings }: StoredSettings): readonly [StateKey, Uint8Array] | undefined {
  return holderEntry({ kind: "schedule", scheduleId }, settings.input);
}

/** An entry of the order in which schedules are due. */
export interface DueSchedule {
  readonly dueMs: number;
  readonly scheduleId: string;
}

/** In the store and in a snapshot. */
export const dueCodec = messageCodec<DueSchedule>({ dueMs: uint(1), scheduleId: string(2) }, {});

/** The key of a schedule's record. */
export function scheduleKey(scheduleId: string): StateKey {
  return KEY_PREFIX.schedule + textKey(scheduleId);
}

/** The key of a schedule's settings. */
export function settingsKey(scheduleId: string): StateKey {
  return KEY_PREFIX.scheduleSettings + textKey(scheduleId);
}

/** The key of an entry of the order in which schedules are due. */
export function dueKey({ dueMs, scheduleId }: DueSchedule): StateKey {
  return KEY_PREFIX.scheduleDue + numberKey(dueMs) + textKey(scheduleId);
}

/** When there is something to do for a schedule: 0 for now, undefined for nothing. */
export function dueMsOf(schedule: ScheduleRecord): number | undefined {
  const [backfill] = schedule.backfills;
  if (startsBuffered(schedule) || (backfill !== undefined && hasRoom(schedule, backfill.overlap))) return 0;
  return schedule.isPaused || schedule.nextMs === 0 ? undefined : schedule.nextDueMs;
}

/** Whether the first of what is buffered begins now. */
export function startsBuffered({ running, buffered }: ScheduleRecord): boolean {
  return buffered.length > 0 && running.length === 0;
}

/** Whether an occurrence of a backfill can be decided about without dropping it for lack of room. */
export function hasRoom({ running, buffered }: ScheduleRecord, overlap: OverlapPolicy): boolean {
  if (overlap === "allow") return running.length < MAX_SCHEDULED_RUNS;
  return overlap !== "buffer-all" || buffered.length < MAX_BUFFERED;
}
