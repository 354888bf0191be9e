/** Conditions of a list as bytes, for commands that judge runs when they are applied: JSON, as attributes are. */
import type { ComparedValue, RunConditions, TimeRange, ValueBound } from "./run-query.ts";
import { RUN_STATUSES } from "./run-status.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Conditions on attributes that are looked at for each run. */
const MAX_CONDITIONS = 16;
/** Values of one condition. */
const MAX_VALUES = 256;

/** Conditions as bytes. What is no condition is left out. */
export function encodeConditions(conditions: RunConditions): Uint8Array {
  const { statuses, workflowType, owner, created, ended, parent, queue, runIdPrefix, attributes } = conditions;
  return encoder.encode(
    JSON.stringify({ statuses, workflowType, owner, created, ended, parent, queue, runIdPrefix, attributes }),
  );
}

/** The conditions that {@link encodeConditions} wrote; undefined for other bytes. */
export function decodeConditions(bytes: Uint8Array): RunConditions | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  return isConditions(parsed) ? parsed : undefined;
}

function isConditions(value: unknown): value is RunConditions {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { statuses, workflowType, owner, created, ended, parent, queue, runIdPrefix, attributes } = value as Given;
  const texts = [workflowType, parent, queue, runIdPrefix];
  return (
    (statuses === undefined || (isList(statuses, RUN_STATUSES.length) && statuses.every(isStatus))) &&
    texts.every((text) => text === undefined || typeof text === "string") &&
    (owner === undefined || isNumber(owner)) &&
    isRange(created) &&
    isRange(ended) &&
    (attributes === undefined || (isList(attributes, MAX_CONDITIONS) && attributes.every(isAttributeCondition)))
  );
}

type Given = Readonly<Record<keyof RunConditions, unknown>>;

function isList(value: unknown, most: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isStatus(value: unknown): boolean {
  return RUN_STATUSES.some((status) => status === value);
}

function isRange(value: unknown): value is TimeRange | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  const { fromMs, beforeMs } = value as Readonly<Record<keyof TimeRange, unknown>>;
  return [fromMs, beforeMs].every((ms) => ms === undefined || isNumber(ms));
}

function isAttributeCondition(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, in: values, lower, upper } = value as Readonly<Record<"name" | "in" | "lower" | "upper", unknown>>;
  if (typeof name !== "string") return false;
  if (values !== undefined) return isList(values, MAX_VALUES) && values.every(isCompared);
  return [lower, upper].every((bound) => bound === undefined || isBound(bound));
}

function isBound(value: unknown): value is ValueBound {
  if (typeof value !== "object" || value === null) return false;
  const { value: compared, isInclusive } = value as Readonly<Record<keyof ValueBound, unknown>>;
  return isCompared(compared) && typeof isInclusive === "boolean";
}

function isCompared(value: unknown): value is ComparedValue {
  if (["string", "number", "boolean"].includes(typeof value)) return true;
  return typeof value === "object" && value !== null && isNumber((value as { readonly dateMs?: unknown }).dateMs);
}
