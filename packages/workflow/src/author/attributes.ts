/** Attributes as authors and callers give and get them: a date is a Date here, and a moment in the record. */
import { WorkflowError } from "../errors.ts";
import {
  type Attribute,
  type AttributeChanges,
  type Attributes,
  attributeNameProblem,
  attributeProblem,
  attributesInvalidText,
  changedAttributes,
  type DateAttribute,
  isDateAttribute,
  isList,
  NO_ATTRIBUTES,
} from "../model/attributes.ts";

/** The value of an attribute: runs are found by it. A text has at most 256 characters, and a list at most 16 of them; runs are found by each text of a list. */
export type AttributeValue = string | number | boolean | Date | readonly string[];

/**
 * Attributes by name: at most 32 of them, with 64 values and 4 KiB as JSON in all. A name is a letter and then at most 63 letters, digits, dots, dashes and
 * underscores.
 */
export type AttributeValues = Readonly<Record<string, AttributeValue>>;

/** New values by name. Null takes an attribute away; those that are not named stay. */
export type AttributeUpdates = Readonly<Record<string, AttributeValue | null>>;

/** A moment: a date, or milliseconds since the epoch. */
export type Moment = Date | number;

const NO_CHANGES: AttributeChanges = new Map();

/** A value as the state has it: a date is a moment. What is no value stays what it is. */
export function storedValue(given: unknown): unknown {
  return given instanceof Date ? { dateMs: given.getTime() } : given;
}

/** A value as callers get it. */
export function givenValue<Value extends Attribute>(value: Value): Exclude<Value, DateAttribute> | Date {
  return isDateAttribute(value) ? new Date(value.dateMs) : (value as Exclude<Value, DateAttribute>);
}

/** What a caller gives as changes of attributes. `runId` is for messages. Throws ATTRIBUTES_INVALID. */
export function storedChanges(runId: string, given: unknown): AttributeChanges {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw attributesInvalid(runId, "they are not an object with a value for each name");
  const entries = Object.entries(given);
  if (entries.length === 0) return NO_CHANGES;
  const changes = new Map<string, Attribute | null>();
  for (const [name, value] of entries) {
    const stored = storedValue(value);
    const problem = attributeNameProblem(name) ?? (stored === null ? undefined : attributeProblem(name, stored));
    if (problem !== undefined) throw attributesInvalid(runId, problem);
    changes.set(name, isList(stored as Attribute) ? [...(stored as readonly string[])] : (stored as Attribute | null));
  }
  return changes;
}

/** What a caller gives as all attributes of a run. Throws ATTRIBUTES_INVALID. */
export function storedAttributes(runId: string, given: unknown): Attributes {
  const changes = storedChanges(runId, given);
  if (changes.size === 0) return NO_ATTRIBUTES;
  const attributes = changedAttributes(NO_ATTRIBUTES, changes);
  if (typeof attributes === "string") throw attributesInvalid(runId, attributes);
  return attributes;
}

/** Attributes as callers get them. */
export function attributeValues(attributes: Attributes): AttributeValues {
  return Object.freeze(Object.fromEntries([...attributes].map(([name, value]) => [name, givenValue(value)])));
}

/** The failure of attributes that a run cannot have. */
export function attributesInvalid(runId: string, problem: string): WorkflowError {
  return new WorkflowError("ATTRIBUTES_INVALID", attributesInvalidText(runId, problem), { details: { runId } });
}
