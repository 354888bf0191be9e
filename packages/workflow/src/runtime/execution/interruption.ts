/**
 * Whether a running body may go on: it may not begin anything new once its run is cancelled, lost to another node, or held
 * because this node drains.
 *
 * IR1. The body's own signal is aborted by {@link Interruption.tell} and not by the cancellation itself: a replay must not see it before it has
 *      got its recorded answers, or it would take another course than the first run.
 */
import { CancelledError } from "../../author/errors.ts";
import { WorkflowError } from "../../errors.ts";

type Listener = (reason: Error) => void;

/** Whether one body may go on. It goes from open to held to over, and never back; a cancellation is apart from these states (IR1). */
export class Interruption {
  /** Made when somebody asks for the signal: most bodies never do. */
  #controller: AbortController | undefined;
  readonly #listeners = new Set<Listener>();
  #cancelled: CancelledError | undefined;
  #isTold = false;
  #state: "open" | "held" | "over" = "open";
  #why = "";

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isTold) this.#controller.abort(this.#cancelled);
      else if (this.isOver) this.#controller.abort(this.#end());
    }
    return this.#controller.signal;
  }

  /** The run was taken from this node, or has ended: nothing of the body matters any more. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Nothing new may begin; what has begun may finish. */
  get isClosed(): boolean {
    return this.#state !== "open";
  }

  get cancelled(): CancelledError | undefined {
    return this.#cancelled;
  }

  hold(): void {
    if (this.#state === "open") this.#state = "held";
  }

  cancel(reason: string): void {
    if (this.#cancelled !== undefined || this.isOver) return;
    this.#cancelled = new CancelledError(reason);
    this.#interrupt(this.#cancelled);
  }

  /** Aborts the body's signal, if the run is cancelled (IR1). Idempotent. */
  tell(): void {
    if (this.#cancelled === undefined || this.#isTold) return;
    this.#isTold = true;
    this.#controller?.abort(this.#cancelled);
  }

  /** Aborts what listens to signals; `why` reaches no other code. */
  end(why: string): void {
    if (this.isOver) return;
    this.#state = "over";
    this.#why = why;
    if (this.#controller === undefined && this.#listeners.size === 0) return;
    const reason = this.#end();
    this.#controller?.abort(reason);
    this.#interrupt(reason);
  }

  #end(): WorkflowError {
    return new WorkflowError("STALE_OWNER", `This execution is over: ${this.#why}`);
  }

  /** Calls back once, never in this turn if it has happened before. Returns the way to stop listening. */
  listen(fn: Listener): () => void {
    const reason = this.#cancelled;
    if (reason === undefined) {
      this.#listeners.add(fn);
      return () => this.#listeners.delete(fn);
    }
    let listening = true;
    queueMicrotask(() => {
      if (listening) fn(reason);
    });
    return () => {
      listening = false;
    };
  }

  #interrupt(reason: Error): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }
}
