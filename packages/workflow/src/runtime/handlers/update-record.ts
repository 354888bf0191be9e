/** What is recorded of an update that is accepted, and of the one that is refused. */

import { escapedName } from "../../author/step-path.ts";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { WorkflowError } from "../../errors.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import { SET_VARIABLE, type VariableChange } from "../../model/set-variable.ts";
import { base64Of, bytesOf } from "../calls/base64.ts";
import type { ParsedRecord } from "../calls/parsed.ts";

/** The record of an accepted update. */
export interface AcceptedUpdate {
  readonly id: string;
  readonly name: string;
  /** As it was given; absent for one without. */
  readonly input?: unknown;
  /** In the place of an input that is bytes, or of the value of a variable that is: the bytes, in base64. */
  readonly bytes?: string;
  /** What the schema made of it, unless that is the input as it was given. */
  readonly parsed?: ParsedRecord;
  /** What the handler's calls follow from, where a body called it. */
  readonly calledBy?: CallOrigin;
}

/** What an acceptance recorded. The owner wrote it, so it can be read. */
export function acceptedIn({ value }: HistoryRecord, path: string): AcceptedUpdate {
  const { bytes, ...accepted } = decodeValue(value, path) as AcceptedUpdate;
  if (bytes === undefined) return accepted;
  const given = bytesOf(bytes);
  return { ...accepted, input: accepted.input === undefined ? given : { ...(accepted.input as object), value: given } };
}

/** The bytes of an acceptance. */
export function acceptedBytes(accepted: AcceptedUpdate, path: string): Uint8Array {
  return encodeValue(withoutBytes(accepted), path, Number.POSITIVE_INFINITY);
}

/** What JSON does not carry stands as text. */
function withoutBytes({ input, ...accepted }: AcceptedUpdate): AcceptedUpdate {
  if (input instanceof Uint8Array) return { ...accepted, bytes: base64Of(input) };
  if (accepted.name !== SET_VARIABLE) return input === undefined ? accepted : { ...accepted, input };
  const { value, ...change } = input as VariableChange;
  return value instanceof Uint8Array ? { ...accepted, input: change, bytes: base64Of(value) } : { ...accepted, input };
}

/** Codes of a refusal. */
export type UpdateRefusalCode = "CALL_CIRCULAR" | "UPDATE_REJECTED" | "UPDATE_UNKNOWN";

const KNOWN: ReadonlySet<string> = new Set<UpdateRefusalCode>(["CALL_CIRCULAR", "UPDATE_REJECTED", "UPDATE_UNKNOWN"]);

interface Refusal {
  readonly code: UpdateRefusalCode;
  readonly message: string;
}

/** Longest text of a refusal, in UTF-16 units. */
const MAX_MESSAGE_LENGTH = 8 * 1024;

/** Where the acceptance of an update is recorded. No call's path, and no scope's: those have digits behind the `#`. */
export function updatePath(name: string, number: number): string {
  return `${escapedName(name)}#u${number}`;
}

/** The name in a path of {@link updatePath}, as it stands there. */
export function nameInPath(path: string): string {
  return path.slice(0, path.lastIndexOf("#u"));
}

/** A refusal as bytes. */
export function encodeRefusal(code: UpdateRefusalCode, message: string): Uint8Array {
  const refusal: Refusal = { code, message: message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed() };
  return encodeValue(refusal, "the refusal of an update", Number.POSITIVE_INFINITY);
}

/** The error that {@link encodeRefusal} was given. */
export function refusalIn(bytes: Uint8Array, runId: string): WorkflowError {
  const { code, message } = decodeValue(bytes, "the refusal of an update") as Refusal;
  return new WorkflowError(KNOWN.has(code) ? code : "UPDATE_REJECTED", message, { details: { runId } });
}
