/** What operators do to runs, beside cancelling and resuming them. */
import type { CallOptions } from "../call-options.ts";
import type { Payload } from "../payloads/payload.ts";

/** Options of everything that is done to a run. */
export interface MendOptions extends CallOptions {
  /**
   * Why: text of at most 10,000 characters; `on request` by default. The error of a terminated run has it, and so have the description of a paused run and the events
   * `pause-requested`, `run-retried` and `run-forked`. The audit has it of everything.
   */
  readonly reason?: string;
  /** The same request again is done once. A random UUID by default. */
  readonly requestId?: string;
}

/** Options of a cancellation. */
export interface CancelOptions extends CallOptions {
  /** Why: the run's body and its description have it. */
  readonly reason?: string;
}

/** Options of a pause. */
export interface PauseOptions extends MendOptions {
  /** Aborts steps under way, which run again once the run goes on, and waits for no owner (false). */
  readonly now?: boolean;
}

/** Options of a retry. */
export interface RetryOptions extends MendOptions {
  /**
   * The step to go on from: a path as {@link Workflows.history} shows it, without its `#0` if that is clear. Its record and everything that was recorded after it do not
   * count any more. By default the failure that ended the run, and what came after it.
   */
  readonly from?: string;
}

/** Options of a fork. */
export interface ForkOptions extends MendOptions {
  /** Id of the new run. Text of 1 to 512 characters; a random UUID by default. */
  readonly runId?: string;
  /**
   * The first step that the fork has no record of, and begins with: as of a retry. By default the failure that ended the run; the fork of a run that has not failed has all of
   * its records.
   */
  readonly from?: string;
  /** In the place of the run's input, which the fork has otherwise. It reaches the body as it is given. */
  readonly input?: unknown;
}

/** A checked request for a fork. */
export interface ForkRequest {
  /** Id of the run whose record is copied. */
  readonly source: string;
  /** Of the new run. */
  readonly runId: string;
  readonly from: string | undefined;
  readonly input: Payload | undefined;
  readonly reason: string;
  readonly requestId: string;
}

/** What is done to a run, checked. */
export type MendAction =
  | { readonly kind: "terminate" }
  | { readonly kind: "pause"; readonly isNow: boolean }
  /** `from` undefined: the failure that ended the run. */
  | { readonly kind: "retry"; readonly from: string | undefined }
  | { readonly kind: "complete-step"; readonly path: string; readonly value: Payload };

/** A checked request about one run. */
export interface MendRequest {
  readonly runId: string;
  readonly action: MendAction;
  readonly reason: string;
  readonly requestId: string;
}
