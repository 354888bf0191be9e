/**
 * What a schema makes of a recorded value, under a path of its own beside that value.
 *
 * PV1. A schema is asked once in the life of a run. What it gave is recorded, or that it refused; every replay is answered from that, whatever the
 *      schema says by then.
 * PV2. What JSON does not carry (a Date, a Map, an instance) cannot be answered from the record. The schema makes it again from the recorded value,
 *      and must make the same: a fingerprint of the first one is recorded, and another one is a NonDeterminismError.
 * PV3. An asynchronous schema may depend on the outside, and takes its time: it is not asked again. So what it gives must be what JSON carries.
 * PV4. An input that its schema gives as it is has no record of that. Records of a body then say that the body got the input as it is.
 */
import { NonDeterminismError } from "../../author/errors/errors.ts";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { judged, type SchemaSubject, type StandardSchemaV1, type Verdict } from "../../author/values/schema.ts";
import { WorkflowError, type WorkflowErrorCode } from "../../errors.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { base64Of, bytesOf } from "./base64.ts";
import type { CallSite } from "./call-site.ts";
import { type FingerprintForm, fingerprintOf, isCarried } from "./fingerprint.ts";

/** What a record of this kind says. */
export type ParsedRecord =
  | { readonly as: "value"; readonly value?: unknown }
  /** In base64. */
  | { readonly as: "bytes"; readonly bytes: string }
  | { readonly as: "fingerprint"; readonly fingerprint: string }
  | { readonly as: "refusal"; readonly code: WorkflowErrorCode; readonly message: string };

/** One question to a schema. */
export interface Question {
  readonly path: string;
  readonly schema: StandardSchemaV1;
  /** The value as it is recorded. */
  readonly raw: unknown;
  readonly subject: SchemaSubject;
}

/**
 * What the schema gave for the value, once (PV1). `given`: what it has said already. Rejects with the subject's code when it refused. To be used
 * within {@link CallSite.call}.
 */
export async function parsed(site: CallSite, question: Question, given?: Verdict<unknown>): Promise<unknown> {
  const { path } = question;
  let verdict = given;
  const record = async (): Promise<HistoryRecord> => {
    verdict ??= await asked(site, question);
    return site.record(path, "parsed", parsedBytes(site, verdict, question));
  };
  const answer = await site.once({
    path,
    kind: "parsed",
    record: () => site.work(record),
    answer: ({ value }) => decodeValue(value, path) as ParsedRecord,
  });
  return parsedValue(site, question, answer, verdict);
}

/** The value that is recorded so, or the refusal as a rejection. `verdict`: what the schema has said in this life of the body. */
export async function parsedValue(
  site: CallSite,
  question: Question,
  answer: ParsedRecord,
  verdict: Verdict<unknown> | undefined,
): Promise<unknown> {
  switch (answer.as) {
    case "value":
      return answer.value;
    case "bytes":
      return bytesOf(answer.bytes);
    case "refusal":
      throw new WorkflowError(answer.code, answer.message);
    case "fingerprint":
      return verdict?.ok === true ? verdict.value : again(site, question, answer.fingerprint);
  }
}

/** What the body gets as its input (PV4). Rejects with INPUT_INVALID. */
export async function parsedInput(site: CallSite, question: Question): Promise<unknown> {
  const { path, raw } = question;
  if (site.history.has(path)) return site.call(() => parsed(site, question));
  if (site.history.size > 0) return raw;
  const verdict = await asked(site, question);
  if (!verdict.ok) throw verdict.error;
  if (isCarried(verdict.value, raw)) return raw;
  return site.call(() => parsed(site, question, verdict));
}

/** Asks a schema, not as a part of the body: what it uses of the platform is no course of the body. Its faults are the run's all the same. */
export function asked({ guard, body }: CallSite, { path, schema, raw, subject }: Question): Promise<Verdict<unknown>> {
  const ask = (): Promise<Verdict<unknown>> => judged(schema, raw, subject);
  const { interception } = body.parts;
  return guard.run(path, () => interception?.aside(ask) ?? ask());
}

async function again(site: CallSite, question: Question, fingerprint: string): Promise<unknown> {
  const verdict = await asked(site, question);
  if (verdict.ok && !verdict.isAsync && fingerprintOf(verdict.value, formFor(site)) === fingerprint)
    return verdict.value;
  throw new NonDeterminismError(question.path, {
    expected: "what its schema gives now",
    recorded: "another value of its schema",
  });
}

function formFor(site: CallSite): FingerprintForm {
  return site.behaves(BEHAVIOURS.fullFingerprints) ? "full" : "first";
}

/** The record of what a schema has said. */
export function parsedBytes(site: CallSite, verdict: Verdict<unknown>, question: Question): Uint8Array {
  const { path, subject } = question;
  const { maxPayloadBytes: maxBytes } = site;
  const bytes = (record: ParsedRecord): Uint8Array => encodeValue(record, path, maxBytes);
  try {
    if (!verdict.ok) throw verdict.error;
    const { value, isAsync } = verdict;
    const carried = carrying(value, path, maxBytes);
    if (carried !== undefined) return carried;
    if (!isAsync) return bytes({ as: "fingerprint", fingerprint: fingerprintOf(value, formFor(site)) });
    throw new WorkflowError(
      subject.code,
      `${subject.problem}: its schema is asynchronous and gives what JSON does not carry. Let it give plain data, or make it synchronous.`,
    );
  } catch (error) {
    const code = error instanceof WorkflowError ? error.code : subject.code;
    const message = error instanceof Error ? error.message : `${subject.problem}: its value cannot be read.`;
    return bytes({ as: "refusal", code, message });
  }
}

/** The record that carries a value; undefined when JSON does not. Throws PAYLOAD_TOO_LARGE. */
function carrying(value: unknown, path: string, maxBytes: number): Uint8Array | undefined {
  try {
    if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
      return encodeValue({ as: "bytes", bytes: base64Of(value) } satisfies ParsedRecord, path, maxBytes);
    }
    const record: ParsedRecord = { as: "value", value };
    const bytes = encodeValue(record, path, maxBytes);
    const back = decodeValue(bytes, path) as { readonly value?: unknown };
    return isCarried(value, back.value) ? bytes : undefined;
  } catch (error) {
    if (error instanceof WorkflowError && error.code === "VALUE_NOT_SERIALIZABLE") return undefined;
    throw error;
  }
}
