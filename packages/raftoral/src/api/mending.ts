/** What operators do to runs, beside cancelling and resuming them. */
import type { CallOptions } from "./call-options.ts";
import type { Payload } from "./payload.ts";

/** Options of everything that is done to a run. */
export interface MendOptions extends CallOptions {
  /** Why: errors, events and logs have it. Text of at most 10,000 characters; none by default. */
  readonly reason?: string;
  /** The same request again is done once. A random UUID by default. */
  readonly requestId?: string;
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

/** What is done to a run, checked. */
export type MendAction =
  | { readonly kind: "terminate" }
  | { readonly kind: "pause"; readonly isNow: boolean }
  /** `from` undefined: the failure that ended the run. */
  | { readonly kind: "retry"; readonly from: string | undefined }
  | { readonly kind: "complete-step"; readonly path: string; readonly value: Payload }
  | { readonly kind: "delete" };

/** A checked request about one run. */
export interface MendRequest {
  readonly runId: string;
  readonly action: MendAction;
  readonly reason: string;
  readonly requestId: string;
}
