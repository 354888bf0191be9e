/** Records of a run: the committed answers of its context calls. */
import type { LogIndex } from "@raftoral/raft-core";
import type { Epoch } from "./runs/ownership.ts";

/**
 * Every kind of record, and the kind of call that it answers. Positions are the numbers of `raftoral.CheckpointKind`.
 *
 * step: a step's value. step-failed: that it failed for good, and how. variable: an initial or a new value. variable-failed: that the function which
 * gives the value failed, and how. sleep and wait-deadline: a wall time in ms. now: the run's time in ms, also of a sleep's end. signal: a payload
 * received. signal-timeout: that none came in time. parsed: what a schema made of an input or a payload (runtime/calls/parsed.ts). cancellation: the body
 * heard here that its run is cancelled. child: a child was started, under which id; or, of kind child-failed at the same path, that it could not be. child-completed,
 * child-failed and child-cancelled: how a child ended (external). token: what an answer from outside must know, and until when it may come. answer and
 * answer-failed: what somebody outside answered a token with, and answer-timeout: that no answer came in time (external). patched: the body
 * has taken the new way of a change of its code. update: somebody's update was accepted, and what with. attributes: new values of what the run is found by. edited: a
 * step's value, given by somebody outside in the place of its function (external). lock: a lock was asked for. lock-granted: it was granted, with which token, or cannot be;
 * without a value, that it was not granted in time (external). lock-released: the run does not hold it any more, or does not wait for it (no call asks for this record).
 */
const KINDS = [
  ["step", "step"],
  ["step-failed", "step"],
  ["variable", "variable"],
  ["sleep", "sleep"],
  ["wait-deadline", "wait deadline"],
  ["now", "now"],
  ["signal", "wait"],
  ["signal-timeout", "wait"],
  ["variable-failed", "variable"],
  ["parsed", "schema"],
  ["cancellation", "cancellation"],
  ["child", "child"],
  ["child-completed", "child"],
  ["child-failed", "child"],
  ["child-cancelled", "child"],
  ["token", "token"],
  ["answer", "answer"],
  ["answer-failed", "answer"],
  ["answer-timeout", "answer"],
  ["patched", "patch"],
  ["update", "update"],
  ["attributes", "change of attributes"],
  ["edited", "step"],
  ["lock", "lock"],
  ["lock-granted", "grant of a lock"],
  ["lock-released", "release of a lock"],
] as const;

/** What a record is of. */
export type RecordKind = (typeof KINDS)[number][0];

/** Positions are the numbers on the wire. */
export const RECORD_KINDS = KINDS.map(([kind]) => kind) as [RecordKind, ...RecordKind[]];

/** Kinds of records that stand at paths to which somebody else than the run's owner writes. */
const EXTERNAL_KINDS = [
  "child-completed",
  "child-failed",
  "child-cancelled",
  "answer",
  "answer-failed",
  "answer-timeout",
  "edited",
  "lock-granted",
  "lock-released",
] as const;

/** A kind of record that may come from outside of the run. */
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

const EXTERNAL: ReadonlySet<string> = new Set(EXTERNAL_KINDS);

/** Whether a record comes from outside of its run, so that no call of the run's owner need ask for it. */
export function isExternal(kind: string): kind is ExternalKind {
  return EXTERNAL.has(kind);
}

const CALLS: ReadonlyMap<RecordKind, string> = new Map(KINDS);

/** The kind of call that a record of this kind answers. */
export function callOf(kind: RecordKind): string {
  return CALLS.get(kind) ?? kind;
}

/** Whether a record of this kind can answer a call that would record the other. */
export function sameFamily(a: RecordKind, b: RecordKind): boolean {
  return a === b || callOf(a) === callOf(b);
}

/** Places of records that one entry of the log has. */
const PLACES_PER_ENTRY = 128;
/** Records that one entry of the log may hold, so that applying it is bounded. */
export const MAX_RECORDS_PER_ENTRY = 112;
/** The first place of what an entry grants beside its own records. */
export const FIRST_GRANT_PART = MAX_RECORDS_PER_ENTRY;
/** Asks for locks that one entry may hold, and grants that it makes beside its own work. */
export const MAX_GRANTS_PER_ENTRY = PLACES_PER_ENTRY - MAX_RECORDS_PER_ENTRY;

/** The place of a record among all records: unique, and ascending in the order in which they were committed. */
export type RecordPosition = number;

/** The place of the record that is the `part`th of the entry at `index`, from 0. */
export function recordPosition(index: LogIndex, part: number): RecordPosition {
  return index * PLACES_PER_ENTRY + part;
}

/** A record as the state keeps it. Never changed once it is there. */
export interface HistoryRecord {
  readonly kind: RecordKind;
  readonly value: Uint8Array;
  /** The log clock when it was applied, in ms since the epoch. */
  readonly recordedAtMs: number;
  /** Its place among all records. */
  readonly position: RecordPosition;
  /** Under which ownership it was recorded. */
  readonly epoch: Epoch;
}

/** Where somebody outside answers the step at a path. */
export function editPath(path: string): string {
  return `${path}/edited`;
}

/** Where the record of an input's value is, if a schema made another one of the input. */
export const INPUT_PATH = "input/parsed";

/** Where it is recorded that the body heard of its cancellation. No call's path: those have a number. */
export const CANCELLED_PATH = "cancellation";
