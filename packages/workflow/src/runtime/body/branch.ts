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
 * BR4. Listeners of a branch's signal are called in the async context of the code that asked for the signal (body-place.ts BP3).
 */

import { invariant } from "@raftoral/raft-core";
import { CallerContext } from "./body-place.ts";

type Listener = (reason: Error) => void;

/** A call that waits for an answer: told when its branch is cancelled. */
export interface CancellableCall {
  cancelled(reason: Error): void;
}

/** One branch of a body (BR1 to BR4). The one without a parent is the body as a whole. */
export class Branch {
  readonly #parent: Branch | undefined;
  readonly #isShield: boolean;
  // Made when they are first needed: most bodies are one branch, with one call at a time.
  #under: Set<Branch> | undefined;
  #calls: Set<CancellableCall> | undefined;
  #work: Set<Listener> | undefined;
  #state: "open" | "closed" | "cancelled" | "over" = "open";
  #reason: Error | undefined;
  /** Makes the reason of an execution that is over, when somebody asks for it. */
  #over: (() => Error) | undefined;
  #controller: AbortController | undefined;
  /** Where the signal was asked for (BR4). */
  #listeners: CallerContext | undefined;

  constructor(parent?: Branch, isShield = false) {
    this.#parent = parent;
    this.#isShield = isShield;
    if (parent === undefined) return;
    parent.#under ??= new Set();
    parent.#under.add(this);
    const reason = parent.#reason;
    if (parent.#state === "over" && parent.#over !== undefined) this.end(parent.#over);
    else if (reason === undefined || isShield) return;
    else if (parent.#state === "cancelled") this.cancel(reason);
    else if (parent.#state === "closed") this.close(reason);
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
      this.#listeners = new CallerContext();
      if (this.#state === "cancelled" || this.#state === "over") this.#controller.abort(this.#why());
    }
    return this.#controller.signal;
  }

  /** Stops the work of the branch and begins nothing more; its calls settle with {@link cancel} (BR2). */
  close(reason: Error): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#reason = reason;
    this.#stopWork();
    for (const branch of [...(this.#under ?? [])]) if (!branch.#isShield) branch.close(reason);
  }

  /** Every open call of the branch rejects with `reason`, and every later one does. Idempotent. */
  cancel(reason: Error): void {
    if (this.#state === "cancelled" || this.#state === "over") return;
    this.#state = "cancelled";
    this.#reason = reason;
    this.#stopWork();
    this.#abort(reason);
    const calls = [...(this.#calls ?? [])];
    this.#calls = undefined;
    for (const call of calls) call.cancelled(reason);
    for (const branch of [...(this.#under ?? [])]) if (!branch.#isShield) branch.cancel(reason);
  }

  /** The execution is over: stops all work, shields included, and no call ever hears of it. `why` is called if somebody asks for the reason. */
  end(why: () => Error): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#reason = undefined;
    this.#over = why;
    this.#calls = undefined;
    this.#stopWork();
    if (this.#controller !== undefined) this.#abort(this.#why());
    for (const branch of this.#under ?? []) branch.end(why);
    this.#under = undefined;
  }

  /** Whether this is `branch`, or a branch under it. */
  isWithin(branch: Branch): boolean {
    for (let at: Branch | undefined = this; at !== undefined; at = at.#parent) if (at === branch) return true;
    return false;
  }

  /** The branch has done its work and is forgotten by the one above it. */
  leave(): void {
    if (this.#parent !== undefined) this.#parent.#forget(this);
  }

  #forget(branch: Branch): void {
    this.#under?.delete(branch);
  }

  /** Tells the call once when the branch is cancelled; in this turn, if it is cancelled already. {@link settled} ends that. */
  opened(call: CancellableCall): void {
    if (this.#state === "cancelled" && this.#reason !== undefined) {
      call.cancelled(this.#reason);
      return;
    }
    this.#calls ??= new Set();
    this.#calls.add(call);
  }

  /** The call needs to hear of no cancellation any more. */
  settled(call: CancellableCall): void {
    this.#calls?.delete(call);
  }

  /** As {@link opened}, with a function. Returns the way to stop listening. */
  onCancelled(cancelled: Listener): () => void {
    const call = { cancelled };
    this.opened(call);
    return () => this.settled(call);
  }

  /** Calls back once when work of the branch must stop; in a later turn of the microtask queue, if it must already. Returns the way to stop listening. */
  onStop(fn: Listener): () => void {
    if (this.#state === "open") {
      this.#work ??= new Set();
      this.#work.add(fn);
      return () => this.#work?.delete(fn);
    }
    let isListening = true;
    queueMicrotask(() => {
      if (isListening) fn(this.#why());
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

  #abort(reason: Error): void {
    this.#listeners?.run(() => this.#controller?.abort(reason));
  }

  #stopWork(): void {
    const work = [...(this.#work ?? [])];
    this.#work = undefined;
    for (const stop of work) stop(this.#why());
  }

  #why(): Error {
    this.#reason ??= this.#over?.();
    invariant(this.#reason !== undefined, () => `a branch that is ${this.#state} has no reason`);
    return this.#reason;
  }
}
