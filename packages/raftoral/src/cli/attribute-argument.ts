/**
 * Attributes on the command line: `customer=ada`, `total=40`, `open=true`, `due=2026-01-02T03:04:05Z`, `tags=["new","vip"]`; and conditions on them, with
 * `>`, `>=`, `<`, `<=` and several values between commas.
 */
import type { AttributeValue } from "@raftoral/workflow";
import { InvalidArgumentError } from "commander";
import type { AttributeFilter, AttributeRange, ComparedAttribute } from "../api/finding/filters.ts";

const NAME = "[A-Za-z][A-Za-z0-9_.-]{0,63}";
const ASSIGNMENT = new RegExp(`^(${NAME})=(.*)$`, "su");
const CONDITION = new RegExp(`^(${NAME})(?:(=|>=|>|<=|<)(.*))?$`, "su");
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const BOUNDS = { ">=": "atLeast", ">": "above", "<=": "atMost", "<": "below" } as const;

/** Adds `name=value` to the attributes given so far. Throws InvalidArgumentError. */
export function parseAttribute(
  text: string,
  before: Readonly<Record<string, AttributeValue>> = {},
): Readonly<Record<string, AttributeValue>> {
  const [, name, value] = ASSIGNMENT.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError("Write name=value, as in customer=ada or total=40.");
  return { ...before, [name]: value.startsWith("[") ? listIn(value) : valueIn(value) };
}

/** Adds a condition to those given so far. Two bounds of one attribute are one range. Throws InvalidArgumentError. */
export function parseCondition(
  text: string,
  before: Readonly<Record<string, AttributeFilter>> = {},
): Readonly<Record<string, AttributeFilter>> {
  const [, name, operator, value = ""] = CONDITION.exec(text) ?? [];
  if (name === undefined)
    throw new InvalidArgumentError("Write name=value, name=one,other, name>=value, name<value or the name alone.");
  if (operator === undefined) return { ...before, [name]: {} };
  if (operator === "=") {
    const values = value.startsWith('"') ? [valueIn(value)] : value.split(",").map(valueIn);
    return { ...before, [name]: { in: values } };
  }
  const standing = before[name];
  const isRange = typeof standing === "object" && !(standing instanceof Date) && !("in" in standing);
  const range: AttributeRange = isRange ? standing : {};
  return { ...before, [name]: { ...range, [BOUNDS[operator as keyof typeof BOUNDS]]: valueIn(value) } };
}

/** Quotes make a text of what looks like something else. */
function valueIn(text: string): ComparedAttribute {
  if (text === "true" || text === "false") return text === "true";
  if (NUMBER.test(text)) return Number(text);
  if (DATE.test(text)) return dateIn(text);
  if (!text.startsWith('"')) return text;
  const parsed = parsedJson(text);
  if (typeof parsed === "string") return parsed;
  throw new InvalidArgumentError(`${text} is not a text between quotes.`);
}

function listIn(text: string): readonly string[] {
  const parsed = parsedJson(text);
  if (Array.isArray(parsed) && parsed.every((each) => typeof each === "string")) return parsed;
  throw new InvalidArgumentError(`${text} is not a list of texts, as in ["new","vip"].`);
}

/** A moment on the command line: a date, or a date with a time and a zone. Throws InvalidArgumentError. */
export function dateIn(text: string): Date {
  const date = new Date(DATE.test(text) ? text : Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("Write a date like 2026-01-31, or a time like 2026-01-31T10:00:00Z.");
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
