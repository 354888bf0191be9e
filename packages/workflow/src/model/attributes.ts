/**
 * Attributes of a run: named values of a type, by which runs are found.
 *
 * AT1. What a run has is bounded: MAX_ATTRIBUTES names, MAX_ATTRIBUTE_VALUES values with those of lists, MAX_ATTRIBUTE_BYTES as they are written.
 * AT2. Equal attributes are equal bytes: names ascend, and a number has one way to be written.
 * AT3. Values of different types are different values, and are never compared with each other.
 */
import { WorkflowError } from "../errors.ts";

/** A moment, in ms since the epoch. */
export interface DateAttribute {
  readonly dateMs: number;
}

/** A value as commands and the state have it. */
export type Attribute = string | number | boolean | DateAttribute | readonly string[];

/** Attributes by name, in the order of the names. */
export type Attributes = ReadonlyMap<string, Attribute>;

/** New values by name; null takes an attribute away. */
export type AttributeChanges = ReadonlyMap<string, Attribute | null>;

/** Names that a run has at most. */
export const MAX_ATTRIBUTES = 32;
/** Values that a run has at most, each element of a list counted. */
export const MAX_ATTRIBUTE_VALUES = 64;
/** Longest text, in UTF-16 units. */
export const MAX_ATTRIBUTE_TEXT = 256;
/** Longest list. */
export const MAX_ATTRIBUTE_LIST = 16;
/** Bytes that all attributes of a run take at most, written as JSON. */
export const MAX_ATTRIBUTE_BYTES = 4 * 1024;

/** A run without attributes has these. */
export const NO_ATTRIBUTES: Attributes = new Map();

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const NOTHING: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Whether a value is a moment. */
export function isDateAttribute(value: Attribute): value is DateAttribute {
  return typeof value === "object" && "dateMs" in value;
}

/** Each value by itself: the elements of a list, or the value. */
export function valuesOf(value: Attribute): readonly Exclude<Attribute, readonly string[]>[] {
  return isList(value) ? value : [value];
}

/** Whether a value is a list of texts. */
export function isList(value: Attribute): value is readonly string[] {
  return Array.isArray(value);
}

/** What keeps a name from being that of an attribute; undefined when nothing does. */
export function attributeNameProblem(name: string): string | undefined {
  return NAME.test(name)
    ? undefined
    : `attribute ${JSON.stringify(name.slice(0, 100))} is no name: a name is a letter and then at most 63 letters, digits, dots, dashes and underscores`;
}

/** What keeps a value from being an attribute's; undefined when nothing does. */
export function attributeProblem(name: string, value: unknown): string | undefined {
  const wrong = (what: string): string => `attribute ${name} ${what}`;
  if (typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : wrong("is no finite number");
  if (typeof value === "string") return textProblem(name, value);
  if (Array.isArray(value)) {
    if (value.length > MAX_ATTRIBUTE_LIST)
      return wrong(`has ${value.length} texts, and may have ${MAX_ATTRIBUTE_LIST}`);
    for (const text of value) {
      const problem = typeof text === "string" ? textProblem(name, text) : wrong("is a list with something but texts");
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (typeof value === "object" && value !== null && "dateMs" in value) {
    const { dateMs } = value;
    return Number.isSafeInteger(dateMs) && Object.keys(value).length === 1 ? undefined : wrong("is no date");
  }
  return wrong("is neither a text, a number, true or false, a date nor a list of texts");
}

function textProblem(name: string, text: string): string | undefined {
  if (text.length > MAX_ATTRIBUTE_TEXT)
    return `attribute ${name} has a text of ${text.length} characters, and may have ${MAX_ATTRIBUTE_TEXT}`;
  return text.isWellFormed() ? undefined : `attribute ${name} has a lone surrogate`;
}

/** The attributes with changes made to them, or what is wrong with that (AT1). */
export function changedAttributes(before: Attributes, changes: AttributeChanges): Attributes | string {
  const after = new Map(before);
  for (const [name, value] of changes) {
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  const sorted = new Map([...after].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (sorted.size > MAX_ATTRIBUTES)
    return `the run would have ${sorted.size} attributes, and may have ${MAX_ATTRIBUTES}`;
  let values = 0;
  for (const value of sorted.values()) values += valuesOf(value).length;
  if (values > MAX_ATTRIBUTE_VALUES)
    return `the run's attributes would have ${values} values, and may have ${MAX_ATTRIBUTE_VALUES}`;
  const { length } = encodeAttributes(sorted);
  if (length > MAX_ATTRIBUTE_BYTES)
    return `the run's attributes would have ${length} bytes, and may have ${MAX_ATTRIBUTE_BYTES}`;
  return sorted;
}

/** Attributes, or changes of them, as JSON in UTF-8; no bytes for none (AT2). */
export function encodeAttributes(attributes: AttributeChanges): Uint8Array {
  if (attributes.size === 0) return NOTHING;
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  return encoder.encode(
    `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`,
  );
}

/** The changes that {@link encodeAttributes} wrote, or what is wrong with the bytes. */
export function decodeChanges(bytes: Uint8Array): AttributeChanges | string {
  if (bytes.length === 0) return NO_ATTRIBUTES;
  if (bytes.length > 4 * MAX_ATTRIBUTE_BYTES) return `they have ${bytes.length} bytes`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch {
    return "they are not JSON in UTF-8";
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return "they are not an object";
  const changes = new Map<string, Attribute | null>();
  for (const [name, value] of Object.entries(parsed)) {
    const problem = attributeNameProblem(name) ?? (value === null ? undefined : attributeProblem(name, value));
    if (problem !== undefined) return problem;
    // A number has one way to be written (AT2).
    changes.set(name, value === 0 ? 0 : (value as Attribute | null));
  }
  return changes;
}

/** The attributes that the state has stored. Throws COMMAND_INVALID for bytes that are none. */
export function decodeAttributes(bytes: Uint8Array): Attributes {
  const changes = decodeChanges(bytes);
  const attributes = typeof changes === "string" ? changes : changedAttributes(NO_ATTRIBUTES, changes);
  if (typeof attributes !== "string") return attributes;
  throw new WorkflowError("COMMAND_INVALID", `Stored attributes cannot be read: ${attributes}.`);
}

/** The text of an error about attributes that cannot be taken. */
export function attributesInvalidText(runId: string, problem: string): string {
  return `The attributes of run ${runId} cannot be set: ${problem}. Change them.`;
}
