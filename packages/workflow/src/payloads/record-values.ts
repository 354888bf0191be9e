/** Which records hold values of users, and how payload codecs treat each kind. */

import { isEncoded } from "../model/payload-envelope.ts";
import type { HistoryRecord, RecordKind } from "../model/record.ts";
import type { PayloadKind } from "./payload-codec.ts";
import type { PayloadCoder } from "./payload-coder.ts";
import { isSealedJson, openedFailureJson, sealedFailureJson } from "./sealed-failure.ts";

/**
 * What a record of each kind is to codecs: a value; a failure, of which name and code stay readable; or `plain`, which the engine and the state read (times, ids, attributes,
 * what decides an order).
 */
const TREATMENT: Readonly<Record<RecordKind, PayloadKind | "plain">> = {
  step: "step",
  "step-failed": "failure",
  variable: "variable",
  sleep: "plain",
  "wait-deadline": "plain",
  now: "plain",
  signal: "signal",
  "signal-timeout": "plain",
  "variable-failed": "failure",
  parsed: "step",
  cancellation: "plain",
  child: "plain",
  "child-completed": "result",
  "child-failed": "failure",
  "child-cancelled": "plain",
  token: "plain",
  answer: "answer",
  "answer-failed": "failure",
  "answer-timeout": "plain",
  patched: "plain",
  update: "update",
  attributes: "plain",
  edited: "step",
  lock: "plain",
  "lock-granted": "plain",
  "lock-released": "plain",
};

/** A record's value as it is to be recorded. */
export async function encodedRecordValue(
  coder: PayloadCoder,
  {
    path,
    kind,
    value,
    runId,
  }: { readonly path: string; readonly kind: RecordKind; readonly value: Uint8Array; readonly runId: string },
): Promise<Uint8Array> {
  const treatment = TREATMENT[kind];
  if (treatment === "plain") return value;
  if (treatment === "failure") return sealedFailureJson(coder, value, runId);
  return coder.encode(value, { kind: treatment, runId, what: `record ${path}` });
}

/** Whether a body cannot take a record as it stands. */
export function isRecordEncoded({ kind, value }: Pick<HistoryRecord, "kind" | "value">): boolean {
  return isEncoded(value) || (TREATMENT[kind] === "failure" && isSealedJson(value));
}

/** A record's value as bodies and readers get it. Rejects with PAYLOAD_UNREADABLE or PAYLOAD_CODEC_FAILED. `kind`: also one of a later release. */
export async function decodedRecordValue(
  coder: PayloadCoder,
  { path, kind, value }: { readonly path: string; readonly kind: string; readonly value: Uint8Array },
): Promise<Uint8Array> {
  if (isEncoded(value)) return coder.decode(value, `record ${path}`);
  const isFailure = (TREATMENT as Readonly<Record<string, string>>)[kind] === "failure";
  return isFailure ? openedFailureJson(coder, value, `record ${path}`) : value;
}
