/**
 * Schemas of any library that has the Standard Schema interface (zod, valibot, arktype, ...), and what they make of a value.
 *
 * A schema has two types: the one it takes, which callers give, and the one it gives, which bodies get. It sees values as they come back from the
 * record, wherever it is asked.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { WorkflowError } from "../errors.ts";

export type { StandardSchemaV1 } from "@standard-schema/spec";

/** What a value is, for the error that says what is wrong with it. */
export interface SchemaSubject {
  readonly code: "INPUT_INVALID" | "OUTPUT_INVALID" | "SIGNAL_INVALID";
  /** "The input is not what workflow order takes". */
  readonly problem: string;
  /** "Correct the input." */
  readonly remedy: string;
}

/** Most issues that an error names. */
const MAX_ISSUES = 20;
/** Longest text of one issue, in UTF-16 units. */
const MAX_ISSUE_LENGTH = 300;

/** What a schema gives for a value. Rejects with the subject's code, naming the issues, also when the schema's own code throws. */
export async function validated<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  value: unknown,
  subject: SchemaSubject,
): Promise<Value> {
  const { code, problem, remedy } = subject;
  let result: StandardSchemaV1.Result<Value>;
  try {
    result = await schema["~standard"].validate(value);
  } catch (cause) {
    throw new WorkflowError(code, `${problem}: its schema failed: ${textOf(cause)}. ${remedy}`, { cause });
  }
  if (result.issues === undefined) return result.value;
  const shown = result.issues.slice(0, MAX_ISSUES).map(issueText);
  const more = result.issues.length - shown.length;
  throw new WorkflowError(
    code,
    `${problem}: ${shown.join("; ")}${more === 0 ? "" : `; and ${more} more issues`}. ${remedy}`,
    { details: { issues: shown } },
  );
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

/** The payload of a signal. */
export function signalOf(name: string): SchemaSubject {
  const problem = `The payload is not what signal ${name} takes`;
  return { code: "SIGNAL_INVALID", problem, remedy: "Send what the signal's schema takes." };
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
