/** Steps of a node's bodies that are under way or wait for another attempt, by the types of their runs: for metrics. A body that is not in memory has none here. */

/** What is under way of one type. */
export interface TypeSteps {
  readonly workflowType: string;
  /** Steps that have failed and wait for, or are at, another attempt. */
  readonly retrying: number;
  /** How long the oldest step has been under way, all its attempts included, in ms. */
  readonly oldestMs: number;
}

/** A step that is under way. */
export interface StepUnderWay {
  /** When its first attempt began, on the clock that only goes forward. */
  readonly sinceMs: number;
  /** Whether an attempt has failed. */
  readonly hasFailed: boolean;
}

/** A body in memory, and its steps that are under way. */
export interface BodySteps {
  readonly workflowType: string;
  readonly stepsUnderWay: Iterable<StepUnderWay>;
}

/** The steps of all bodies by type, in one pass over them: nothing is counted while no metrics are read. Types without any are not in it. */
export function stepsByType(bodies: Iterable<BodySteps>, nowMs: number): readonly TypeSteps[] {
  const types = new Map<string, { retrying: number; oldestMs: number }>();
  for (const { workflowType, stepsUnderWay } of bodies) {
    for (const { sinceMs, hasFailed } of stepsUnderWay) {
      const of = types.get(workflowType) ?? { retrying: 0, oldestMs: 0 };
      types.set(workflowType, of);
      if (hasFailed) of.retrying += 1;
      of.oldestMs = Math.max(of.oldestMs, nowMs - sinceMs);
    }
  }
  return Array.from(types, ([workflowType, of]) => ({ workflowType, ...of }));
}
