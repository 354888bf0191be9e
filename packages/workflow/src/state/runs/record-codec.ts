/**
 * The state's records as bytes. They are the fields of a snapshot's records (protobuf's encoding, so that fields can be added), so that a
 * snapshot is made of them as they are; a run's fields are spread over several records of the store.
 */

import type { StateKey } from "@raftoral/raft-core";
import type { WireReader, WireWriter } from "@raftoral/raft-core/wire";
import { type Attributes, decodeAttributes, encodeAttributes, NO_ATTRIBUTES } from "../../model/attributes.ts";
import { encodeFailure, failureCodec, type RecordedError } from "../../model/failure.ts";
import { mendingCodec, NOT_MENDED, type RunMending } from "../../model/mending.ts";
import { type HistoryRecord, RECORD_KINDS } from "../../model/record.ts";
import { NO_LOSSES } from "../../model/runs/owner-losses.ts";
import { OWNER_REASONS } from "../../model/runs/ownership.ts";
import { type KnownParent, knownParentCodec } from "../../model/runs/parent.ts";
import { OUTCOMES, type OutcomeStatus, outcomeOfParts, type RunOutcome } from "../../model/runs/run-outcome.ts";
import { type QueuePlace, queuePlaceCodec, type RunQueue, runQueueCodec } from "../../model/runs/run-queue.ts";
import { STUCK_REASONS } from "../../model/runs/stuck-reason.ts";
import { type ScheduledBy, scheduledByCodec } from "../../model/schedule.ts";
import { type TraceContext, traceContextCodec } from "../../model/trace-context.ts";
import { NO_UPDATES, type UpdateTotals, updateTotalsCodec } from "../../model/update.ts";
import { ByteSlabs } from "../../records/byte-slabs.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { invalid } from "../snapshots/snapshot-format.ts";
import type { BufferedSignal, RunFacts, RunHead, RunRecord } from "./run-record.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** One for all: what it wrote is copied before the next use. */
const writer = writerOf(4096);
const part = writerOf(256);
const slabs = new ByteSlabs();

function written(write: (to: WireWriter) => void): Uint8Array {
  writer.reset();
  write(writer);
  return slabs.copy(writer.view());
}

/** Everything of a run but input, outcome, checkpoints and signals. */
export function encodeRun(run: RunRecord): Uint8Array {
  writer.reset();
  const to = writer;
  const { head } = run;
  to.string(1, run.runId);
  to.string(2, run.workflowType);
  to.uint(3, run.version);
  to.bytes(5, run.seed);
  to.uint(6, run.startedAtMs);
  to.uint(7, run.startIndex);
  to.uint(8, head.owner);
  to.uint(9, head.epoch);
  to.uint(10, head.attempt);
  to.bytes(12, run.inputDigest);
  if (head.status === "running") {
    to.uint(13, head.seat);
    to.uint(16, OWNER_REASONS.indexOf(head.reason));
    to.uint(22, head.losses.count);
    to.uint(23, head.losses.lastAtMs);
    to.bool(24, head.losses.onTrial);
    to.bool(44, head.isTimedOut);
    to.bool(45, head.hasChildren);
    to.uint(25, head.stuck === undefined ? 0 : STUCK_REASONS.indexOf(head.stuck) + 1);
    if (head.pauseReason !== undefined) {
      to.bool(81, true);
      to.string(82, head.pauseReason);
    }
    for (const seat of head.tried) to.uint(30, seat);
    if (head.mismatch !== undefined) {
      to.uint(26, head.mismatch.heldAt);
      to.string(27, head.mismatch.path);
      to.string(28, head.mismatch.expected);
      to.string(29, head.mismatch.recorded);
    }
  }
  to.bool(17, head.cancelReason !== undefined);
  to.string(18, head.cancelReason ?? "");
  for (const id of head.signalIds) to.string(20, id);
  to.uint(21, head.stepsInProgress);
  if (head.updates !== undefined) {
    part.reset();
    updateTotalsCodec.write(part, head.updates);
    to.message(50, part.view());
  }
  if (run.parent !== undefined) {
    part.reset();
    knownParentCodec.write(part, run.parent);
    to.message(40, part.view());
  }
  to.uint(41, run.deadlineAtMs);
  if (run.trace !== undefined) {
    part.reset();
    traceContextCodec.write(part, run.trace);
    to.message(60, part.view());
  }
  to.uint(61, run.behaviourLevel);
  if (head.mending !== NOT_MENDED) {
    part.reset();
    mendingCodec.write(part, head.mending);
    to.message(80, part.view());
  }
  if (run.generation > 1) {
    to.uint(42, run.generation);
    to.uint(43, run.family);
  }
  if (head.status === "finished") {
    to.uint(11, head.archived);
    to.bool(32, true);
    to.uint(33, OUTCOMES.indexOf(head.outcome));
    to.uint(37, head.endedAtMs);
    to.uint(38, head.endIndex);
    to.uint(39, head.endedUptimeMs);
    to.uint(86, head.bytes);
    to.bool(87, head.isHandedOver);
    if (head.unmeasured !== "") to.bytes(88, keyBytes(head.unmeasured));
  }
  to.bytes(70, encodeAttributes(run.attributes));
  if (run.attributes !== run.initialAttributes) to.bytes(71, encodeAttributes(run.initialAttributes));
  to.bool(72, run.attributes !== run.initialAttributes);
  to.string(73, run.startId);
  to.uint(96, run.startAtMs);
  to.bool(97, run.isDelay);
  if (run.schedule !== undefined) {
    part.reset();
    scheduledByCodec.write(part, run.schedule);
    to.message(98, part.view());
  }
  to.bool(99, run.hasExtras);
  to.bool(110, run.hasAsked);
  if (run.queue !== undefined) {
    part.reset();
    runQueueCodec.write(part, run.queue);
    to.message(91, part.view());
  }
  if (head.status === "running" && head.queued !== undefined) {
    part.reset();
    queuePlaceCodec.write(part, head.queued);
    to.message(92, part.view());
  }
  return slabs.copy(to.view());
}

/** What a run's record, of the store or of a snapshot, says. */
export interface DecodedRun {
  readonly facts: RunFacts;
  readonly head: RunHead;
  readonly attributes: Attributes;
  readonly hasExtras: boolean;
  readonly hasAsked: boolean;
  /** The rest comes with a snapshot's record alone. */
  readonly input: Uint8Array;
  readonly outcome: RunOutcome;
  readonly signals: readonly BufferedSignal[];
}

/**
 * Reads a run's record, of the store or of a snapshot. Fields that it does not know are skipped. Throws SNAPSHOT_INVALID for an unknown status,
 * outcome or reason.
 */
export function decodeRun(from: WireReader): DecodedRun {
  let [runId, workflowType, version, input, seed, startedAtMs, startIndex] = ["", "", 0, EMPTY, EMPTY, 0, 0];
  let [owner, epoch, attempt, archived, seat, reason, cancelled, cancelReason] = [0, 0, 0, 0, 0, 0, false, ""];
  let [finished, status, result, reasonText, endedAtMs, endIndex, endedUptimeMs] = [false, 0, EMPTY, "", 0, 0, 0];
  const tried: number[] = [];
  let [losses, lastLossAtMs, onTrial, stuck, stepsInProgress, heldAt] = [0, 0, false, 0, 0, 0];
  let [path, expected, recorded, inputDigest] = ["", "", "", EMPTY];
  let error: RecordedError | undefined;
  const signals: BufferedSignal[] = [];
  const signalIds: string[] = [];
  let updates: UpdateTotals | undefined;
  let parent: KnownParent | undefined;
  let trace: TraceContext | undefined;
  let [deadlineAtMs, generation, family, isTimedOut, hasChildren, behaviourLevel] = [0, 1, 0, false, false, 0];
  let mending: RunMending = NOT_MENDED;
  let queue: RunQueue | undefined;
  let queued: QueuePlace | undefined;
  let [isPauseAsked, pauseReason, startAtMs, isDelay] = [false, "", 0, false];
  let [bytes, isHandedOver, unmeasured, hasExtras, hasAsked] = [0, false, "", false, false];
  let [now, initial, haveChanged, startId] = [EMPTY, EMPTY, false, ""];
  let schedule: ScheduledBy | undefined;
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) workflowType = from.string();
    else if (field === 3) version = from.uint();
    else if (field === 4) input = from.bytes();
    else if (field === 5) seed = from.bytes();
    else if (field === 6) startedAtMs = from.uint();
    else if (field === 7) startIndex = from.uint();
    else if (field === 8) owner = from.uint();
    else if (field === 9) epoch = from.uint();
    else if (field === 10) attempt = from.uint();
    else if (field === 11) archived = from.uint();
    else if (field === 12) inputDigest = from.bytes();
    else if (field === 13) seat = from.uint();
    else if (field === 16) reason = from.uint();
    else if (field === 17) cancelled = from.bool();
    else if (field === 18) cancelReason = from.string();
    else if (field === 19) signals.push(decodeSignal(from.message(), signals.length + 1));
    else if (field === 20) signalIds.push(from.string());
    else if (field === 21) stepsInProgress = from.uint();
    else if (field === 22) losses = from.uint();
    else if (field === 23) lastLossAtMs = from.uint();
    else if (field === 24) onTrial = from.bool();
    else if (field === 25) stuck = from.uint();
    else if (field === 30) tried.push(from.uint());
    else if (field === 26) heldAt = from.uint();
    else if (field === 27) path = from.string();
    else if (field === 28) expected = from.string();
    else if (field === 29) recorded = from.string();
    else if (field === 32) finished = from.bool();
    else if (field === 33) status = from.uint();
    else if (field === 34) result = from.bytes();
    else if (field === 35) error = failureCodec.read(from.message());
    else if (field === 36) reasonText = from.string();
    else if (field === 37) endedAtMs = from.uint();
    else if (field === 38) endIndex = from.uint();
    else if (field === 39) endedUptimeMs = from.uint();
    else if (field === 40) parent = knownParentCodec.read(from.message());
    else if (field === 41) deadlineAtMs = from.uint();
    else if (field === 42) generation = from.uint();
    else if (field === 43) family = from.uint();
    else if (field === 44) isTimedOut = from.bool();
    else if (field === 45) hasChildren = from.bool();
    else if (field === 70) now = from.bytes();
    else if (field === 71) initial = from.bytes();
    else if (field === 72) haveChanged = from.bool();
    else if (field === 73) startId = from.string();
    else if (field === 99) hasExtras = from.bool();
    else if (field === 110) hasAsked = from.bool();
    else if (field === 61) behaviourLevel = from.uint();
    else if (field === 60) trace = traceContextCodec.read(from.message());
    else if (field === 50) updates = { ...NO_UPDATES, ...updateTotalsCodec.read(from.message()) };
    else if (field === 80) mending = mendingCodec.read(from.message());
    else if (field === 81) isPauseAsked = from.bool();
    else if (field === 82) pauseReason = from.string();
    else if (field === 86) bytes = from.uint();
    else if (field === 87) isHandedOver = from.bool();
    else if (field === 88) unmeasured = keyOfBytes(from.bytes());
    else if (field === 96) startAtMs = from.uint();
    else if (field === 97) isDelay = from.bool();
    else if (field === 98) schedule = scheduledByCodec.read(from.message());
    else if (field === 91) queue = runQueueCodec.read(from.message());
    else if (field === 92) queued = queuePlaceCodec.read(from.message());
    else from.skip();
  }
  if (runId === "") throw invalid("a run has no id");
  const name = named(OUTCOMES, status, "outcome");
  const asked = cancelled ? cancelReason : undefined;
  const head: RunHead = finished
    ? {
        status: "finished",
        outcome: name,
        endedAtMs,
        endIndex,
        endedUptimeMs,
        archived,
        bytes,
        unmeasured,
        isHandedOver,
        cancelReason: asked,
        signalIds,
        stepsInProgress,
        updates,
        owner,
        epoch,
        attempt,
        mending,
      }
    : {
        status: "running",
        owner,
        seat,
        epoch,
        attempt,
        reason: named(OWNER_REASONS, reason, "owner reason"),
        cancelReason: asked,
        isTimedOut,
        hasChildren,
        losses: losses === 0 ? NO_LOSSES : { count: losses, lastAtMs: lastLossAtMs, onTrial },
        stuck: stuck === 0 ? undefined : named(STUCK_REASONS, stuck - 1, "reason of a stuck run"),
        mismatch: heldAt === 0 ? undefined : { heldAt, path, expected, recorded },
        tried,
        signalIds,
        stepsInProgress,
        updates,
        pauseReason: isPauseAsked ? pauseReason : undefined,
        mending,
        queued,
      };
  const begun = { startedAtMs, startIndex, generation, family: generation > 1 ? family : startIndex, deadlineAtMs };
  const attributes = now.length === 0 ? NO_ATTRIBUTES : decodeAttributes(now);
  const initialAttributes = haveChanged ? decodeAttributes(initial) : attributes;
  const known = { runId, workflowType, version, seed, inputDigest, parent, trace, behaviourLevel, queue };
  const facts = { ...known, initialAttributes, startId, startAtMs, isDelay, schedule, ...begun };
  const outcome = outcomeOfParts({ status: name, result, error, reason: reasonText });
  return { facts, head, attributes, hasExtras, hasAsked, input, outcome, signals };
}

/** The fields of a run's record that say how it ended; {@link decodeRun} reads them in a snapshot. */
export function encodeOutcome(outcome: RunOutcome): Uint8Array {
  return written((to) => {
    if (outcome.status === "completed") to.bytes(34, outcome.result);
    if (outcome.status === "failed") to.message(35, encodeFailure(outcome.error));
    if (outcome.status === "cancelled") to.string(36, outcome.reason);
  });
}

/** The outcome that {@link encodeOutcome} wrote for a run of this status. */
export function decodeOutcome(status: OutcomeStatus, bytes: Uint8Array): RunOutcome {
  let [result, reason] = [EMPTY, ""];
  let error: RecordedError | undefined;
  const from = readerOf(bytes);
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 34) result = from.bytes();
    else if (field === 35) error = failureCodec.read(from.message());
    else if (field === 36) reason = from.string();
    else from.skip();
  }
  return outcomeOfParts({ status, result, error, reason });
}

/** The bytes of a buffered signal. Its number is not among them: it is in the record's key. */
export function encodeSignal(signal: BufferedSignal): Uint8Array {
  return written((to) => {
    to.string(1, signal.name);
    to.bytes(2, signal.payload);
    to.uint(3, signal.atMs);
  });
}

/** Reads a buffered signal. `number` comes from the record's key. */
export function decodeSignal(from: WireReader, number: number): BufferedSignal {
  let [name, payload, atMs] = ["", EMPTY, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) name = from.string();
    else if (field === 2) payload = from.bytes();
    else if (field === 3) atMs = from.uint();
    else from.skip();
  }
  return { number, name, payload, atMs };
}

/** The bytes of a record of a run's history, with its path. */
export function encodeHistoryRecord(path: string, record: HistoryRecord): Uint8Array {
  writer.reset();
  const to = writer;
  to.string(1, path);
  to.uint(2, RECORD_KINDS.indexOf(record.kind));
  to.bytes(3, record.value);
  to.uint(4, record.recordedAtMs);
  to.uint(5, record.position);
  to.uint(6, record.epoch);
  return slabs.copy(to.view());
}

/** A record of a run's history with its path. */
export interface DecodedHistoryRecord {
  readonly path: string;
  readonly record: HistoryRecord;
}

/** Reads what {@link encodeHistoryRecord} wrote. Throws SNAPSHOT_INVALID for an unknown kind. */
export function decodeHistoryRecord(from: WireReader): DecodedHistoryRecord {
  let [path, kind, value, recordedAtMs, position, epoch] = ["", 0, EMPTY, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) path = from.string();
    else if (field === 2) kind = from.uint();
    else if (field === 3) value = from.bytes();
    else if (field === 4) recordedAtMs = from.uint();
    else if (field === 5) position = from.uint();
    else if (field === 6) epoch = from.uint();
    else from.skip();
  }
  return { path, record: { kind: named(RECORD_KINDS, kind, "record kind"), value, recordedAtMs, position, epoch } };
}

/** A bare number. */
export function encodeNumber(value: number): Uint8Array {
  writer.reset();
  writer.varint(value);
  return slabs.copy(writer.view());
}

/** The number that {@link encodeNumber} wrote. */
export function decodeNumber(bytes: Uint8Array): number {
  return readerOf(bytes).varint();
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw invalid(`${what} ${number} is unknown`);
  return name;
}

/** A key as bytes: each of its characters is one. */
function keyBytes(key: StateKey): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0));
}

function keyOfBytes(bytes: Uint8Array): StateKey {
  return String.fromCharCode(...bytes);
}
