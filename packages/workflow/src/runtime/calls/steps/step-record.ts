/** A step's outcome as its record has it. */
import { StepFailedError, VariableFailedError } from "../../../author/errors/errors.ts";
import { recordedError } from "../../../author/errors/recorded-error.ts";
import { decodeValue, encodeValue } from "../../../author/values/json-value.ts";
import type { RecordedError } from "../../../model/failure.ts";
import type { HistoryRecord } from "../../../model/record.ts";

interface RecordedStepFailure extends RecordedError {
  readonly attempts: number;
}

/** The bytes of a step's failure after so many attempts. */
export function failureBytes(error: unknown, attempts: number): Uint8Array {
  const failure: RecordedStepFailure = { ...recordedError(error), attempts };
  return encodeValue(failure, "a step's failure", Number.POSITIVE_INFINITY);
}

/** What a step's record answers its call with. Throws StepFailedError for one that failed for good. */
export function stepAnswer(path: string, record: HistoryRecord): unknown {
  const value = decodeValue(record.value, `step ${path}`);
  if (record.kind !== "step-failed") return value;
  const { attempts, ...failure } = value as RecordedStepFailure;
  throw new StepFailedError(path, attempts, failure);
}

/** What a variable's record answers. Throws VariableFailedError for one whose function failed. */
export function variableAnswer(path: string, record: HistoryRecord): unknown {
  const value = decodeValue(record.value, `variable ${path}`);
  if (record.kind !== "variable-failed") return value;
  const { attempts: _, ...failure } = value as RecordedStepFailure;
  throw new VariableFailedError(path, failure);
}
