/** Checks payloads against the schemas of definitions. */
import { type SchemaSubject, type StandardSchemaV1, validated, WorkflowError } from "@raftoral/workflow";
import type { Payload } from "./payload.ts";

/**
 * Resolves when the schema takes the payload as it is recorded, for that is what the body gets. Rejects with the subject's code, also for bytes that
 * are not JSON.
 */
export async function assertFits(schema: StandardSchemaV1, payload: Payload, subject: SchemaSubject): Promise<void> {
  let value: unknown;
  try {
    value = payload.value();
  } catch (cause) {
    throw new WorkflowError(subject.code, `${subject.problem}: it is not JSON in UTF-8. ${subject.remedy}`, { cause });
  }
  await validated(schema, value, subject);
}
