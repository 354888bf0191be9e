/**
 * How far a step has come that has no record yet: which of its attempts have failed, when the next one is due, and what the last heartbeat said.
 *
 * A run has one for each step under way that has failed an attempt, has given heartbeat details, or has a deadline over all attempts. It changes until
 * the step has its record, and is dropped with that. The body never sees it, so a replay does not depend on it.
 */
import { bytes, message, optional, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import { failureCodec, type RecordedError } from "./failure.ts";
import type { Epoch } from "./runs/ownership.ts";

/** The progress of one step. Times are in ms since the epoch. */
export interface StepProgress {
  readonly path: string;
  /** Attempts that have failed, over all owners. */
  readonly attempts: number;
  /** What the last of them failed of; absent while none has failed. */
  readonly error?: RecordedError;
  /** When the next attempt is due, in the run's time; 0 while none has failed. */
  readonly nextAtMs: number;
  /** When the first attempt began, in the run's time. */
  readonly beganAtMs: number;
  /** What the last heartbeat said, as JSON; empty for nothing. */
  readonly details: Uint8Array;
}

/** The progress as the state has it. */
export interface KnownProgress extends StepProgress {
  /** The log clock when it changed last, in ms since the epoch. */
  readonly recordedAtMs: number;
  /** Under which ownership it changed last: a retry begins again with steps without a record (model/mending.ts ME3). */
  readonly epoch: Epoch;
}

/** Bytes that heartbeat details have at most. */
export const MAX_HEARTBEAT_BYTES = 64 * 1024;
/** Bytes that a failed attempt's error has at most: a recorded error has 64 Ki UTF-16 units, of at most three bytes each, and what stands around them. */
export const MAX_ATTEMPT_ERROR_BYTES = 256 * 1024;

/** The progress as the store has it. */
export const stepProgressCodec = messageCodec<KnownProgress>(
  {
    path: string(1),
    attempts: uint(2),
    error: optional(message(3, failureCodec, { name: "", message: "" })),
    nextAtMs: uint(4),
    beganAtMs: uint(5),
    details: bytes(6),
    recordedAtMs: uint(7),
    epoch: uint(8),
  },
  {},
);
