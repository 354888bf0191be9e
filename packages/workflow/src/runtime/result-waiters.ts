/** Those who wait for a run's end on this node. */
import { WorkflowCancelledError, WorkflowFailedError } from "../author/errors.ts";
import { decodeValue } from "../author/json-value.ts";
import type { RunOutcome } from "../command/workflow-command.ts";
import { runNotFoundText, WorkflowError } from "../errors.ts";

interface Waiter {
  readonly resolve: (outcome: RunOutcome) => void;
  readonly reject: (error: Error) => void;
}

export class ResultWaiters {
  readonly #waiters = new Map<string, Set<Waiter>>();

  /** Ids of runs that somebody waits for. */
  runIds(): readonly string[] {
    return [...this.#waiters.keys()];
  }

  /** A promise of the outcome, and the way to stop waiting. */
  wait(runId: string): { readonly outcome: Promise<RunOutcome>; readonly stop: () => void } {
    let waiters = this.#waiters.get(runId);
    if (waiters === undefined) {
      waiters = new Set();
      this.#waiters.set(runId, waiters);
    }
    const own = waiters;
    const { promise, resolve, reject } = Promise.withResolvers<RunOutcome>();
    const waiter = { resolve, reject };
    own.add(waiter);
    const stop = (): void => {
      own.delete(waiter);
      if (own.size === 0 && this.#waiters.get(runId) === own) this.#waiters.delete(runId);
    };
    return { outcome: promise, stop };
  }

  ended(runId: string, outcome: RunOutcome): void {
    for (const waiter of this.#take(runId)) waiter.resolve(outcome);
  }

  /** The run is gone before its end was seen here. */
  gone(runId: string): void {
    for (const waiter of this.#take(runId)) waiter.reject(notFound(runId));
  }

  rejectAll(error: Error): void {
    for (const runId of this.runIds()) for (const waiter of this.#take(runId)) waiter.reject(error);
  }

  #take(runId: string): Iterable<Waiter> {
    const waiters = this.#waiters.get(runId);
    if (waiters === undefined) return [];
    this.#waiters.delete(runId);
    return waiters;
  }
}

export function notFound(runId: string): WorkflowError {
  return new WorkflowError("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { details: { runId } });
}

/** What a completed run returned. Throws WorkflowFailedError or WorkflowCancelledError for the other ends. */
export function resultOf(runId: string, outcome: RunOutcome): unknown {
  switch (outcome.status) {
    case "completed":
      return decodeValue(outcome.result, `result of run ${runId}`);
    case "failed":
      throw new WorkflowFailedError(runId, outcome.error);
    case "cancelled":
      throw new WorkflowCancelledError(runId, outcome.reason);
  }
}
