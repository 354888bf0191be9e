/** Tells observers what happens. An observer that throws harms no other; its error is logged. */
import type { Logger } from "@raftoral/raft-core";
import type { RuntimeEvent } from "./runtime-event.ts";

/** Hears of each event. It is called synchronously and must not block. */
export type RuntimeObserver = (event: RuntimeEvent) => void;

/** The events of one runtime. Observers are called in the order in which they subscribed, within the call that emits. */
export class RuntimeEvents {
  readonly #observers = new Set<RuntimeObserver>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Hears of everything from now on, in order. Returns the way to stop it. */
  subscribe(observer: RuntimeObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  emit(event: RuntimeEvent): void {
    for (const observer of this.#observers) {
      try {
        observer(event);
      } catch (error) {
        this.#logger.error({ err: error }, "an observer of workflow events threw");
      }
    }
  }
}
