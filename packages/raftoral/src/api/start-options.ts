/** Options of calls that may start a run. */
import type { TraceContext } from "@raftoral/workflow";
import type { CallOptions } from "./call-options.ts";

/** Options of a start. */
export interface StartOptions extends CallOptions {
  /** Starting twice with one id is one run. Text of 1 to 512 characters; a random UUID by default. */
  readonly runId?: string;
  /**
   * Pins the version: no other will do, also for a run that exists already. By default the definition's version, or the newest one that any node has
   * registered; a repeated start then finds its run whatever its version.
   */
  readonly version?: number;
  /** How long the run may take, in milliseconds, over crashes and all: it has then failed with RUN_TIMED_OUT. Without a limit by default. */
  readonly runTimeoutMs?: number;
  /**
   * The place in a distributed trace that the run belongs to: the headers of W3C Trace Context. By default that of the span of OpenTelemetry which is active in the caller;
   * `false` for none. A `traceparent` that is not well-formed stands for none. That of the first start stands: another one in a repeated start changes nothing.
   */
  readonly trace?: TraceContext | false;
}
