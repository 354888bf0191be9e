/** The calls of {@link Workflows} that do something to a run from outside: a request, which is done once. */
import { limitArgument } from "../arguments.ts";
import { abortable } from "../call-options.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import type { ForkOptions, MendAction, MendOptions } from "./mending.ts";
import { forkRequest, mendRequest } from "./mending-arguments.ts";

/** What {@link CheckedMending} is made of. */
export interface CheckedMendingOptions {
  readonly port: WorkflowsPort;
  /** For calls that name no time, in milliseconds. */
  readonly timeoutMs: number;
  /** A fresh UUID: ids of requests and forks for which the caller chose none. */
  readonly uuid: () => string;
}

/** Mending over a {@link WorkflowsPort}. */
export class CheckedMending {
  readonly #options: CheckedMendingOptions;

  constructor(options: CheckedMendingOptions) {
    this.#options = options;
  }

  /** Does `action` to a run. `doing` begins the message of an aborted call: "Pausing". */
  async mend(doing: string, runId: string, options: MendOptions | undefined, action: () => MendAction): Promise<void> {
    const { port, timeoutMs, uuid } = this.#options;
    const request = mendRequest(runId, options, action, uuid);
    const limit = limitArgument(options, timeoutMs);
    await abortable(limit, `${doing} run ${request.runId}`, () => port.mend(request, limit));
  }

  /** Forks a run, and gives the id of the new one. */
  async fork(source: string, options: ForkOptions | undefined): Promise<string> {
    const { port, timeoutMs, uuid } = this.#options;
    const request = forkRequest(source, options, uuid);
    const limit = limitArgument(options, timeoutMs);
    await abortable(limit, `Forking run ${request.source}`, () => port.fork(request, limit));
    return request.runId;
  }
}
