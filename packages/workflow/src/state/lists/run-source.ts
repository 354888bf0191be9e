/**
 * Where the runs of a list may be found: groups of the index that have all runs which fit a condition, and perhaps others.
 *
 * SO1. A source that is in the order of the list is walked from where the page begins. Of one that is not, all is read and put in order, so it is used
 *      only when it is small.
 * SO2. Every source has all runs that the query asks for: leaving conditions to the filter makes a list slower and never another one.
 */
import type { NodeId, StateKey, StateReader } from "@raftoral/raft-core";
import {
  ALL_CREATED,
  ALL_ENDED,
  attributeGroup,
  attributeGroups,
  BEYOND_PLACES,
  endGroup,
  parentGroup,
  placeIn,
  placeKeyOf,
  seatGroup,
  statusGroup,
  valueKey,
  waitingGroup,
} from "../../records/index-keys.ts";
import { idKey } from "../../records/state-keys.ts";
import type { Tables } from "../tables.ts";
import type { AttributeCondition, RunConditions, RunQuery, RunSort, TimeRange } from "./run-query.ts";
import { RUN_STATUSES, type RunStatus } from "./run-status.ts";

/** Groups whose entries are in one order, merged as they are walked. */
export interface OrderedSource {
  readonly groups: readonly StateKey[];
  /** The order of the entries within each group. */
  readonly sort: RunSort;
}

/** A range of keys whose order is not that of a list. `isOfIds`: they are ids, and their records name the runs. */
export interface RangeSource {
  readonly range: readonly [start: StateKey, end: StateKey];
  readonly isOfIds: boolean;
}

/** Groups that one list merges at most: each costs a look at every page. */
const MAX_GROUPS = 64;

const OPEN: readonly RunStatus[] = ["running", "stuck", "paused", "delayed"];
const ENDED: readonly RunStatus[] = RUN_STATUSES.filter((status) => !OPEN.includes(status));

/** Sources whose entries have an order, the one that is likely to have the fewest first. */
export function orderedSources(tables: Tables, query: RunQuery): readonly OrderedSource[] {
  const sources: OrderedSource[] = [];
  const isOfEnded = wantsEnded(query);
  const add = (sort: RunSort, groups: readonly StateKey[]): void => {
    if (groups.length <= MAX_GROUPS) sources.push({ groups: [...new Set(groups)], sort });
  };
  const { parent, owner, workflowType } = query;
  for (const condition of query.attributes ?? []) {
    if ("in" in condition) {
      const { name } = condition;
      add(
        "created",
        condition.in.map((value) => attributeGroup(name, valueKey(value))),
      );
    }
  }
  if (parent !== undefined) add("created", [parentGroup(parent)]);
  if (owner !== undefined) add("created", owner === 0 ? ownedByNone(tables) : ownedBy(tables, owner));
  if (workflowType !== undefined || query.statuses !== undefined) {
    add("created", typedGroups(tables, query, RUN_STATUSES, statusGroup));
    if (isOfEnded) add("ended", typedGroups(tables, query, ENDED, endGroup));
  }
  // All runs are never fewer than those of a condition.
  const isOpen = (sort: RunSort): boolean => !sources.some((source) => source.sort === sort);
  if (isOpen("created")) add("created", [ALL_CREATED]);
  if (isOfEnded && isOpen("ended")) add("ended", [ALL_ENDED]);
  return sources;
}

/** Ranges that are small where the condition is a narrow one. */
export function rangeSources({ runIdPrefix, attributes = [] }: RunConditions): readonly RangeSource[] {
  const sources: RangeSource[] = [];
  if (runIdPrefix !== undefined && runIdPrefix !== "") {
    const start = idKey(runIdPrefix);
    // No byte of UTF-8 is this one.
    sources.push({ range: [start, `${start}\u00ff`], isOfIds: true });
  }
  for (const condition of attributes) {
    if (!("in" in condition)) sources.push({ range: attributeRange(condition), isOfIds: false });
  }
  return sources;
}

/** Places of a source in its order, from `from` on and before `to`, as {@link placeIn} gives them. `isBack`: from the last one on. */
export function* placesIn(
  records: StateReader,
  { groups }: OrderedSource,
  [from, to]: readonly [from: StateKey, to: StateKey],
  isBack: boolean,
): Generator<StateKey> {
  const walks = groups.map((group) => {
    const [start, end] = [group + from, group + to];
    return (isBack ? records.scanBack(start, end) : records.scan(start, end))[Symbol.iterator]();
  });
  try {
    const heads = walks.map(nextPlace);
    for (;;) {
      let first = -1;
      for (const [at, place] of heads.entries()) {
        const least = heads[first];
        if (place !== undefined && (least === undefined || (isBack ? place > least : place < least))) first = at;
      }
      const place = heads[first];
      if (place === undefined) return;
      // A run may be in several of the groups.
      for (const [at, walk] of walks.entries()) if (heads[at] === place) heads[at] = nextPlace(walk);
      yield place;
    }
  } finally {
    for (const walk of walks) walk.return?.();
  }
}

/** The places of a time range, half-open. */
export function placesOf({ fromMs = 0, beforeMs }: TimeRange): readonly [from: StateKey, to: StateKey] {
  const at = (ms: number): StateKey => placeKeyOf({ ms: Math.max(0, Math.trunc(ms)), place: 0, start: 0 });
  return [at(Math.ceil(fromMs)), beforeMs === undefined ? BEYOND_PLACES : at(Math.ceil(beforeMs))];
}

function nextPlace(walk: Iterator<readonly [StateKey, Uint8Array]>): StateKey | undefined {
  const next = walk.next();
  return next.done === true ? undefined : placeIn(next.value[0]);
}

/** Whether a query is for runs that have ended, and no others (SO2). */
function wantsEnded({ sort, ended, statuses }: RunQuery): boolean {
  return sort === "ended" || ended !== undefined || statuses?.every((status) => ENDED.includes(status)) === true;
}

function ownedBy({ nodes }: Tables, owner: NodeId): readonly StateKey[] {
  const seat = nodes.get(owner)?.seat ?? 0;
  return seat === 0 ? [] : [seatGroup(seat)];
}

/** Open runs on no seat, or on one that was vacated. */
function ownedByNone(tables: Tables): readonly StateKey[] {
  const { nodes, runs } = tables;
  return [
    ...nodes.vacated().map(({ seat }) => seatGroup(seat)),
    ...runs.places.waiting().map(waitingGroup),
    ...typedGroups(tables, { statuses: ["stuck", "paused", "delayed"] }, RUN_STATUSES, statusGroup),
  ];
}

function typedGroups(
  { runs: { counters } }: Tables,
  { workflowType, statuses = RUN_STATUSES }: RunConditions,
  possible: readonly string[],
  groupOf: (status: number, type: string) => StateKey,
): readonly StateKey[] {
  const wanted = statuses.filter((status) => possible.includes(status)).map((status) => RUN_STATUSES.indexOf(status));
  const types = workflowType === undefined ? counters.typesWith(wanted) : [workflowType];
  return types.flatMap((type) =>
    wanted.filter((status) => counters.of(type, status) > 0).map((status) => groupOf(status, type)),
  );
}

function attributeRange({
  name,
  lower,
  upper,
}: Extract<AttributeCondition, { lower?: unknown }>): readonly [StateKey, StateKey] {
  const values = attributeGroups(name);
  const bound = lower ?? upper;
  if (bound === undefined) return [values, values + BEYOND_PLACES];
  const type = valueKey(bound.value).slice(0, 1);
  const beyond = (value: StateKey, isBeyond: boolean): StateKey => values + value + (isBeyond ? BEYOND_PLACES : "");
  const start = lower === undefined ? values + type : beyond(valueKey(lower.value), !lower.isInclusive);
  const nextType = values + String.fromCharCode(type.charCodeAt(0) + 1);
  const end = upper === undefined ? nextType : beyond(valueKey(upper.value), upper.isInclusive);
  return [start, end];
}
