/** Updates of runs: what callers give and get. */

import type { CallOptions } from "../call-options.ts";
import type { Payload } from "../payloads/payload.ts";
import type { RecordedFailure } from "../runs.ts";
import type { StartOptions } from "../starts/start-options.ts";

/** Options of an update. */
export interface UpdateOptions extends CallOptions {
  /** An update that is asked for again under the same id is executed once, and answered alike. Text of 1 to 200 characters; a random UUID by default. */
  readonly id?: string;
}

/** What an update takes after its name: the input, which may be left out where `undefined` is one, and options. */
export type UpdateArguments<Input> = undefined extends Input
  ? [input?: Input | Payload, options?: UpdateOptions]
  : [input: Input | Payload, options?: UpdateOptions];

/** An update that its run has accepted. */
export interface AcceptedUpdate<Answer = unknown> {
  readonly runId: string;
  readonly id: string;
  /** The answer, as often as it is asked for. Rejects as {@link Workflows.update} does. */
  result(options?: CallOptions): Promise<Answer>;
}

/** Options of a message that starts its run. */
export interface WithStartOptions extends StartOptions {
  /** Which run: with an id of its own for each call, every call would start another one. */
  readonly runId: string;
  /**
   * What becomes of the message when the run of this id has ended ("refuse"): it is refused with WORKFLOW_FINISHED, or another run begins under the id, in the place of
   * what is kept of the ended one. What that run remembers of messages goes to the next one: each is delivered once.
   */
  readonly ifFinished?: "refuse" | "start";
}

/** Options of a signal that starts its run. */
export interface SignalWithStartOptions extends WithStartOptions {
  /** A signal that is sent again under the same id is taken once. A random UUID by default. */
  readonly signalId?: string;
}

/** Options of an update that starts its run. */
export interface UpdateWithStartOptions extends WithStartOptions {
  /** See {@link UpdateOptions}. */
  readonly id?: string;
}

/** How an update stands at the end of a wait for it. */
export type UpdateEnd =
  | { readonly status: "accepted" }
  | { readonly status: "completed"; readonly answer: Payload }
  | { readonly status: "failed"; readonly failure: RecordedFailure };
