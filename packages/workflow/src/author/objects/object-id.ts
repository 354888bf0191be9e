/**
 * Ids of objects: the run of an object is found by the object's type and key.
 *
 * OI1. Two objects have two ids, whatever their types and keys are: what has a meaning in ids is escaped in both. No derived id of a child is one of them, for those
 *      have a `#`.
 */
import { WorkflowError } from "../../errors.ts";

const MAX_KEY_LENGTH = 200;
/** Of the id of any run. */
const MAX_ID_LENGTH = 512;
const SPECIAL = /[%/#]/g;

/** The id of the run that is the object: `account/alice`. Throws NAME_INVALID. */
export function objectRunId(type: string, key: string): string {
  const isText = typeof key === "string" && key.length > 0 && key.length <= MAX_KEY_LENGTH && key.isWellFormed();
  const id = isText ? `${escaped(type)}/${escaped(key)}` : "";
  if (isText && id.length <= MAX_ID_LENGTH) return id;
  throw new WorkflowError(
    "NAME_INVALID",
    `The key of an object ${type} is a well-formed text of 1 to ${MAX_KEY_LENGTH} characters, which makes an id of ${MAX_ID_LENGTH} at most when "%", "/" and "#" are escaped. Give the object another key.`,
    { details: { type } },
  );
}

/** The key of the object that a run of this type is; undefined for the id of a run that is no object of the type. */
export function objectKey(type: string, runId: string): string | undefined {
  const prefix = `${escaped(type)}/`;
  if (!runId.startsWith(prefix)) return undefined;
  try {
    const key = decodeURIComponent(runId.slice(prefix.length).replace(/%(?!25|2F|23)/g, "%25"));
    return key.length > 0 && objectRunId(type, key) === runId ? key : undefined;
  } catch {
    return undefined;
  }
}

function escaped(text: string): string {
  return text.replace(SPECIAL, encodeURIComponent);
}
