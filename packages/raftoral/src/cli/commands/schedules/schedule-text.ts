/** Schedules for people. */
import type { ScheduleDescription, ScheduledRun } from "../../../api/schedules/schedules.ts";
import { formatDuration, formatTime } from "../../durations.ts";
import { clip, formatFields, formatTable } from "../../table.ts";

const WIDTH = 100;

/** A table of schedules. */
export function formatSchedules(schedules: readonly ScheduleDescription[]): string {
  const columns = ["SCHEDULE", "WORKFLOW", "TIMES", "NEXT (UTC)", "RUNNING", "STARTED", "SKIPPED", "MISSED", "FAILED"];
  const rows = schedules.map((schedule) => [
    clip(schedule.scheduleId, 40),
    clip(schedule.workflowType, 30),
    clip(timesText(schedule), 40),
    schedule.isPaused ? "paused" : formatTime(schedule.upcomingMs[0] ?? 0),
    ...[schedule.running.length, schedule.started, schedule.skipped, schedule.missed, schedule.failed].map(String),
  ]);
  return formatTable(
    columns.map((title, at) => ({ title, align: at > 3 ? "right" : "left" })),
    rows,
  );
}

/** The page of one schedule. */
export function formatSchedule(schedule: ScheduleDescription): string {
  const { workflowType, version, times, overlap, isPaused, note, upcomingMs } = schedule;
  const { jitterMs = 0, catchUpMs, catchUp, startAtMs, endAtMs } = times;
  return formatFields([
    ["Schedule", clip(schedule.scheduleId, 200)],
    ["Workflow", clip(version === undefined ? workflowType : `${workflowType}, version ${version}`, WIDTH)],
    ["Times", clip(timesText(schedule), WIDTH)],
    ["Overlap", overlap],
    ["Catch up", `${catchUp} of what is late by up to ${formatDuration(catchUpMs)}`],
    ...(jitterMs === 0 ? [] : [["Jitter", `up to ${formatDuration(jitterMs)}`] as const]),
    ...(startAtMs === undefined ? [] : [["From", `${formatTime(startAtMs)} UTC`] as const]),
    ...(endAtMs === undefined ? [] : [["Until", `${formatTime(endAtMs)} UTC`] as const]),
    ["Status", isPaused ? "paused" : "goes on"],
    ...(note === "" ? [] : [["Note", clip(note, WIDTH)] as const]),
    ...upcomingMs.map((ms, at) => [at === 0 ? "Next (UTC)" : "", formatTime(ms)] as const),
    ["Started", String(schedule.started)],
    ["Skipped", String(schedule.skipped)],
    ["Missed", String(schedule.missed)],
    ["Failed", String(schedule.failed)],
    ...(schedule.failure === undefined ? [] : [["Failure", clip(schedule.failure, WIDTH)] as const]),
    ...(schedule.backfills === 0 ? [] : [["Backfills", String(schedule.backfills)] as const]),
    ...runFields("Running", schedule.running),
    ...runFields("Waiting", schedule.buffered),
    ...runFields("Latest", schedule.recent),
  ]);
}

function runFields(title: string, runs: readonly ScheduledRun[]): readonly (readonly [string, string])[] {
  return runs.map(({ runId }, at) => [at === 0 ? title : "", clip(runId, 200)] as const);
}

function timesText({ times }: ScheduleDescription): string {
  const { cron = [], calendars = [], excluding = [], everyMs, offsetMs = 0, timeZone = "UTC" } = times;
  const parts = [
    ...cron,
    ...calendars.map((calendar) => JSON.stringify(calendar)),
    ...(everyMs === undefined
      ? []
      : [`every ${formatDuration(everyMs)}${offsetMs === 0 ? "" : ` from ${formatDuration(offsetMs)}`}`]),
  ];
  const except = excluding.length === 0 ? "" : ` but ${excluding.map((each) => JSON.stringify(each)).join(", ")}`;
  return `${parts.join("; ")}${except} (${timeZone})`;
}
