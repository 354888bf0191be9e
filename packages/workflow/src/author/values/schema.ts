/**
 * Schemas of any library that has the Standard Schema interface (zod, valibot, arktype, ...), and what they make of a value.
 *
 * A schema has two types: the one it takes, which callers give, and the one it gives, which bodies get. It sees values as they come back from the
 * record, wherever it is asked.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { WorkflowError } from "../../errors.ts";
import { sentence } from "../sentence.ts";

export type { StandardSchemaV1 } from "@standard-schema/spec";

/** What a value is, for the error that says what is wrong with it. */
export interface SchemaSubject {
  readonly code:
    | "INPUT_INVALID"
    | "OUTPUT_INVALID"
    | "SIGNAL_INVALID"
    | "STREAM_CHUNK_INVALID"
    | "TOKEN_ANSWER_INVALID";
  /** "The input is not what workflow order takes". */
  readonly problem: string;
  /** "Correct the input." */
  readonly remedy: string;
}

/** Most issues that an error names. */
const MAX_ISSUES = 20;
/** Longest text of one issue, in UTF-16 units. */
const MAX_ISSUE_LENGTH = 300;

/** What a schema said of a value. */
export type Verdict<Value> =
  | { readonly ok: true; readonly value: Value /** Whether it took its time. */; readonly isAsync: boolean }
  | { readonly ok: false /** With the subject's code, naming the issues. */; readonly error: WorkflowError };

/** Asks a schema. Never rejects: a schema whose own code throws refuses the value. */
export async function judged<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  value: unknown,
  { code, problem, remedy }: SchemaSubject,
): Promise<Verdict<Value>> {
  let result: StandardSchemaV1.Result<Value>;
  let isAsync: boolean;
  try {
    const said = schema["~standard"].validate(value);
    isAsync = "then" in said;
    result = await said;
  } catch (cause) {
    const message = `${problem}: its schema failed: ${sentence(textOf(cause))} ${remedy}`;
    return { ok: false, error: new WorkflowError(code, message, { cause }) };
  }
  if (result.issues === undefined) return { ok: true, value: result.value, isAsync };
  const issues = result.issues.slice(0, MAX_ISSUES).map(issueText);
  const more = result.issues.length - issues.length;
  const said = `${issues.join("; ")}${more === 0 ? "" : `; and ${more} more issues`}`;
  const message = `${problem}: ${sentence(said)} ${remedy}`;
  return { ok: false, error: new WorkflowError(code, message, { details: { issues } }) };
}

/** What a schema gives that must answer at once. Throws the subject's code when it refuses the value, or answers with a promise. */
export function judgedAtOnce(
  schema: StandardSchemaV1,
  value: unknown,
  { code, problem, remedy }: SchemaSubject,
): unknown {
  let said: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
  try {
    said = schema["~standard"].validate(value);
  } catch (cause) {
    throw new WorkflowError(code, `${problem}: its schema failed: ${sentence(textOf(cause))} ${remedy}`, { cause });
  }
  if ("then" in said) {
    said.then(undefined, () => {});
    throw new WorkflowError(code, `${problem}: its schema answers with a promise. Use one that answers at once.`);
  }
  if (said.issues === undefined) return said.value;
  const issues = said.issues.slice(0, MAX_ISSUES).map(issueText);
  throw new WorkflowError(code, `${problem}: ${sentence(issues.join("; "))} ${remedy}`, { details: { issues } });
}

/** What a schema gives for a value. Rejects with the subject's code when the schema refuses it. */
export async function validated<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  value: unknown,
  subject: SchemaSubject,
): Promise<Value> {
  const verdict = await judged(schema, value, subject);
  if (verdict.ok) return verdict.value;
  throw verdict.error;
}

/** The input of a workflow. */
export function inputOf(workflowType: string): SchemaSubject {
  const problem = `The input is not what workflow ${workflowType} takes`;
  return { code: "INPUT_INVALID", problem, remedy: "Correct the input." };
}

/** The result of a workflow. */
export function outputOf(workflowType: string): SchemaSubject {
  const problem = `What workflow ${workflowType} returned is not what its output schema takes`;
  return { code: "OUTPUT_INVALID", problem, remedy: "Correct the workflow or its schema." };
}

/** The input of an update. */
export function updateInputOf(name: string): SchemaSubject {
  const problem = `The input is not what update ${name} takes`;
  return { code: "INPUT_INVALID", problem, remedy: "Correct the input." };
}

/** The answer to an update. */
export function updateOutputOf(name: string): SchemaSubject {
  const problem = `What the handler of update ${name} returned is not what its output schema takes`;
  return { code: "OUTPUT_INVALID", problem, remedy: "Correct the handler or its schema." };
}

/** The payload of a signal. */
export function signalOf(name: string): SchemaSubject {
  const problem = `The payload is not what signal ${name} takes`;
  return { code: "SIGNAL_INVALID", problem, remedy: "Send what the signal's schema takes." };
}

/** The answer to a token. */
export function answerOf(name: string): SchemaSubject {
  const problem = `The answer is not what token ${name} takes`;
  return { code: "TOKEN_ANSWER_INVALID", problem, remedy: "Catch the error and give out another token." };
}

/** A chunk of a stream. */
export function chunkOf(name: string): SchemaSubject {
  const problem = `The chunk is not what stream ${name} takes`;
  return { code: "STREAM_CHUNK_INVALID", problem, remedy: "Write what the stream's schema takes." };
}

function issueText({ message, path }: StandardSchemaV1.Issue): string {
  const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  const text = keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  return text.length > MAX_ISSUE_LENGTH ? `${text.slice(0, MAX_ISSUE_LENGTH)}...` : text;
}

function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
