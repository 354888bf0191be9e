/** Whether a group on this node runs, and if not, why. A group that has stopped does not run again; a restart creates a new one. */
import { RaftError } from "../errors.ts";
import type { NodeId } from "../types.ts";

type State =
  | { readonly kind: "running" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: Error };

/** The state of one group on one node: running, then stopped or failed. */
export class Lifecycle {
  readonly #nodeId: NodeId;
  #state: State = { kind: "running" };

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId;
  }

  /** True until {@link stop} or {@link fail}. */
  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  /** The error that stopped the node, if it stopped by itself. */
  get failure(): Error | undefined {
    return this.#state.kind === "failed" ? this.#state.error : undefined;
  }

  /** Records that the application stopped the group. */
  stop(): void {
    this.#state = { kind: "stopped" };
  }

  /** Records that the group stopped by itself because of `error`. */
  fail(error: Error): void {
    this.#state = { kind: "failed", error };
  }

  /** The error for calls to a node that does not run any more: NODE_STOPPED or NODE_FAILED. */
  refusal(): RaftError {
    const node = `Node ${this.#nodeId}`;
    if (this.#state.kind !== "failed") {
      return new RaftError("NODE_STOPPED", `${node} was stopped. Start it again, or use another node.`, {
        retryable: true,
      });
    }
    const { error } = this.#state;
    return new RaftError("NODE_FAILED", `${node} stopped because it could not go on safely: ${error.message}`, {
      cause: error,
    });
  }

  /** Throws NODE_STOPPED or NODE_FAILED unless the group runs. */
  assertRunning(): void {
    if (!this.isRunning) throw this.refusal();
  }
}
