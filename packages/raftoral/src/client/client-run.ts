/**
 * A handle on one run, as {@link RaftoralClient} gives it: everything that can be asked of it by its id.
 */
import { RemoteError } from "../errors.ts";
import type { RaftoralClient, Timed } from "./raftoral-client.ts";
import type { RunDetails } from "./run-info.ts";

export class ClientRun<Output = unknown> {
  readonly id: string;
  /** False when a run of this id was there before the start that gave this handle; undefined when nothing was started. */
  readonly created: boolean | undefined;
  readonly #client: RaftoralClient;

  constructor(client: RaftoralClient, id: string, created?: boolean) {
    this.#client = client;
    this.id = id;
    this.created = created;
  }

  /** The run as it is now. Rejects with WORKFLOW_NOT_FOUND. */
  get(options?: Timed): Promise<RunDetails> {
    return this.#client.getRun(this.id, options);
  }

  /**
   * The result once the run has completed. Rejects with WORKFLOW_FAILED or WORKFLOW_CANCELLED when it ended otherwise, and
   * with DEADLINE_EXCEEDED when it is not over in time; it goes on then, and can be asked for again.
   */
  async result(options?: Timed): Promise<Output> {
    const run = await this.#client.waitForRun(this.id, options);
    if (run.status === "completed") return run.result as Output;
    const cancelled = run.status === "cancelled";
    throw new RemoteError(
      cancelled ? "WORKFLOW_CANCELLED" : "WORKFLOW_FAILED",
      `Run ${run.runId} of ${run.workflowType} ${cancelled ? "was cancelled" : "failed"}: ${run.error?.message ?? "no reason given"}`,
      { details: { runId: run.runId, type: run.workflowType, error: run.error } },
    );
  }

  signal(name: string, payload?: unknown, options?: Timed): Promise<void> {
    return this.#client.signal(this.id, name, payload, options);
  }

  cancel(reason?: string, options?: Timed): Promise<void> {
    return this.#client.cancel(this.id, reason, options);
  }
}
