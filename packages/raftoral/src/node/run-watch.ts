/** Waits for runs to end, on any node, from the events of the replicated state. */
import { RaftError } from "@raftoral/raft-core";
import type { WorkflowExecutor } from "@raftoral/workflow";

export class RunWatch {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  constructor(executor: WorkflowExecutor) {
    this.#unsubscribe = executor.subscribe({
      onEvents: (events) => {
        if (this.#waiting.size === 0) return;
        for (const event of events) {
          if (event.type === "run-ended") this.#wake(event.runId);
          // A snapshot may hold the end of any run.
          else if (event.type === "state-restored") for (const runId of [...this.#waiting.keys()]) this.#wake(runId);
        }
      },
      onNotice: () => {},
    });
  }

  /**
   * Resolves when the run may have ended, when `timeoutMs` have passed, or when `stop` fires. Look at the run then. Rejects
   * with NODE_STOPPED once this is closed: nothing more would be heard.
   */
  async wait(runId: string, timeoutMs: number, stop: AbortSignal): Promise<void> {
    this.#assertOpen();
    if (stop.aborted) return;
    const waiting = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, waiting);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    waiting.add(resolve);
    const onStop = (): void => resolve();
    stop.addEventListener("abort", onStop);
    await promise;
    stop.removeEventListener("abort", onStop);
    clearTimeout(timer);
    waiting.delete(resolve);
    if (waiting.size === 0) this.#waiting.delete(runId);
    this.#assertOpen();
  }

  /** Wakes everybody who waits. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const runId of [...this.#waiting.keys()]) this.#wake(runId);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new RaftError("NODE_STOPPED", "The node was stopped; ask another node.", { retryable: true });
  }

  #wake(runId: string): void {
    for (const resolve of this.#waiting.get(runId) ?? []) resolve();
  }
}
