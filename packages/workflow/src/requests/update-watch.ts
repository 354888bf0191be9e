/** Waits for updates to be accepted and answered, on any node, from the events of the replicated state. */
import { type Clock, RaftError } from "@raftoral/raft-core";
import type { UpdateVerdict } from "../model/update.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";
import type { RequestLimit } from "./request-limit.ts";
import type { WatchedEngine } from "./run-watch.ts";

/** What a wait hears of its update. `again`: what was heard may lack something, so that the update is to be asked for again. `over`: its run has ended or is gone. */
export type UpdateNews =
  | { readonly type: UpdateVerdict; readonly value: Uint8Array }
  | { readonly type: "again" }
  | { readonly type: "over" };

type Listener = (news: UpdateNews) => void;

/** Hears of one update, from when it was made until it is closed. */
export interface UpdateListening {
  /** The next news that a caller needs; undefined when the limit's time is over or its signal aborts. Rejects with NODE_STOPPED. */
  next(): Promise<UpdateNews | undefined>;
  close(): void;
}

/** The waits for updates of one node, by run. */
export class UpdateWatch {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<{ readonly updateId: string; readonly tell: Listener }>>();
  readonly #unsubscribe: () => void;
  readonly #closing = new Set<() => void>();
  #isClosed = false;

  constructor(engine: WatchedEngine, clock: Clock) {
    this.#clock = clock;
    this.#unsubscribe = engine.subscribe({
      onEvents: (events) => {
        if (this.#listeners.size > 0) for (const event of events) this.#hear(event);
      },
      onNotice: () => {},
    });
  }

  /** How many calls wait. */
  get size(): number {
    return this.#closing.size;
  }

  /** Begins to listen: before the update is asked for, so that nothing is missed. Close it in the end. */
  listen(runId: string, updateId: string, { timeoutMs, signal }: RequestLimit): UpdateListening {
    const heard: UpdateNews[] = [];
    let wake = Promise.withResolvers<void>();
    let isOver = signal?.aborted === true;
    const end = (): void => {
      isOver = true;
      wake.resolve();
    };
    const tell = (news: UpdateNews): void => {
      heard.push(news);
      wake.resolve();
    };
    const listener = { updateId, tell };
    const listeners = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, listeners);
    listeners.add(listener);
    this.#closing.add(end);
    const cancel = timeoutMs === Number.POSITIVE_INFINITY ? () => {} : this.#clock.after(timeoutMs, end);
    signal?.addEventListener("abort", end);
    return {
      next: async () => {
        for (;;) {
          this.#assertOpen();
          const news = heard.shift();
          if (news !== undefined) return news;
          if (isOver) return undefined;
          await wake.promise;
          wake = Promise.withResolvers();
        }
      },
      close: () => {
        cancel();
        signal?.removeEventListener("abort", end);
        this.#closing.delete(end);
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(runId) === listeners) this.#listeners.delete(runId);
      },
    };
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const end of [...this.#closing]) end();
  }

  #hear(event: WorkflowEvent): void {
    switch (event.type) {
      case "update-answered":
        for (const { updateId, tell } of this.#listeners.get(event.runId) ?? [])
          if (updateId === event.updateId) tell({ type: event.verdict, value: event.value });
        return;
      case "run-ended":
        this.#tell(event.runId, { type: "over" });
        return;
      case "runs-pruned":
        for (const runId of event.runIds) this.#tell(runId, { type: "over" });
        return;
      case "state-restored":
        // A snapshot may hold anything.
        for (const runId of [...this.#listeners.keys()]) this.#tell(runId, { type: "again" });
        return;
      default:
        return;
    }
  }

  #tell(runId: string, news: UpdateNews): void {
    for (const { tell } of this.#listeners.get(runId) ?? []) tell(news);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new RaftError("NODE_STOPPED", "The node was stopped. Ask another node.", { retryable: true });
  }
}
