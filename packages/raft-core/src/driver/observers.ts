/** Who listens to a group's events. An observer that throws is logged, never allowed to stop the node. */
import type { Cancel } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { ClusterEvent } from "./status.ts";

export class Observers {
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(listener: (event: ClusterEvent) => void): Cancel {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, event: event.type }, "an observer threw; it should not");
      }
    }
  }
}
