/** Checks inputs against the schema of a workflow's definition. */
import { type InputSchema, validated, WorkflowError } from "@raftoral/workflow";
import type { Payload } from "./payload.ts";

/**
 * Resolves when the schema takes the input as it is recorded, for that is what the body gets. Rejects with INPUT_INVALID, also for bytes that are not
 * JSON.
 */
export async function assertInputFits(
  schema: InputSchema<unknown>,
  input: Payload,
  workflowType: string,
): Promise<void> {
  let value: unknown;
  try {
    value = input.value();
  } catch (cause) {
    throw new WorkflowError(
      "INPUT_INVALID",
      `The input is not what workflow ${workflowType} takes: it is not JSON in UTF-8. Correct the input.`,
      { cause },
    );
  }
  await validated(schema, value, workflowType);
}
