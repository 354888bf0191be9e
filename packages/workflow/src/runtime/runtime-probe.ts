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
}
