/** Filters of lists between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeCondition,
  type ComparedValue,
  givenValue,
  type IdPolicy,
  type TimeRange,
  type ValueBound,
} from "@raftoral/workflow";
import type { CallLimit, ReadOptions } from "../api/call-options.ts";
import { NodeError } from "../api/errors.ts";
import type { AttributeFilter, RunFilter, TimeFilter } from "../api/finding/filters.ts";
import type { RunStatus } from "../api/runs.ts";
import type { CheckedFilter } from "../api/workflows-port.ts";
import {
  type AttributeConditionSchema,
  type AttributeValueSchema,
  Consistency,
  type AttributeCondition as WireCondition,
  type TimeRange as WireRange,
} from "../gen/raftoral/v1/run_pb.ts";
import { type ListRunsRequest, type ListRunsRequestSchema, RunSort } from "../gen/raftoral/v1/run_reads_pb.ts";
import { IdPolicy as WirePolicy } from "../gen/raftoral/v1/run_start_pb.ts";
import { comparedFromWire, valueToWire } from "./attribute-messages.ts";
import { safeNumber } from "./numbers.ts";
import { statusFromWire, statusToWire } from "./run-messages.ts";

type Ranges = { readonly fromMs?: bigint; readonly beforeMs?: bigint };

/** A filter as fields of a request. */
export function filterToWire(filter: CheckedFilter): MessageInitShape<typeof ListRunsRequestSchema> {
  const { statuses = [], workflowType = "", owner, created, ended, parent = "", runIdPrefix = "", queue = "" } = filter;
  return {
    statuses: statuses.map(statusToWire),
    workflowType,
    ...(owner === undefined ? {} : { ownerNodeId: BigInt(owner) }),
    ...(created === undefined ? {} : { created: rangeToWire(created) }),
    ...(ended === undefined ? {} : { ended: rangeToWire(ended) }),
    parentRunId: parent,
    runIdPrefix,
    queue,
    attributes: (filter.attributes ?? []).map(conditionToWire),
    sort: filter.sort === "ended" ? RunSort.ENDED : RunSort.CREATED,
    ascending: filter.isAscending,
  };
}

/** The filter of a request; the API checks it. Throws REQUEST_INVALID for what it cannot have. */
export function filterFromWire(request: ListRunsRequest): RunFilter {
  const { workflowType, ownerNodeId, created, ended, parentRunId: parent, runIdPrefix, attributes, queue } = request;
  const statuses = request.statuses.map(statusFromWire).filter((status): status is RunStatus => status !== undefined);
  return {
    ...(statuses.length === 0 ? {} : { status: statuses }),
    ...(workflowType === "" ? {} : { workflowType }),
    ...(ownerNodeId === undefined ? {} : { owner: safeNumber(ownerNodeId, "owner_node_id") }),
    ...(created === undefined ? {} : { created: rangeFromWire(created) }),
    ...(ended === undefined ? {} : { ended: rangeFromWire(ended) }),
    ...(parent === "" ? {} : { parent }),
    ...(queue === "" ? {} : { queue }),
    ...(runIdPrefix === "" ? {} : { runIdPrefix }),
    ...(attributes.length === 0 ? {} : { attributes: conditionsFromWire(attributes) }),
    sort: request.sort === RunSort.ENDED ? "ended" : "created",
    order: request.ascending ? "ascending" : "descending",
  };
}

/** How recent an answer must be, as a message says it. */
export function consistencyToWire({ isStale }: CallLimit): Consistency {
  return isStale === true ? Consistency.STALE : Consistency.LINEARIZABLE;
}

/** The same as an option of a read. */
export function consistencyFromWire(consistency: Consistency): Pick<ReadOptions, "consistency"> {
  return isStale(consistency) ? { consistency: "stale" } : {};
}

/** Whether what the asked node has applied is enough. */
export function isStale(consistency: Consistency): boolean {
  return consistency === Consistency.STALE;
}

const POLICIES: ReadonlyMap<IdPolicy, WirePolicy> = new Map([
  ["use-existing", WirePolicy.USE_EXISTING],
  ["reject", WirePolicy.REJECT],
  ["replace-failed", WirePolicy.REPLACE_FAILED],
  ["replace", WirePolicy.REPLACE],
]);

/** A policy as a message says it. */
export function idPolicyToWire(policy: IdPolicy): WirePolicy {
  return POLICIES.get(policy) ?? WirePolicy.UNSPECIFIED;
}

/** The policy of a message. Throws REQUEST_INVALID for one of a later version: to take it for another would do what its caller did not ask for. */
export function idPolicyFromWire(policy: WirePolicy): IdPolicy {
  if (policy === WirePolicy.UNSPECIFIED) return "use-existing";
  for (const [known, wire] of POLICIES) if (wire === policy) return known;
  throw new NodeError("REQUEST_INVALID", `Id policy ${policy} is not known to this version. Upgrade the node.`);
}

function rangeToWire({ fromMs, beforeMs }: TimeRange): Ranges {
  return {
    ...(fromMs === undefined ? {} : { fromMs: BigInt(fromMs) }),
    ...(beforeMs === undefined ? {} : { beforeMs: BigInt(beforeMs) }),
  };
}

function rangeFromWire({ fromMs, beforeMs }: WireRange): TimeFilter {
  return {
    ...(fromMs === undefined ? {} : { from: safeNumber(fromMs, "from_ms") }),
    ...(beforeMs === undefined ? {} : { before: safeNumber(beforeMs, "before_ms") }),
  };
}

function conditionToWire(condition: AttributeCondition): MessageInitShape<typeof AttributeConditionSchema> {
  const { name } = condition;
  if ("in" in condition) return { name, in: condition.in.map(comparedToWire) };
  const { lower, upper } = condition;
  return {
    name,
    ...(lower === undefined ? {} : { lower: boundToWire(lower), lowerInclusive: lower.isInclusive }),
    ...(upper === undefined ? {} : { upper: boundToWire(upper), upperInclusive: upper.isInclusive }),
  };
}

function boundToWire({ value }: ValueBound): MessageInitShape<typeof AttributeValueSchema> {
  return comparedToWire(value);
}

function comparedToWire(value: ComparedValue): MessageInitShape<typeof AttributeValueSchema> {
  return valueToWire(givenValue(value));
}

function conditionsFromWire(conditions: readonly WireCondition[]): Readonly<Record<string, AttributeFilter>> {
  const filters = new Map<string, AttributeFilter>();
  for (const { name, in: values, lower, lowerInclusive, upper, upperInclusive } of conditions) {
    if (filters.has(name))
      throw new NodeError("REQUEST_INVALID", `Attribute ${name} has two conditions. Give one for each attribute.`);
    if (values.length > 0) {
      filters.set(name, { in: values.map((value) => comparedFromWire(name, value)) });
      continue;
    }
    filters.set(name, {
      ...(lower === undefined ? {} : { [lowerInclusive ? "atLeast" : "above"]: comparedFromWire(name, lower) }),
      ...(upper === undefined ? {} : { [upperInclusive ? "atMost" : "below"]: comparedFromWire(name, upper) }),
    });
  }
  return Object.fromEntries(filters);
}
