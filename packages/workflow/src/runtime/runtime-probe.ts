import type { OccurrenceOutcome } from "../commands/schedules/occurrences.ts";

/**
 * What a runtime measures as it goes, for metrics. What happens to runs is told by {@link RuntimeEvents}.
 *
 * Role: the only tie between the runtime and metrics; it knows no library for them. Without a probe no clock is read for it.
 * Methods are called while bodies run: they must be quick and must not throw.
 */
export interface RuntimeProbe {
  /**
   * A step's function has succeeded or failed for good on this node. `tookMs` has all its attempts and the waits between them,
   * and not the recording of the result. Steps answered from the record, or interrupted, are not told.
   */
  stepFinished(workflowType: string, succeeded: boolean, attempts: number, tookMs: number): void;
  /** This node leads, and what was due of a schedule has happened. */
  scheduleFired?(fired: ScheduleFired): void;
}

/** What has become of what was due of a schedule. */
export interface ScheduleFired {
  /** Of the occurrence; undefined when there was none but missed ones. */
  readonly outcome: OccurrenceOutcome | undefined;
  /** Occurrences that were too old. */
  readonly missed: number;
  /** How late the occurrence was by the leader's clock, in ms; undefined for one that is not run at its own time. */
  readonly latenessMs: number | undefined;
}
