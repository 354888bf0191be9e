/** {@link OperationsPort} of a node, in the name of one caller: over its own workflow engine, in this process. Nothing here decodes a payload. */
import {
  assertPayloadSize,
  bulkCommand,
  encodeVariableChange,
  type RunRequests,
  runMissing,
  SET_VARIABLE,
  type WorkflowEngine,
  WorkflowError,
} from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import type { LockChangeRequest } from "../../api/locks/locks-port.ts";
import type { ForkRequest, MendRequest } from "../../api/mending/mending.ts";
import type { BulkPiece, DeletedRun } from "../../api/operations/operations.ts";
import type {
  BulkRequest,
  OperationsPort,
  PauseTypeRequest,
  QueueRequest,
  RunRequest,
  SetVariableRequest,
} from "../../api/operations/operations-port.ts";
import type { SchedulesPort } from "../../api/schedules/schedules-port.ts";
import type { Environment } from "../../platform.ts";
import type { NodeLocks } from "../locks/node-locks.ts";
import { pageTokenOf, positionOf } from "./page-token.ts";
import { actionOf } from "./queue-views.ts";
import type { RunStarts } from "./run-starts.ts";

/** What {@link NodeOperations} is made of. */
export interface NodeOperationsOptions {
  readonly engine: WorkflowEngine;
  readonly requests: RunRequests;
  /** In the name of the same caller. */
  readonly schedules: SchedulesPort;
  readonly locks: NodeLocks;
  /** Check the inputs of forks. */
  readonly starts: RunStarts;
  readonly environment: Environment;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
  /** Who asks: the audit has it. */
  readonly by: string;
}

/** The operations of one node. */
export class NodeOperations implements OperationsPort {
  readonly #options: NodeOperationsOptions;

  constructor(options: NodeOperationsOptions) {
    this.#options = options;
  }

  get schedules(): SchedulesPort {
    return this.#options.schedules;
  }

  async changeLock(request: LockChangeRequest, limit: CallLimit): Promise<void> {
    const { locks, by } = this.#options;
    await locks.change(request, by, limit);
  }

  async cancel(request: RunRequest, limit: CallLimit): Promise<void> {
    const { requests, by } = this.#options;
    await requests.cancel({ ...request, by }, limit);
  }

  async resume(request: RunRequest, limit: CallLimit): Promise<void> {
    const { requests, by } = this.#options;
    await requests.resume({ ...request, by }, limit);
  }

  async mend({ runId, action, reason, requestId }: MendRequest, limit: CallLimit): Promise<void> {
    const { requests, maxPayloadBytes, by } = this.#options;
    const asked = { runId, reason, requestId, by };
    if (action.kind !== "complete-step") return await requests.mend({ ...asked, action }, limit);
    const { bytes } = action.value;
    assertPayloadSize(bytes, `the value of step ${action.path}`, maxPayloadBytes);
    await requests.mend({ ...asked, action: { ...action, value: bytes } }, limit);
  }

  async fork({ source, input, ...fork }: ForkRequest, limit: CallLimit): Promise<void> {
    const { engine, requests, starts, maxPayloadBytes, by } = this.#options;
    if (input !== undefined) {
      assertPayloadSize(input.bytes, `the input of a fork of run ${source}`, maxPayloadBytes);
      await engine.barrier({ timeoutMs: limit.timeoutMs });
      const run = await engine.summary(source);
      if (run === undefined) throw await runMissing(engine, source);
      const { workflowType, version } = run;
      const schema = starts.definitionOf(workflowType, version)?.input;
      if (schema !== undefined) await starts.assertFits(schema, input, workflowType);
    }
    await requests.fork({ source, ...fork, input: input?.bytes, by }, limit);
  }

  async delete(request: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    const { requests, by } = this.#options;
    const { changed, index } = await requests.delete({ ...request, by }, limit);
    return { runId: request.runId, deleted: changed, position: index };
  }

  async setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    const { runId, variable, value, requestId: updateId, reason } = request;
    const { requests, maxPayloadBytes, by } = this.#options;
    assertPayloadSize(value.bytes, `variable ${variable}`, maxPayloadBytes);
    const input = encodeVariableChange(variable, value.bytes);
    try {
      const update = { runId, updateId, name: SET_VARIABLE, input, by, reason };
      return (await requests.update(update, "completed", limit)) !== undefined;
    } catch (error) {
      throw variableUnknown(error, runId, variable) ?? error;
    }
  }

  async changeQueue({ name, change, reason }: QueueRequest, limit: CallLimit): Promise<void> {
    const { requests, by } = this.#options;
    await requests.changeQueue(name, actionOf(change, false), { by, reason }, limit);
  }

  async pauseType(request: PauseTypeRequest, limit: CallLimit): Promise<void> {
    const { requests, environment, by } = this.#options;
    await requests.operate({ kind: "PauseType", ...request, by, atMs: environment.clock.wallMs() }, limit);
  }

  async mendPiece(
    { filter, action, isDry, page, reason, requestId }: BulkRequest,
    limit: CallLimit,
  ): Promise<BulkPiece> {
    const { engine, requests, environment, by } = this.#options;
    const cursor = positionOf("bulk", page.pageToken);
    await engine.barrier({ timeoutMs: limit.timeoutMs });
    const { sort: _sort, isAscending: _isAscending, ...conditions } = filter;
    const query = { ...filter, limit: page.pageSize, ...(cursor === undefined ? {} : { cursor }) };
    const { runs, next } = await engine.list(query);
    const position = pageTokenOf("bulk", next);
    if (isDry) return { runs: runs.map(({ runId }) => ({ runId, outcome: "fits" })), position };
    if (runs.length === 0) return { runs: [], position };
    const bulk = { action, conditions, runs, reason, requestId, by };
    const { command, refused } = await bulkCommand(engine, bulk, environment.clock.wallMs());
    const result = await requests.operate(command, limit);
    return { runs: result.kind === "MendedRuns" ? [...result.runs, ...refused] : refused, position };
  }
}

/** What a body says of a variable that it does not have; undefined for other failures. */
function variableUnknown(error: unknown, runId: string, variable: string): WorkflowError | undefined {
  if (!(error instanceof WorkflowError)) return undefined;
  const details = { runId, variable };
  if (error.code === "UPDATE_REJECTED") return new WorkflowError("VARIABLE_UNKNOWN", error.message, { details });
  if (error.code !== "UPDATE_UNKNOWN") return undefined;
  return new WorkflowError(
    "VARIABLE_UNKNOWN",
    `Run ${runId} has no variables by now, or was begun by a release that sets none from outside. Ask again once its body has made variable ${variable}.`,
    { details },
  );
}
