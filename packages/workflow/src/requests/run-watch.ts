/** Waits for runs to end, and for chunks of their streams, on any node, from the events of the replicated state. */
import { type Clock, RaftError } from "@raftoral/raft-core";
import type { EngineListener } from "../runtime/engine/workflow-engine.ts";
import type { RequestLimit } from "./request-limit.ts";

/** As much of a workflow engine as is needed. */
export interface WatchedEngine {
  subscribe(listener: EngineListener): () => void;
}

/** The waits of one node, by run. */
export class RunWatch {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  /** `hears`: whether waits are woken by more chunks of a run's streams, too. */
  constructor(engine: WatchedEngine, clock: Clock, hears: "ends" | "ends-and-chunks" = "ends") {
    this.#clock = clock;
    this.#unsubscribe = engine.subscribe({
      onEvents: (events) => {
        if (this.#waiting.size === 0) return;
        for (const event of events) {
          if (event.type === "run-ended" || event.type === "run-continued") this.#wake(event.runId);
          else if (event.type === "stream-appended") {
            if (hears === "ends-and-chunks") this.#wake(event.runId);
          } else if (event.type === "runs-pruned") for (const runId of event.runIds) this.#wake(runId);
          // A snapshot may hold the end of any run.
          else if (event.type === "state-restored") for (const runId of [...this.#waiting.keys()]) this.#wake(runId);
        }
      },
      onNotice: () => {},
    });
  }

  /** How many calls wait. */
  get size(): number {
    let size = 0;
    for (const waiting of this.#waiting.values()) size += waiting.size;
    return size;
  }

  /**
   * Calls `look` now and whenever the run may have ended, or has more chunks, until it gives something: that is the answer. Undefined when the limit's time is over or its
   * signal aborts. Rejects with NODE_STOPPED once this is closed, because nothing more would be heard, and with what `look` throws.
   */
  async until<T>(runId: string, limit: RequestLimit, look: () => Promise<T | undefined>): Promise<T | undefined> {
    this.#assertOpen();
    const waiting = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, waiting);
    let wake = Promise.withResolvers<void>();
    let isOver = limit.signal?.aborted === true;
    const onEvent = (): void => wake.resolve();
    const end = (): void => {
      isOver = true;
      wake.resolve();
    };
    waiting.add(onEvent);
    const cancel = this.#clock.after(limit.timeoutMs, end);
    limit.signal?.addEventListener("abort", end);
    try {
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        if (isOver) return undefined;
        this.#assertOpen();
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      cancel();
      limit.signal?.removeEventListener("abort", end);
      waiting.delete(onEvent);
      if (waiting.size === 0 && this.#waiting.get(runId) === waiting) this.#waiting.delete(runId);
    }
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const runId of [...this.#waiting.keys()]) this.#wake(runId);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new RaftError("NODE_STOPPED", "The node was stopped. Ask another node.", { retryable: true });
  }

  #wake(runId: string): void {
    for (const wake of this.#waiting.get(runId) ?? []) wake();
  }
}
