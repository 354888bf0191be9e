/** What a node has opened so far, to be closed in reverse. */
import type { Logger } from "@raftoral/raft-core";

/** The open parts of one node. `close` closes the last one first, and each one, whatever the ones before it throw. */
export class Closers {
  readonly #stack: (() => unknown)[] = [];
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  /** Failures to close are logged there. */
  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Closes this one before all that were added earlier. */
  add(close: () => unknown): void {
    this.#stack.push(close);
  }

  /** Closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (let close = this.#stack.pop(); close !== undefined; close = this.#stack.pop()) {
      try {
        await close();
      } catch (error) {
        // The rest must be closed all the same, above all the lock on the folder.
        this.#logger.warn({ err: error }, "a part of the node did not close in order");
      }
    }
  }
}
