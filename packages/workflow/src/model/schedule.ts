/** Schedules as commands and records have them. */
import { bytes, named, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";

/** What is done with an occurrence while an earlier run of the schedule goes on. Positions are the numbers of `raftoral.OverlapPolicy`. */
export const OVERLAP_POLICIES = [
  "skip",
  "buffer-one",
  "buffer-all",
  "cancel-other",
  "terminate-other",
  "allow",
] as const satisfies readonly string[];

/**
 * skip: it is not run. buffer-one: it runs after the earlier run, unless another one waits for that. buffer-all: it runs after all that came before it. cancel-other: the earlier run is
 * asked to cancel, and this one runs after it, in the place of any other that waits. terminate-other: the earlier run ends at once as failed, and this one begins. allow: it runs beside the earlier one.
 */
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

/** Runs of a schedule that go on at once, at most. */
export const MAX_SCHEDULED_RUNS = 100;
/** Occurrences of a schedule that wait for the end of a run, at most. */
export const MAX_BUFFERED = 100;
/** Backfills of a schedule that are under way, at most. */
export const MAX_BACKFILLS = 10;
/** Latest runs that a schedule remembers. */
export const KEPT_RUNS = 10;
/** Longest id of a schedule, in UTF-16 units: those of its runs have more. */
export const MAX_SCHEDULE_ID_LENGTH = 200;

/** What a schedule starts, and when. It changes with its generation alone. */
export interface ScheduleSettings {
  /** When, as JSON (runtime/schedules/timing.ts). Applying does not read it. */
  readonly timing: Uint8Array;
  /** The workflow of its runs. */
  readonly workflowType: string;
  /** 0: the newest at each occurrence. */
  readonly version: number;
  /** Of its runs: JSON as UTF-8; empty stands for undefined. */
  readonly input: Uint8Array;
  /** Of its runs, as `encodeAttributes` writes them. */
  readonly attributes: Uint8Array;
  /** Of its runs; 0: without a limit. */
  readonly runTimeoutMs: number;
  /** What is done with an occurrence while an earlier run goes on. */
  readonly overlap: OverlapPolicy;
}

/** One codec for commands, records and snapshots. */
export const scheduleSettingsCodec = messageCodec<ScheduleSettings>(
  {
    timing: bytes(1),
    workflowType: string(2),
    version: uint(3),
    input: bytes(4),
    attributes: bytes(5),
    runTimeoutMs: uint(6),
    overlap: named(7, OVERLAP_POLICIES, "overlap policy"),
  },
  {},
);

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What stands for missing settings. */
export const NO_SETTINGS: ScheduleSettings = Object.freeze({
  timing: NO_BYTES,
  workflowType: "",
  version: 0,
  input: NO_BYTES,
  attributes: NO_BYTES,
  runTimeoutMs: 0,
  overlap: "skip",
});

/** The schedule that a run was started by. */
export interface ScheduledBy {
  readonly scheduleId: string;
  /** Place in the log where the schedule was created: an id may be used again. */
  readonly createdIndex: number;
}

/** In a run's record. */
export const scheduledByCodec = messageCodec<ScheduledBy>({ scheduleId: string(1), createdIndex: uint(2) }, {});

/** An occurrence, and the run that it is to be. */
export interface Occurrence {
  readonly runId: string;
  /** In ms since the epoch. */
  readonly atMs: number;
}

/** In records. */
export const occurrenceCodec = messageCodec<Occurrence>({ runId: string(1), atMs: uint(2) }, {});

/** A run of a schedule that goes on. */
export interface ScheduledRun extends Occurrence {
  /** Place of the start of its first generation. */
  readonly family: number;
}

/** In records. */
export const scheduledRunCodec = messageCodec<ScheduledRun>({ runId: string(1), atMs: uint(2), family: uint(3) }, {});

/** Occurrences of the past that are to be run. */
export interface Backfill {
  readonly requestId: string;
  /** The next one, in ms since the epoch. */
  readonly nextMs: number;
  /** The last moment at which one may be. */
  readonly toMs: number;
  readonly overlap: OverlapPolicy;
}

/** In records. */
export const backfillCodec = messageCodec<Backfill>(
  { requestId: string(1), nextMs: uint(2), toMs: uint(3), overlap: named(4, OVERLAP_POLICIES, "overlap policy") },
  {},
);

/** What has become of a schedule's occurrences. */
export interface ScheduleCounts {
  readonly started: number;
  /** By the overlap policy, or because the run was there. */
  readonly skipped: number;
  /** Too old when a leader came to them. */
  readonly missed: number;
  /** That could not be started. */
  readonly failed: number;
}

/** In records. */
export const scheduleCountsCodec = messageCodec<ScheduleCounts>(
  { started: uint(1), skipped: uint(2), missed: uint(3), failed: uint(4) },
  {},
);

/** Of a schedule that is new. */
export const NO_COUNTS: ScheduleCounts = Object.freeze({ started: 0, skipped: 0, missed: 0, failed: 0 });
