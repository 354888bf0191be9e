/** {@link OperationsPort} of a client: over gRPC, through any node, which sees in whose name the client asks. */
import type { CallLimit } from "../api/call-options.ts";
import type { LockChangeRequest } from "../api/locks/locks-port.ts";
import type { ForkRequest, MendRequest } from "../api/mending/mending.ts";
import type { BulkPiece, DeletedRun } from "../api/operations/operations.ts";
import type {
  BulkRequest,
  OperationsPort,
  PauseTypeRequest,
  QueueRequest,
  RunRequest,
  SetVariableRequest,
} from "../api/operations/operations-port.ts";
import { filterToWire } from "../wire/filter-messages.ts";
import { lockChangeToWire } from "../wire/lock-messages.ts";
import { actionToWire } from "../wire/mend-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { changeToWire } from "../wire/queue-messages.ts";
import type { ClientCalls } from "./client-calls.ts";
import { ClientSchedules } from "./client-schedules.ts";
import type { RunPolls } from "./run-polls.ts";

/** What operators do, by way of one client. Each request carries an id, so that it can be sent again. */
export class ClientOperations implements OperationsPort {
  readonly schedules: ClientSchedules;
  readonly #calls: ClientCalls;
  readonly #polls: RunPolls;

  constructor(calls: ClientCalls, polls: RunPolls) {
    this.#calls = calls;
    this.#polls = polls;
    this.schedules = new ClientSchedules(calls);
  }

  async changeLock({ name, change, reason }: LockChangeRequest, limit: CallLimit): Promise<void> {
    const message = { name, action: lockChangeToWire(change), reason };
    await this.#calls.call(`Changing lock ${name}`, limit, (node, options) =>
      node.locks.changeLock({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async cancel({ runId, reason }: RunRequest, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Cancelling run ${runId}`, limit, (node, options) =>
      node.workflows.cancelRun({ runId, reason, timeoutMs: options.timeoutMs }, options),
    );
  }

  async resume({ runId, reason }: RunRequest, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Resuming run ${runId}`, limit, (node, options) =>
      node.workflows.resumeRun({ runId, reason, timeoutMs: options.timeoutMs }, options),
    );
  }

  async fork({ source, runId, from = "", input, reason, requestId }: ForkRequest, limit: CallLimit): Promise<void> {
    const given = input === undefined ? {} : { input: input.bytes };
    const message = { runId: source, forkId: runId, from, ...given, reason, requestId };
    await this.#calls.call(`Forking run ${source}`, limit, (node, options) =>
      node.workflows.forkRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async mend(request: MendRequest, limit: CallLimit): Promise<void> {
    const { runId, reason, requestId } = request;
    const message = { runId, action: actionToWire(request.action), reason, requestId };
    await this.#calls.call(`Mending run ${runId}`, limit, (node, options) =>
      node.workflows.mendRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async delete({ runId, reason }: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    const { deleted, position } = await this.#calls.call(`Deleting run ${runId}`, limit, (node, options) =>
      node.workflows.deleteRun({ runId, reason, timeoutMs: options.timeoutMs }, options),
    );
    return { runId, deleted, position: safeNumber(position, "position") };
  }

  async setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    const { runId, variable, value, requestId, reason } = request;
    const message = { runId, variable, value: value.bytes, requestId, reason };
    const what = `Setting variable ${variable} of run ${runId}`;
    const isSet = await this.#polls.until(what, limit, async (node, options, waitMs) =>
      (await node.workflows.setVariable({ ...message, waitMs }, options)).isSet ? true : undefined,
    );
    return isSet === true;
  }

  async changeQueue({ name, change, reason }: QueueRequest, limit: CallLimit): Promise<void> {
    const message = { name, action: changeToWire(change), reason };
    await this.#calls.call(`Changing queue ${name}`, limit, (node, options) =>
      node.queues.changeQueue({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async pauseType({ workflowType, isPaused, reason }: PauseTypeRequest, limit: CallLimit): Promise<void> {
    const what = `${isPaused ? "Pausing" : "Resuming"} type ${workflowType}`;
    await this.#calls.call(what, limit, (node, options) =>
      node.workflows.pauseType({ workflowType, isPaused, reason, timeoutMs: options.timeoutMs }, options),
    );
  }

  async mendPiece(
    { filter, action, isDry, page, reason, requestId }: BulkRequest,
    limit: CallLimit,
  ): Promise<BulkPiece> {
    const { pageSize, pageToken = "" } = page;
    const message = { filter: filterToWire(filter), action, dryRun: isDry, pageSize, pageToken, reason, requestId };
    const { runs, nextPageToken } = await this.#calls.call(`Doing ${action} to runs`, limit, (node, options) =>
      node.workflows.mendRuns({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    const position = nextPageToken === "" ? undefined : nextPageToken;
    return { runs: runs.map(({ runId, outcome }) => ({ runId, outcome })), position };
  }
}
