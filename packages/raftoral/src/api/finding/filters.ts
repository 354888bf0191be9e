/** Which runs are wanted, as callers say it. */
import type { NodeId } from "@raftoral/raft-core";
import type { AttributeValue, Moment, RunSort } from "@raftoral/workflow";
import type { RunStatus } from "../runs.ts";

/** A value that attributes are compared with. An attribute that is a list is found by each of its texts. */
export type ComparedAttribute = Exclude<AttributeValue, readonly string[]>;

/** Bounds of a range of values of one type; at most one of the two lower ones, and of the two upper ones. Without any, every value is in it. */
export interface AttributeRange {
  readonly atLeast?: ComparedAttribute;
  readonly above?: ComparedAttribute;
  readonly atMost?: ComparedAttribute;
  readonly below?: ComparedAttribute;
}

/** A condition on an attribute: a value, one of at most 16 values, or a range. */
export type AttributeFilter = ComparedAttribute | { readonly in: readonly ComparedAttribute[] } | AttributeRange;

/** A range of times, from the first one on and before the second one: dates, or milliseconds since the epoch. */
export interface TimeFilter {
  readonly from?: Moment;
  readonly before?: Moment;
}

/** Which runs to list, and in which order. Every condition given must hold. */
export interface RunFilter {
  /** One status, or any of several. */
  readonly status?: RunStatus | readonly RunStatus[];
  readonly workflowType?: string;
  /** The node that executes the run; 0 for runs that have not ended and that no node executes. */
  readonly owner?: NodeId;
  /** When the run was started. */
  readonly created?: TimeFilter;
  /** When the run ended; runs that have not are not in the list then. */
  readonly ended?: TimeFilter;
  /** Id of the run that started it as its child. */
  readonly parent?: string;
  /** Name of the queue that the run was started in, whatever has become of it since. */
  readonly queue?: string;
  /** What the run's id begins with. */
  readonly runIdPrefix?: string;
  /** Conditions on at most 8 attributes, by name. */
  readonly attributes?: Readonly<Record<string, AttributeFilter>>;
  /** What the list is ordered by (created). Runs that have not ended are not in a list that is ordered by ends. */
  readonly sort?: RunSort;
  /** Whether the latest or the earliest comes first (descending). */
  readonly order?: "ascending" | "descending";
}
