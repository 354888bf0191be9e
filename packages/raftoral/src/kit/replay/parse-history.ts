/**
 * Reads exported histories. Whatever the text is, it gives a history that a replay can use, or HISTORY_INVALID with the place of what is wrong.
 *
 * PH1. Nothing is repaired: a file that was edited into something that no export gives is refused.
 */
import {
  decodeChanges,
  type RecordedError,
  type RecordKind,
  type TraceContext,
  traceContextOf,
} from "@raftoral/workflow";
import { NodeError } from "../../api/errors.ts";
import {
  type ExportedOutcome,
  type ExportedPayload,
  type ExportedRecord,
  HISTORY_FORMAT,
  type HistoryExport,
  importPayload,
} from "../../api/histories/history-format.ts";

/** Causes of causes that are read. The engine records fewer. */
const MAX_CAUSES = 16;
const SEED_BYTES = 16;
/** Moments that a Date can be. */
const MAX_TIME_MS = 8.64e15;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Every kind of record. The type checker refuses a kind that is missing here. */
const KINDS: Readonly<Record<RecordKind, true>> = {
  step: true,
  "step-failed": true,
  variable: true,
  "variable-failed": true,
  sleep: true,
  "wait-deadline": true,
  now: true,
  signal: true,
  "signal-timeout": true,
  parsed: true,
  cancellation: true,
  child: true,
  "child-completed": true,
  "child-failed": true,
  "child-cancelled": true,
  token: true,
  answer: true,
  "answer-failed": true,
  "answer-timeout": true,
  patched: true,
  update: true,
  attributes: true,
  edited: true,
  lock: true,
  "lock-granted": true,
  "lock-released": true,
};

type Fields = Readonly<Record<string, unknown>>;

/** The history of a file's text; `file` names it in errors. Throws HISTORY_INVALID. */
export function parseHistory(text: string, file = "The history"): HistoryExport {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `is not JSON: ${(error as Error).message.replace(/\.$/, "")}`);
  }
  try {
    return historyOf(parsed);
  } catch (error) {
    if (error instanceof Misfit) throw invalid(file, error.message);
    throw error;
  }
}

/** What does not fit the format, without the file's name. */
class Misfit extends Error {}

function invalid(file: string, problem: string): NodeError {
  return new NodeError(
    "HISTORY_INVALID",
    `${file} ${problem}. Export the run again with raftoral show ID --export, or remove the file.`,
    { details: { file } },
  );
}

function historyOf(parsed: unknown): HistoryExport {
  if (!isObject(parsed) || typeof parsed.format !== "string")
    throw new Misfit("is no exported history: it has no format");
  if (parsed.format !== HISTORY_FORMAT) {
    throw new Misfit(
      `is of format ${JSON.stringify(parsed.format.slice(0, 100))}; this version reads ${HISTORY_FORMAT}`,
    );
  }
  const history: HistoryExport = {
    format: HISTORY_FORMAT,
    runId: text(parsed, "runId"),
    workflowType: text(parsed, "workflowType"),
    version: whole(parsed, "version", 1, 2 ** 32 - 1),
    seed: seedOf(parsed),
    startedAtMs: whole(parsed, "startedAtMs", 0, MAX_TIME_MS),
    ...(parsed.behaviourLevel === undefined ? {} : { behaviourLevel: whole(parsed, "behaviourLevel", 1, 2 ** 32 - 1) }),
    ...(parsed.trace === undefined ? {} : { trace: traceOf(object(parsed, "trace")) }),
    input: payloadOf(object(parsed, "input"), "input"),
    records: list(parsed, "records").map((record, at) => recordOf(record, `records[${at}]`)),
    pendingSignals: list(parsed, "pendingSignals").map((name, at) => {
      if (typeof name === "string") return name;
      throw new Misfit(`has a pendingSignals[${at}] that is no text`);
    }),
    outcome: outcomeOf(object(parsed, "outcome")),
    ...(parsed.attributes === undefined ? {} : { attributes: attributesOf(object(parsed, "attributes")) }),
  };
  const seen = new Set<string>();
  for (const { path } of history.records) {
    if (seen.has(path)) throw new Misfit(`has two records at ${path}`);
    seen.add(path);
  }
  return history;
}

function attributesOf(given: Fields): ExportedPayload {
  const payload = payloadOf(given, "attributes");
  const changes = decodeChanges(importPayload(payload, "the attributes").bytes);
  if (typeof changes === "string") throw new Misfit(`has attributes that are none: ${changes}`);
  return payload;
}

function recordOf(given: unknown, place: string): ExportedRecord {
  if (!isObject(given)) throw new Misfit(`has ${place}, which is no record`);
  const kind = text(given, "kind", place);
  if (!isKind(kind))
    throw new Misfit(`has ${place} of kind ${JSON.stringify(kind.slice(0, 100))}, which this version does not know`);
  const path = text(given, "path", place);
  const recordedAtMs = whole(given, "recordedAtMs", 0, MAX_TIME_MS, place);
  return { path, kind, recordedAtMs, ...payloadOf(given, place) };
}

function payloadOf(given: Fields, place: string): ExportedPayload {
  const { value, base64 } = given;
  if (base64 === undefined) return value === undefined ? {} : { value };
  if (value !== undefined) throw new Misfit(`has ${place} with both a value and base64`);
  if (typeof base64 !== "string" || !BASE64.test(base64)) throw new Misfit(`has ${place} with base64 that is none`);
  return { base64 };
}

function outcomeOf(given: Fields): ExportedOutcome {
  const status = text(given, "status", "outcome");
  const asked = given.cancelReason === undefined ? {} : { cancelReason: anyText(given, "cancelReason", "outcome") };
  switch (status) {
    case "running":
      return { status, ...asked };
    case "completed":
      return { status, ...asked, endedAtMs: endOf(given), ...payloadOf(given, "outcome") };
    case "failed":
      return {
        status,
        ...asked,
        endedAtMs: endOf(given),
        error: errorOf(object(given, "error", "outcome"), "outcome.error", 0),
      };
    case "cancelled":
      return { status, ...asked, endedAtMs: endOf(given), reason: anyText(given, "reason", "outcome") };
    default:
      throw new Misfit(`has an outcome.status of ${JSON.stringify(status.slice(0, 100))}, which no run has`);
  }
}

function endOf(outcome: Fields): number {
  return whole(outcome, "endedAtMs", 0, MAX_TIME_MS, "outcome");
}

function errorOf(given: Fields, place: string, depth: number): RecordedError {
  if (depth > MAX_CAUSES) throw new Misfit(`has ${place}, which has more causes than are recorded`);
  const { code, stack, cause, errors } = given;
  return {
    name: anyText(given, "name", place),
    message: anyText(given, "message", place),
    ...(code === undefined ? {} : { code: anyText(given, "code", place) }),
    ...(stack === undefined ? {} : { stack: anyText(given, "stack", place) }),
    ...(cause === undefined ? {} : { cause: errorOf(object(given, "cause", place), `${place}.cause`, depth + 1) }),
    ...(errors === undefined
      ? {}
      : {
          errors: list(given, "errors", place).map((one, at) => {
            if (!isObject(one)) throw new Misfit(`has ${place}.errors[${at}], which is no error`);
            return errorOf(one, `${place}.errors[${at}]`, depth + 1);
          }),
        }),
  };
}

function traceOf(given: Fields): TraceContext {
  const { traceparent, tracestate } = given;
  const trace = traceContextOf(String(traceparent), tracestate === undefined ? undefined : String(tracestate));
  if (trace !== undefined && trace.traceparent === traceparent && trace.tracestate === tracestate) return trace;
  throw new Misfit("has a trace that is not the headers of W3C Trace Context");
}

function seedOf(given: Fields): string {
  const seed = text(given, "seed");
  if (BASE64.test(seed) && Buffer.from(seed, "base64").length === SEED_BYTES) return seed;
  throw new Misfit(`has a seed that is not ${SEED_BYTES} bytes in base64`);
}

/** Whether this version knows a kind of record. */
export function isKind(kind: string): kind is RecordKind {
  return Object.hasOwn(KINDS, kind);
}

function isObject(given: unknown): given is Fields {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

function at(name: string, place: string | undefined): string {
  return place === undefined ? name : `${place}.${name}`;
}

function anyText(given: Fields, name: string, place?: string): string {
  const found = given[name];
  if (typeof found === "string" && found.isWellFormed()) return found;
  throw new Misfit(found === undefined ? `lacks ${at(name, place)}` : `has a ${at(name, place)} that is no text`);
}

function text(given: Fields, name: string, place?: string): string {
  const found = anyText(given, name, place);
  if (found.length > 0) return found;
  throw new Misfit(`has an empty ${at(name, place)}`);
}

function whole(given: Fields, name: string, least: number, most: number, place?: string): number {
  const found = given[name];
  if (typeof found === "number" && Number.isInteger(found) && found >= least && found <= most) return found;
  if (found === undefined) throw new Misfit(`lacks ${at(name, place)}`);
  throw new Misfit(`has a ${at(name, place)} that is no whole number from ${least} to ${most}`);
}

function object(given: Fields, name: string, place?: string): Fields {
  const found = given[name];
  if (isObject(found)) return found;
  throw new Misfit(found === undefined ? `lacks ${at(name, place)}` : `has a ${at(name, place)} that is no object`);
}

function list(given: Fields, name: string, place?: string): readonly unknown[] {
  const found = given[name];
  if (Array.isArray(found)) return found;
  throw new Misfit(found === undefined ? `lacks ${at(name, place)}` : `has a ${at(name, place)} that is no list`);
}
