/** Options of calls that may start a run. */
import type { AttributeValues, IdPolicy, Moment, TraceContext } from "@raftoral/workflow";
import type { CallOptions } from "../call-options.ts";

/** Options of a start. */
export interface StartOptions extends CallOptions {
  /** Starting twice with one id is one run. Text of 1 to 512 characters; a random UUID by default. */
  readonly runId?: string;
  /**
   * Pins the version: no other will do, also for a run that exists already. By default the definition's version, or the newest one that any node has
   * registered; a repeated start then finds its run whatever its version.
   */
  readonly version?: number;
  /**
   * How long after the call the run begins, in milliseconds. Until then its status is `delayed`: it has its id, can be found, signalled and cancelled, and no node executes it.
   * `resume` begins it at once. No clock that is set meanwhile changes the delay while one node leads.
   */
  readonly delayMs?: number;
  /** As `delayMs`, with the time of day at which the run begins: a Date, or milliseconds since the epoch. A time that has passed begins it at once. Not together with `delayMs`. */
  readonly startAt?: Moment;
  /** How long the run may take, in milliseconds, over crashes and all, from its beginning: it has then failed with RUN_TIMED_OUT. Without a limit by default. */
  readonly runTimeoutMs?: number;
  /** What the run is found by (`list`), beside what its body sets. Not compared with those of a run that exists, which keeps its own. */
  readonly attributes?: AttributeValues;
  /**
   * What is done with a run that has the id. "use-existing" (the default): it is the start's run if type and input are the same; else the start rejects with
   * WORKFLOW_ID_CONFLICT. "reject": the start rejects. "replace-failed": a run that has failed or was cancelled makes way; any other is as for "use-existing".
   * "replace": the run makes way; one that goes on ends as cancelled at once, without its code and its clean-up. A run that makes way is gone with its history.
   */
  readonly idPolicy?: IdPolicy;
  /** A start that is sent again under the same name is taken once, whatever its policy. A random UUID by default. */
  readonly startId?: string;
  /**
   * The place in a distributed trace that the run belongs to: the headers of W3C Trace Context. By default that of the span of OpenTelemetry which is active in the caller;
   * `false` for none. A `traceparent` that is not well-formed stands for none. That of the first start stands: another one in a repeated start changes nothing.
   */
  readonly trace?: TraceContext | false;
}
