/** The observers of a group's events. An observer that throws is logged and does not stop the node. */
import type { Cancel } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { ClusterEvent } from "./status.ts";

/** The observers of one group. */
export class Observers {
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Tells `listener` of every event from now on, until the returned function is called. */
  add(listener: (event: ClusterEvent) => void): Cancel {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Tells all observers of `event`, in the order in which they were added. */
  emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error(
          { err: error, event: event.type },
          "an observer of the group threw an error; observers must not throw",
        );
      }
    }
  }
}
