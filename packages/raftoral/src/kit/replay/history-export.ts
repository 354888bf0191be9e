/**
 * A run's history as a file: what a replay needs, in JSON that people can read and compare.
 *
 * X1. A payload that is JSON stands as it is, others as base64: `value` or `valueBase64`.
 */
import type { RecordedError, RecordKind } from "@raftoral/workflow";

/** A payload in an export. Neither field stands for no value. */
export interface ExportedPayload {
  readonly value?: unknown;
  readonly valueBase64?: string;
}

/** One record of an exported history. */
export interface ExportedRecord extends ExportedPayload {
  readonly path: string;
  readonly kind: RecordKind;
  /** Milliseconds since the epoch. */
  readonly recordedAtMs: number;
}

/** How an exported run had ended. */
export type ExportedOutcome =
  | { readonly status: "running" }
  | ({ readonly status: "completed" } & ExportedPayload)
  | { readonly status: "failed"; readonly error: RecordedError }
  | { readonly status: "cancelled"; readonly reason: string };

/** An exported history. */
export interface HistoryExport {
  readonly format: typeof FORMAT;
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  /** What `ctx.random` and `ctx.uuid` follow from, in base64. */
  readonly seed: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly input: ExportedPayload;
  /** In the order in which they were committed. */
  readonly records: readonly ExportedRecord[];
  readonly outcome: ExportedOutcome;
}

/** Name and version of the format. */
export const FORMAT = "raftoral-history/1";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** A payload for an export (X1). */
export function exportPayload(bytes: Uint8Array): ExportedPayload {
  if (bytes.length === 0) return {};
  try {
    return { value: JSON.parse(decoder.decode(bytes)) };
  } catch {
    return { valueBase64: Buffer.from(bytes).toString("base64") };
  }
}

/** The bytes of an exported payload. */
export function importPayload({ value, valueBase64 }: ExportedPayload): Uint8Array {
  if (valueBase64 !== undefined) return new Uint8Array(Buffer.from(valueBase64, "base64"));
  return value === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(value));
}

/** The history of a file's text. Throws a TypeError that says what is wrong with it. */
export function parseHistory(text: string): HistoryExport {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new TypeError(
      `The history is not JSON: ${(error as Error).message}. Export it again with \`raftoral show ID --export\`.`,
    );
  }
  const history = parsed as Partial<HistoryExport> | null;
  if (typeof history !== "object" || history === null || history.format !== FORMAT) {
    throw new TypeError(
      `The file is no history of format ${FORMAT}. Export it with \`raftoral show ID --export\` of this version.`,
    );
  }
  const { runId, workflowType, version, seed, startedAtMs, records, outcome } = history;
  const isWhole =
    typeof runId === "string" &&
    typeof workflowType === "string" &&
    Number.isInteger(version) &&
    typeof seed === "string" &&
    typeof startedAtMs === "number" &&
    Array.isArray(records) &&
    records.every(({ path, kind }) => typeof path === "string" && typeof kind === "string") &&
    typeof outcome?.status === "string";
  if (!isWhole) throw new TypeError(`The history of run ${String(runId)} lacks fields. Export it again.`);
  return { ...(history as HistoryExport), input: history.input ?? {} };
}
