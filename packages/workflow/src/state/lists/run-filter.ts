/** Whether a run is one that is asked for. */
import { isDateAttribute, valuesOf } from "../../model/attributes.ts";
import { valueKey } from "../../records/index-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Tables } from "../tables.ts";
import type { AttributeCondition, ComparedValue, RunConditions, TimeRange } from "./run-query.ts";
import { statusOf } from "./run-status.ts";

/** A test of all conditions of a query. */
export function filterOf(tables: Tables, conditions: RunConditions): (run: RunRecord) => boolean {
  const { statuses, workflowType, owner, created, ended, parent, runIdPrefix } = conditions;
  const attributes = (conditions.attributes ?? []).map(attributeFilter);
  return (run) => {
    const { head } = run;
    if (workflowType !== undefined && run.workflowType !== workflowType) return false;
    if (statuses !== undefined && !statuses.includes(statusOf(head))) return false;
    if (owner !== undefined && (head.status === "finished" || tables.ownerOf(run) !== owner)) return false;
    if (parent !== undefined && run.parent?.runId !== parent) return false;
    if (runIdPrefix !== undefined && !run.runId.startsWith(runIdPrefix)) return false;
    if (created !== undefined && !isIn(created, run.startedAtMs)) return false;
    if (ended !== undefined && !(head.status === "finished" && isIn(ended, head.endedAtMs))) return false;
    return attributes.every((fits) => fits(run));
  };
}

function isIn({ fromMs = 0, beforeMs = Number.POSITIVE_INFINITY }: TimeRange, ms: number): boolean {
  return ms >= fromMs && ms < beforeMs;
}

/** Values compare as their keys do, so that a condition means the same with an index and without. */
function attributeFilter(condition: AttributeCondition): (run: RunRecord) => boolean {
  const { name } = condition;
  if ("in" in condition) {
    const wanted = new Set(condition.in.map(valueKey));
    return ({ attributes }) => {
      const value = attributes.get(name);
      return value !== undefined && valuesOf(value).some((each) => wanted.has(valueKey(each)));
    };
  }
  const { lower, upper } = condition;
  const type = typeOf(condition);
  const [low, high] = [lower && valueKey(lower.value), upper && valueKey(upper.value)];
  const fits = (value: ComparedValue): boolean => {
    if (type !== undefined && kindOf(value) !== type) return false;
    const key = valueKey(value);
    if (low !== undefined && (lower?.isInclusive === true ? key < low : key <= low)) return false;
    return high === undefined || (upper?.isInclusive === true ? key <= high : key < high);
  };
  return ({ attributes }) => {
    const value = attributes.get(name);
    return value !== undefined && valuesOf(value).some(fits);
  };
}

/** The type of the values in a range; undefined for a range without bounds, in which all values are. */
export function typeOf({ lower, upper }: Extract<AttributeCondition, { lower?: unknown }>): string | undefined {
  const bound = lower ?? upper;
  return bound === undefined ? undefined : kindOf(bound.value);
}

function kindOf(value: ComparedValue): string {
  return typeof value === "object" && isDateAttribute(value) ? "date" : typeof value;
}
