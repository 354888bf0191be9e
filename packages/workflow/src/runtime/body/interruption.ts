/**
 * Whether a running body may go on: it may not begin anything new once its run is cancelled, lost to another node, or held because this node drains.
 *
 * IR1. The body hears of a cancellation by {@link Interruption.tell} and not by the request itself: a replay must not see it before it has got its
 *      recorded answers, or it would take another course than the first run.
 */
import { CancelledError } from "../../author/errors/errors.ts";
import { WorkflowError } from "../../errors.ts";
import { Branch } from "./branch.ts";

/** Whether one body may go on. It goes from open to held to over, and never back; a cancellation is apart from these states (IR1). */
export class Interruption {
  /** The body as a whole. */
  readonly root = new Branch();
  #cancelled: CancelledError | undefined;
  #state: "open" | "held" | "over" = "open";

  /** The run was taken from this node, or has ended: nothing of the body matters any more. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Nothing new may begin; what has begun may finish. */
  get isClosed(): boolean {
    return this.#state !== "open";
  }

  /** Set once somebody has asked to cancel the run, whether or not the body has heard of it. */
  get cancelled(): CancelledError | undefined {
    return this.#cancelled;
  }

  /** Begins nothing new; what has begun may finish. */
  hold(): void {
    if (this.#state === "open") this.#state = "held";
  }

  /** Somebody has asked to cancel the run: work is stopped, and the body hears of it later (IR1). */
  cancel(reason: string): void {
    if (this.#cancelled !== undefined || this.isOver) return;
    this.#cancelled = new CancelledError(reason);
    this.root.close(this.#cancelled);
  }

  /** The body hears that its run is cancelled, if it is (IR1). Idempotent. */
  tell(): void {
    if (this.#cancelled !== undefined) this.root.cancel(this.#cancelled);
  }

  /** Aborts what listens to signals; the error that `why` makes reaches no other code. Idempotent. */
  end(why: () => Error): void {
    if (this.isOver) return;
    this.#state = "over";
    this.root.end(why);
  }
}

/** Why the signal of a body is aborted whose run is another node's, or has ended. */
export function executionOver(why: string): WorkflowError {
  const message = `This execution is over: ${why}. Its run goes on elsewhere or has ended.`;
  return new WorkflowError("STALE_OWNER", message);
}

/** Why the signal of a body is aborted that leaves memory. */
export function bodyEvicted(): WorkflowError {
  const message =
    "This body rests and was taken out of memory. It runs again from its record when something happens to its run. Do work in steps only.";
  return new WorkflowError("BODY_EVICTED", message);
}
