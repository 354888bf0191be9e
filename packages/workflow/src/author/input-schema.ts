/** Validation of a workflow's input, by any library that has the Standard Schema interface (zod, valibot, arktype, ...). */
import { WorkflowError } from "../errors.ts";

export interface InputIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type InputResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly InputIssue[] };

/** What is needed of a Standard Schema. It must be deterministic: it runs at the start and at each execution. */
export interface InputSchema<Value> {
  readonly "~standard": {
    readonly validate: (value: unknown) => InputResult<Value> | Promise<InputResult<Value>>;
  };
}

/** The validated (and perhaps transformed) input. Rejects with INPUT_INVALID, naming every issue. */
export async function validated<Value>(schema: InputSchema<Value>, input: unknown, type: string): Promise<Value> {
  const result = await schema["~standard"].validate(input);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path }) => {
    const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
    return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  });
  throw new WorkflowError(
    "INPUT_INVALID",
    `The input is not what workflow ${type} takes: ${issues.join("; ")}. Correct the input.`,
    {
      details: { issues },
    },
  );
}
