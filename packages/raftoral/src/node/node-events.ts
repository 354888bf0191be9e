/** What an observer of a node hears: of the cluster and of its runs, in one stream. */
import type { ClusterEvent, Logger } from "@raftoral/raft-core";
import type { RuntimeEvent } from "@raftoral/workflow";

/** Told apart by `type`. Runs' events come in log order, the same on every node. */
export type NodeEvent = ClusterEvent | RuntimeEvent;

/** The observers of one node. An observer that throws harms no other; its error is logged. */
export class NodeEvents {
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, event: event.type }, "a listener to node events threw");
      }
    }
  }
}
