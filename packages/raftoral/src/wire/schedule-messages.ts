/** Schedules between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { attributeValues, OVERLAP_POLICIES, type OverlapPolicy, type TimingSpec } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";
import { Payload } from "../api/payloads/payload.ts";
import type { ScheduleChanges, ScheduleDescription, ScheduledRun } from "../api/schedules/schedules.ts";
import type { ScheduleParts } from "../api/schedules/schedules-port.ts";
import type {
  Schedule,
  SchedulePartsSchema,
  ScheduleSchema,
  OverlapPolicy as WireOverlap,
  ScheduleParts as WireParts,
  ScheduledRun as WireRun,
} from "../gen/raftoral/v1/schedule_service_pb.ts";
import { attributesFromWire, attributesToWire } from "./attribute-messages.ts";
import { safeNumber } from "./numbers.ts";

/** A policy as a message; 0 for none. */
export function overlapToWire(overlap: OverlapPolicy | undefined): WireOverlap {
  return (overlap === undefined ? 0 : OVERLAP_POLICIES.indexOf(overlap) + 1) as WireOverlap;
}

/** The policy of a message; undefined for none. Throws REQUEST_INVALID for one of a later version. */
export function overlapFromWire(overlap: WireOverlap): OverlapPolicy | undefined {
  if (overlap === 0) return undefined;
  const policy = OVERLAP_POLICIES[overlap - 1];
  if (policy !== undefined) return policy;
  throw new NodeError(
    "REQUEST_INVALID",
    `Overlap policy ${overlap} is not known to this version. Upgrade the older side.`,
  );
}

/** Parts of a schedule as a message. */
export function partsToWire(parts: ScheduleParts): MessageInitShape<typeof SchedulePartsSchema> {
  const { version = 0, input, attributes, runTimeoutMs = 0, overlap, times } = parts;
  return {
    version,
    ...(input === undefined ? {} : { input: input.bytes }),
    attributes: attributes === undefined ? [] : attributesToWire(attributeValues(attributes)),
    attributesGiven: attributes !== undefined,
    runTimeoutMs: BigInt(runTimeoutMs),
    overlap: overlapToWire(overlap),
    timesJson: encoder.encode(JSON.stringify(times)),
  };
}

/** The parts of a message, as a caller of the API would give them. Throws REQUEST_INVALID. */
export function partsFromWire(scheduleId: string, parts: WireParts | undefined): ScheduleChanges {
  if (parts === undefined) return {};
  const { version, input, attributes, attributesGiven, runTimeoutMs } = parts;
  const overlap = overlapFromWire(parts.overlap);
  const { startAtMs, endAtMs, ...times } = timesFromWire(parts.timesJson);
  return {
    ...times,
    ...(startAtMs === undefined ? {} : { startAt: startAtMs }),
    ...(endAtMs === undefined ? {} : { endAt: endAtMs }),
    ...(version === 0 ? {} : { version }),
    ...(input === undefined ? {} : { input: Payload.ofBytes(input, `the input of schedule ${scheduleId}`) }),
    ...(attributesGiven ? { attributes: attributesFromWire(attributes) } : {}),
    ...(runTimeoutMs === 0n ? {} : { runTimeoutMs: safeNumber(runTimeoutMs, "run_timeout_ms") }),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

/** A schedule as a message. */
export function scheduleToWire(schedule: ScheduleDescription): MessageInitShape<typeof ScheduleSchema> {
  const {
    scheduleId,
    workflowType,
    version = 0,
    times,
    overlap,
    runTimeoutMs = 0,
    attributes,
    nextDueMs,
    failure,
  } = schedule;
  return {
    scheduleId,
    workflowType,
    parts: {
      version,
      attributes: attributesToWire(attributes),
      attributesGiven: true,
      runTimeoutMs: BigInt(runTimeoutMs),
      overlap: overlapToWire(overlap),
      timesJson: encoder.encode(JSON.stringify(times)),
    },
    createdAtMs: BigInt(schedule.createdAtMs),
    paused: schedule.isPaused,
    note: schedule.note,
    ...(nextDueMs === undefined ? {} : { nextDueMs: BigInt(nextDueMs) }),
    upcomingMs: schedule.upcomingMs.map(BigInt),
    running: schedule.running.map(runToWire),
    buffered: schedule.buffered.map(runToWire),
    recent: schedule.recent.map(runToWire),
    backfills: schedule.backfills,
    started: BigInt(schedule.started),
    skipped: BigInt(schedule.skipped),
    missed: BigInt(schedule.missed),
    failed: BigInt(schedule.failed),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** The schedule of a message. Throws REQUEST_INVALID. */
export function scheduleFromWire(schedule: Schedule | undefined): ScheduleDescription {
  const parts = schedule?.parts;
  if (schedule === undefined || parts === undefined) throw lacking();
  const overlap = overlapFromWire(parts.overlap);
  if (overlap === undefined) throw lacking();
  const runTimeoutMs = safeNumber(parts.runTimeoutMs, "run_timeout_ms");
  return {
    scheduleId: schedule.scheduleId,
    workflowType: schedule.workflowType,
    version: parts.version === 0 ? undefined : parts.version,
    times: timesFromWire(parts.timesJson) as TimingSpec,
    overlap,
    runTimeoutMs: runTimeoutMs === 0 ? undefined : runTimeoutMs,
    attributes: attributesFromWire(parts.attributes),
    createdAtMs: safeNumber(schedule.createdAtMs, "created_at_ms"),
    isPaused: schedule.paused,
    note: schedule.note,
    nextDueMs: schedule.nextDueMs === undefined ? undefined : safeNumber(schedule.nextDueMs, "next_due_ms"),
    upcomingMs: schedule.upcomingMs.map((ms) => safeNumber(ms, "upcoming_ms")),
    running: schedule.running.map(runFromWire),
    buffered: schedule.buffered.map(runFromWire),
    recent: schedule.recent.map(runFromWire),
    backfills: schedule.backfills,
    started: safeNumber(schedule.started, "started"),
    skipped: safeNumber(schedule.skipped, "skipped"),
    missed: safeNumber(schedule.missed, "missed"),
    failed: safeNumber(schedule.failed, "failed"),
    failure: schedule.failure,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What is in it is checked where it is used. */
function timesFromWire(json: Uint8Array): Partial<TimingSpec> {
  if (json.length === 0) return {};
  let times: unknown;
  try {
    times = JSON.parse(decoder.decode(json));
  } catch {
    times = undefined;
  }
  if (typeof times === "object" && times !== null && !Array.isArray(times)) return times;
  throw new NodeError("REQUEST_INVALID", "times_json is no JSON object. Give the schedule's times as one.");
}

function runToWire({ runId, scheduledForMs }: ScheduledRun) {
  return { runId, scheduledForMs: BigInt(scheduledForMs) };
}

function runFromWire({ runId, scheduledForMs }: WireRun): ScheduledRun {
  return { runId, scheduledForMs: safeNumber(scheduledForMs, "scheduled_for_ms") };
}

function lacking(): NodeError {
  return new NodeError("REQUEST_INVALID", "The node answered without a schedule; it may be of another version.");
}
