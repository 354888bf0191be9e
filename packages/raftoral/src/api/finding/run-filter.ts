/**
 * Which runs are wanted, as callers say it, and as it is checked.
 *
 * FI1. A filter that is checked is what the workflow engine is asked: dates are moments, and every condition is within its bound.
 */
import {
  type AttributeCondition,
  attributeNameProblem,
  attributeProblem,
  type ComparedValue,
  givenValue,
  MAX_QUEUE_NAME_LENGTH,
  storedValue,
  type TimeRange,
  type ValueBound,
} from "@raftoral/workflow";
import { invalid, MAX_RUN_ID_LENGTH, MAX_TYPE_LENGTH, optionsArgument, textProblem } from "../arguments.ts";
import { RUN_STATUSES, type RunStatus } from "../runs.ts";
import type { CheckedFilter } from "../workflows-port.ts";
import type { AttributeFilter, ComparedAttribute, RunFilter, TimeFilter } from "./filters.ts";

/** A misspelt condition would fit all runs, which a bulk action then changes. */
const FILTER_KEYS: ReadonlySet<string> = new Set([
  ...["workflowType", "owner", "parent", "queue", "runIdPrefix", "status", "created", "ended", "attributes"],
  ...["sort", "order"],
]);
const TIME_KEYS: ReadonlySet<string> = new Set(["from", "before"]);
const CONDITION_KEYS: ReadonlySet<string> = new Set(["in", "atLeast", "above", "atMost", "below"]);
const MAX_CONDITIONS = 8;
const MAX_VALUES = 16;
/** Moments that a Date can be. */
const MAX_TIME_MS = 8.64e15;

/** Throws REQUEST_INVALID for what no list can be narrowed or ordered by. */
export function filterArgument(filter: RunFilter | undefined): CheckedFilter {
  const { workflowType, owner, parent, queue, runIdPrefix, ...given } = optionsArgument(filter);
  onlyKeys("filter", filter, FILTER_KEYS);
  const { sort = "created", order = "descending" } = given;
  if (sort !== "created" && sort !== "ended") throw invalid("sort", sort, '"created" or "ended"');
  if (order !== "ascending" && order !== "descending") throw invalid("order", order, '"ascending" or "descending"');
  text("workflowType", workflowType, MAX_TYPE_LENGTH);
  text("parent", parent, MAX_RUN_ID_LENGTH);
  text("queue", queue, MAX_QUEUE_NAME_LENGTH);
  text("runIdPrefix", runIdPrefix, MAX_RUN_ID_LENGTH);
  if (owner !== undefined && !(Number.isSafeInteger(owner) && owner >= 0))
    throw invalid("owner", owner, "a node's id, or 0 for none");
  const statuses = statusesOf(given.status);
  const [created, ended] = [timesOf("created", given.created), timesOf("ended", given.ended)];
  const attributes = conditionsOf(given.attributes);
  return {
    ...(statuses === undefined ? {} : { statuses }),
    ...(workflowType === undefined ? {} : { workflowType }),
    ...(owner === undefined ? {} : { owner }),
    ...(created === undefined ? {} : { created }),
    ...(ended === undefined ? {} : { ended }),
    ...(parent === undefined ? {} : { parent }),
    ...(queue === undefined ? {} : { queue }),
    ...(runIdPrefix === undefined ? {} : { runIdPrefix }),
    ...(attributes === undefined ? {} : { attributes }),
    sort,
    isAscending: order === "ascending",
  };
}

/** The filter that {@link filterArgument} takes for one that is checked. */
export function filterOf({
  statuses,
  created,
  ended,
  attributes,
  sort,
  isAscending,
  ...same
}: CheckedFilter): RunFilter {
  return {
    ...same,
    ...(statuses === undefined ? {} : { status: statuses }),
    ...(created === undefined ? {} : { created: timeFilterOf(created) }),
    ...(ended === undefined ? {} : { ended: timeFilterOf(ended) }),
    ...(attributes === undefined ? {} : { attributes: Object.fromEntries(attributes.map(attributeFilterOf)) }),
    sort,
    order: isAscending ? "ascending" : "descending",
  };
}

function timeFilterOf({ fromMs: from, beforeMs: before }: TimeRange): TimeFilter {
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) };
}

function attributeFilterOf(condition: AttributeCondition): readonly [name: string, filter: AttributeFilter] {
  const { name } = condition;
  if ("in" in condition) return [name, { in: condition.in.map(comparedOf) }];
  const { lower, upper } = condition;
  const least = lower === undefined ? {} : { [lower.isInclusive ? "atLeast" : "above"]: comparedOf(lower.value) };
  const most = upper === undefined ? {} : { [upper.isInclusive ? "atMost" : "below"]: comparedOf(upper.value) };
  return [name, { ...least, ...most }];
}

function comparedOf(value: ComparedValue): ComparedAttribute {
  return givenValue(value);
}

function text(argument: string, value: unknown, maxLength: number): void {
  if (value === undefined || textProblem(value, maxLength) === undefined) return;
  throw invalid(argument, value, `text of 1 to ${maxLength} characters without lone surrogates`);
}

function onlyKeys(argument: string, given: object | undefined, known: ReadonlySet<string>): void {
  const unknown = Object.keys(given ?? {}).find((key) => !known.has(key));
  if (unknown === undefined) return;
  const value = Object.entries(given ?? {}).find(([key]) => key === unknown)?.[1];
  throw invalid(`${argument}.${unknown}`, value, `left out: ${argument} has ${[...known].join(", ")}`);
}

function statusesOf(status: RunFilter["status"]): readonly RunStatus[] | undefined {
  if (status === undefined) return undefined;
  const statuses: readonly unknown[] = Array.isArray(status) ? status : [status];
  const wrong = statuses.find((each) => !RUN_STATUSES.includes(each as RunStatus));
  if (statuses.length > 0 && wrong === undefined) return [...new Set(statuses as readonly RunStatus[])];
  throw invalid("status", wrong ?? status, `one of ${RUN_STATUSES.join(", ")}, or a list of these`);
}

function timesOf(argument: string, range: TimeFilter | undefined): TimeRange | undefined {
  if (range === undefined) return undefined;
  const { from, before } = typeof range === "object" && range !== null ? range : { from: range as never };
  if (typeof range === "object" && range !== null) onlyKeys(argument, range, TIME_KEYS);
  const ms = (bound: unknown): number => {
    const stored = storedValue(bound);
    const time = typeof stored === "object" && stored !== null && "dateMs" in stored ? stored.dateMs : stored;
    if (typeof time === "number" && time >= 0 && time <= MAX_TIME_MS) return Math.ceil(time);
    throw invalid(argument, bound, "{ from, before } with dates, or milliseconds since the epoch");
  };
  return {
    ...(from === undefined ? {} : { fromMs: ms(from) }),
    ...(before === undefined ? {} : { beforeMs: ms(before) }),
  };
}

function conditionsOf(attributes: RunFilter["attributes"]): readonly AttributeCondition[] | undefined {
  if (attributes === undefined) return undefined;
  const entries = typeof attributes === "object" && attributes !== null ? Object.entries(attributes) : undefined;
  if (entries === undefined || entries.length > MAX_CONDITIONS)
    throw invalid("attributes", attributes, `an object with at most ${MAX_CONDITIONS} conditions`);
  return entries.map(([name, given]) => conditionOf(name, given));
}

function conditionOf(name: string, given: AttributeFilter): AttributeCondition {
  if (attributeNameProblem(name) !== undefined)
    throw invalid("attributes", name, "an object whose keys are names of attributes");
  if (!isCondition(given)) return { name, in: [comparedValue(name, given)] };
  const unknown = Array.isArray(given) ? "a list" : Object.keys(given).find((key) => !CONDITION_KEYS.has(key));
  if (unknown !== undefined)
    throw invalid(`attributes.${name}`, unknown, `a value, or an object with ${[...CONDITION_KEYS].join(", ")}`);
  if ("in" in given) {
    const values: readonly unknown[] = Array.isArray(given.in) ? given.in : [];
    if (values.length === 0 || values.length > MAX_VALUES)
      throw invalid(`attributes.${name}.in`, given.in, `a list of 1 to ${MAX_VALUES} values`);
    return { name, in: values.map((value) => comparedValue(name, value)) };
  }
  const { atLeast, above, atMost, below } = given;
  if ((atLeast !== undefined && above !== undefined) || (atMost !== undefined && below !== undefined))
    throw invalid(`attributes.${name}`, given, "a range with one lower and one upper bound at most");
  const lower = boundOf(name, atLeast ?? above, atLeast !== undefined);
  const upper = boundOf(name, atMost ?? below, atMost !== undefined);
  if (lower !== undefined && upper !== undefined && typeof lower.value !== typeof upper.value)
    throw invalid(`attributes.${name}`, given, "a range whose bounds are of one type");
  return { name, ...(lower === undefined ? {} : { lower }), ...(upper === undefined ? {} : { upper }) };
}

/** Whether it is a condition, and not a value. */
function isCondition(given: AttributeFilter): given is Exclude<AttributeFilter, ComparedAttribute> {
  return typeof given === "object" && given !== null && storedValue(given) === given;
}

function boundOf(name: string, value: unknown, isInclusive: boolean): ValueBound | undefined {
  return value === undefined ? undefined : { value: comparedValue(name, value), isInclusive };
}

function comparedValue(name: string, given: unknown): ComparedValue {
  const value = storedValue(given);
  if (!Array.isArray(value) && attributeProblem(name, value) === undefined) return value as ComparedValue;
  throw invalid(
    `attributes.${name}`,
    given,
    "a text of at most 256 characters, a number, true or false, a date, or a condition",
  );
}
