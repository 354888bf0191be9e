/** Whether a group on this node runs, and if not, why. It never runs again: a restart makes a new one. */
import { RaftError } from "../errors.ts";
import type { NodeId } from "../types.ts";

type State =
  | { readonly kind: "running" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: Error };

export class Lifecycle {
  readonly #nodeId: NodeId;
  #state: State = { kind: "running" };

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId;
  }

  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  /** Why the node stopped by itself, if it did. */
  get failure(): Error | undefined {
    return this.#state.kind === "failed" ? this.#state.error : undefined;
  }

  stop(): void {
    this.#state = { kind: "stopped" };
  }

  fail(error: Error): void {
    this.#state = { kind: "failed", error };
  }

  /** What calls are answered with once the node does not run any more. */
  refusal(): RaftError {
    const node = `node ${this.#nodeId}`;
    if (this.#state.kind !== "failed") {
      return new RaftError("NODE_STOPPED", `${node} was stopped; start it again, or use another node`, {
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
