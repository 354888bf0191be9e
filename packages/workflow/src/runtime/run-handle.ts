/** One run, wherever it is executed. */
import type { RunSummary } from "../state/run-view.ts";
import { notFound } from "./result-waiters.ts";
import type { WorkflowRuntime } from "./workflow-runtime.ts";

export class RunHandle<Output = unknown> {
  readonly id: string;
  /** False when the start found a run that existed already. */
  readonly created: boolean;
  readonly #runtime: WorkflowRuntime;

  constructor(runtime: WorkflowRuntime, id: string, created: boolean) {
    this.#runtime = runtime;
    this.id = id;
    this.created = created;
  }

  /** See {@link WorkflowRuntime.result}. */
  async result(): Promise<Output> {
    return (await this.#runtime.result(this.id)) as Output;
  }

  /** As this node knows it. Rejects with WORKFLOW_NOT_FOUND. */
  async status(): Promise<RunSummary> {
    const run = await this.#runtime.getStatus(this.id);
    if (run === undefined) throw notFound(this.id);
    return run;
  }

  /** See {@link WorkflowRuntime.cancel}. */
  cancel(reason?: string): Promise<void> {
    return this.#runtime.cancel(this.id, reason);
  }

  /** See {@link WorkflowRuntime.signal}. */
  signal(name: string, payload?: unknown): Promise<void> {
    return this.#runtime.signal(this.id, name, payload);
  }
}
