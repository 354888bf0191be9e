/**
 * Parts of a body that are cancelled as a whole: the body itself, a scope with a limit, a branch of a race, a wait with an abort signal, a shield.
 *
 * Role: a tree that calls ask whether they may go on. It records nothing: who cancels a branch sees to it that a replay cancels it at the same
 * place of the body's course.
 *
 * BR1. A cancelled branch stays cancelled, with the first reason. The branches under it are cancelled with it, but for shields.
 * BR2. A branch that is closed begins nothing new. Its work is stopped at once, and its calls wait for the cancellation, which comes later:
 *      the body hears of it only after all that is recorded (run-execution.ts B6).
 * BR3. Calls hear of a cancellation in the order in which they began, the branch's own before those of the branches under it.
 */

type Listener = (reason: Error) => void;

/** One branch of a body (BR1 to BR3). The one without a parent is the body as a whole. */
export class Branch {
  readonly #parent: Branch | undefined;
  readonly #isShield: boolean;
  readonly #under = new Set<Branch>();
  readonly #calls = new Set<Listener>();
  readonly #work = new Set<Listener>();
  #state: "open" | "closed" | "cancelled" | "over" = "open";
  #reason: Error | undefined;
  #controller: AbortController | undefined;

  constructor(parent?: Branch, isShield = false) {
    this.#parent = parent;
    this.#isShield = isShield;
    if (parent === undefined) return;
    parent.#under.add(this);
    if (parent.#reason === undefined) return;
    if (parent.#state === "over") this.end(parent.#reason);
    else if (!isShield && parent.#state === "cancelled") this.cancel(parent.#reason);
    else if (!isShield && parent.#state === "closed") this.close(parent.#reason);
  }

  /** Why the branch is cancelled; undefined while it is not. */
  get cancelled(): Error | undefined {
    return this.#state === "cancelled" ? this.#reason : undefined;
  }

  /** Whether this is the error with which the branch ends its calls. */
  isReason(error: unknown): boolean {
    return this.#reason !== undefined && error === this.#reason;
  }

  /** Whether nothing new may begin in the branch. */
  get isClosed(): boolean {
    return this.#state !== "open";
  }

  /** Aborted when the branch is cancelled, and when the execution is over. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#state === "cancelled" || this.#state === "over") this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Stops the work of the branch and begins nothing more; its calls settle with {@link cancel} (BR2). */
  close(reason: Error): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#reason = reason;
    this.#stopWork(reason);
    for (const branch of [...this.#under]) if (!branch.#isShield) branch.close(reason);
  }

  /** Every open call of the branch rejects with `reason`, and every later one does. Idempotent. */
  cancel(reason: Error): void {
    if (this.#state === "cancelled" || this.#state === "over") return;
    this.#state = "cancelled";
    this.#reason = reason;
    this.#stopWork(reason);
    this.#controller?.abort(reason);
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) call(reason);
    for (const branch of [...this.#under]) if (!branch.#isShield) branch.cancel(reason);
  }

  /** The execution is over: stops all work, shields included, and no call ever hears of it. */
  end(reason: Error): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#reason = reason;
    this.#calls.clear();
    this.#stopWork(reason);
    this.#controller?.abort(reason);
    for (const branch of this.#under) branch.end(reason);
    this.#under.clear();
  }

  /** The branch has done its work and is forgotten by the one above it. */
  leave(): void {
    if (this.#parent !== undefined) this.#parent.#under.delete(this);
  }

  /** Calls back once when the branch is cancelled; in this turn, if it is cancelled already. Returns the way to stop listening. */
  onCancelled(call: Listener): () => void {
    if (this.#state === "cancelled" && this.#reason !== undefined) {
      call(this.#reason);
      return () => {};
    }
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Calls back once when work of the branch must stop; in a later turn of the microtask queue, if it must already. Returns the way to stop listening. */
  onStop(fn: Listener): () => void {
    const reason = this.#reason;
    if (reason === undefined) {
      this.#work.add(fn);
      return () => this.#work.delete(fn);
    }
    let isListening = true;
    queueMicrotask(() => {
      if (isListening) fn(reason);
    });
    return () => {
      isListening = false;
    };
  }

  /** What stands in the way of new work: undefined, or a promise that rejects when the branch is cancelled and never resolves. */
  gate(): Promise<never> | undefined {
    if (this.#state === "open") return undefined;
    return new Promise((_, reject) => {
      this.onCancelled(reject);
    });
  }

  #stopWork(reason: Error): void {
    const work = [...this.#work];
    this.#work.clear();
    for (const stop of work) stop(reason);
  }
}
