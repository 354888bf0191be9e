/**
 * A run's history as one JSON value: everything that a replay needs, in a form that people can read and compare. docs/testing-workflows.md describes
 * the format.
 *
 * X1. A payload stands as `value` when it is JSON that `JSON.stringify` writes back byte for byte, and as `base64` otherwise: an export loses nothing.
 * X2. The records of an export are a prefix of the run's. With any outcome but `running` they are all of them.
 */
import type { TraceContext } from "@raftoral/workflow";
import { Payload } from "../payloads/payload.ts";
import type { RecordedFailure } from "../runs.ts";

/** Name and version of the format. */
export const HISTORY_FORMAT = "raftoral-history/1";

/** A payload in an export (X1). Neither field stands for no value. */
export interface ExportedPayload {
  readonly value?: unknown;
  readonly base64?: string;
}

/** One record of an exported history. Of a `step-failed` or `variable-failed` record the value is the failure. */
export interface ExportedRecord extends ExportedPayload {
  readonly path: string;
  readonly kind: string;
  /** Milliseconds since the epoch. */
  readonly recordedAtMs: number;
}

/**
 * How an exported run had ended, and when, in milliseconds since the epoch; `running` for one that had not, stuck ones among them. `cancelReason`: why
 * somebody asked to cancel it, whatever it did then; a run whose body cancelled itself has a `reason` alone.
 */
export type ExportedOutcome = { readonly cancelReason?: string } & (
  | { readonly status: "running" }
  | ({ readonly status: "completed"; readonly endedAtMs: number } & ExportedPayload)
  | { readonly status: "failed"; readonly endedAtMs: number; readonly error: RecordedFailure }
  | { readonly status: "cancelled"; readonly endedAtMs: number; readonly reason: string }
);

/** An exported history. */
export interface HistoryExport {
  readonly format: typeof HISTORY_FORMAT;
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  /** What `ctx.random` and `ctx.uuid` follow from: 16 bytes in base64. */
  readonly seed: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** What `ctx.traceContext` is; absent for a run that belongs to no trace. */
  readonly trace?: TraceContext;
  /** Numbered behaviours of the engine that the run has: those from 1 to this one. Absent for none. */
  readonly behaviourLevel?: number;
  readonly input: ExportedPayload;
  /** What the run's attributes were when its generation began; absent when it had none. The value has a text, a number, true or false, `{"dateMs": ...}` or a list of texts for each name. */
  readonly attributes?: ExportedPayload;
  /** In the order in which they were committed. Signals that were received are records of kind `signal`. */
  readonly records: readonly ExportedRecord[];
  /** Names of signals that the run had not asked for yet, oldest first. */
  readonly pendingSignals: readonly string[];
  readonly outcome: ExportedOutcome;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** A payload for an export (X1). */
export function exportPayload(bytes: Uint8Array): ExportedPayload {
  if (bytes.length === 0) return {};
  try {
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (JSON.stringify(value) === text) return { value };
  } catch {
    // Not JSON: other bytes.
  }
  return { base64: Buffer.from(bytes).toString("base64") };
}

/** The payload of an export. `what` names it in errors. */
export function importPayload({ value, base64 }: ExportedPayload, what: string): Payload {
  if (base64 !== undefined) return Payload.ofBytes(new Uint8Array(Buffer.from(base64, "base64")), what);
  return Payload.ofBytes(value === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(value)), what);
}
