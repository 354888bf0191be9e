/** What can be asked of the runs: conditions, order and pages. Structured-cloneable. */
import type { NodeId } from "@raftoral/raft-core";
import type { Attribute } from "../../model/attributes.ts";
import type { RunSummary } from "../runs/run-view.ts";
import type { RunStatus } from "./run-status.ts";

/** A value that attributes are compared with: any but a list. Lists are found by each of their texts. */
export type ComparedValue = Exclude<Attribute, readonly string[]>;

/** A bound of a range of values; the bound itself belongs to the range where it is inclusive. */
export interface ValueBound {
  readonly value: ComparedValue;
  readonly isInclusive: boolean;
}

/**
 * A condition on one attribute: it has one of the values, or one in a range. Both bounds of a range are of one type, and only values of that type are in
 * the range.
 */
export type AttributeCondition =
  | { readonly name: string; readonly in: readonly ComparedValue[] }
  | { readonly name: string; readonly lower?: ValueBound; readonly upper?: ValueBound };

/** Half-open, in ms since the epoch of the log clock: `[fromMs, beforeMs)`. */
export interface TimeRange {
  readonly fromMs?: number;
  readonly beforeMs?: number;
}

/** What orders a list. Runs that have not ended are not in a list that is ordered by ends. */
export type RunSort = "created" | "ended";

/** Which runs are wanted. Every condition given must hold. */
export interface RunConditions {
  /** Any of these. */
  readonly statuses?: readonly RunStatus[];
  readonly workflowType?: string;
  /** The node that executes the run; 0 for runs that have not ended and that no node executes. */
  readonly owner?: NodeId;
  readonly created?: TimeRange;
  readonly ended?: TimeRange;
  /** Id of the run that started it as its child. */
  readonly parent?: string;
  /** Name of the queue that the run was started in. */
  readonly queue?: string;
  readonly runIdPrefix?: string;
  readonly attributes?: readonly AttributeCondition[];
}

/** A page to be listed. */
export interface RunQuery extends RunConditions {
  /** By what the list is ordered (created). */
  readonly sort?: RunSort;
  /** Whether the earliest comes first (false: the latest does). */
  readonly isAscending?: boolean;
  /** At most this many runs, 1 to 1000 (100). */
  readonly limit?: number;
  /** `next` of the page before, of the same list. */
  readonly cursor?: string;
}

/** A page of runs. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Present when there may be more. A page may have fewer than `limit` runs and go on: the work for one page is bounded. */
  readonly next?: string;
}
