/** Steps of a node's bodies that are under way or wait for another attempt, by the types of their runs: for metrics. A body that is not in memory has none here. */
import type { Clock } from "@raftoral/raft-core";

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
  readonly workflowType: string;
  /** When its first attempt began, on the clock that only goes forward. */
  readonly sinceMs: number;
  isRetrying: boolean;
}

/** All of them, on one node. */
export class StepsUnderWay {
  readonly #steps = new Set<StepUnderWay>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(workflowType: string, sinceMs: number, isRetrying: boolean): StepUnderWay {
    const step = { workflowType, sinceMs, isRetrying };
    this.#steps.add(step);
    return step;
  }

  /** Idempotent. */
  end(step: StepUnderWay): void {
    this.#steps.delete(step);
  }

  /** By type; those without any are not in it. */
  all(): readonly TypeSteps[] {
    const types = new Map<string, { retrying: number; oldestMs: number }>();
    const nowMs = this.#clock.monotonicMs();
    for (const { workflowType, sinceMs, isRetrying } of this.#steps) {
      const of = types.get(workflowType) ?? { retrying: 0, oldestMs: 0 };
      types.set(workflowType, of);
      if (isRetrying) of.retrying += 1;
      of.oldestMs = Math.max(of.oldestMs, nowMs - sinceMs);
    }
    return Array.from(types, ([workflowType, of]) => ({ workflowType, ...of }));
  }
}
