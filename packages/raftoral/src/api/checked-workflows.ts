/**
 * What all implementations of {@link Workflows} share: arguments are checked, values become payloads, pages become lists, ends of runs become
 * results and errors, and an aborted call ends at once. What differs is behind {@link WorkflowsPort}.
 *
 * CW1. A call with a wrong argument rejects before the port hears of it. Only `run` throws, because it sends no request.
 * CW2. A value is encoded once, here, and decoded only by {@link Payload.value}, and by `result`, whose caller asked for the value.
 */
import type { Clock } from "@raftoral/raft-core";
import {
  isObjectDefinition,
  type ObjectDefinition,
  type ObjectType,
  type SignalDefinition,
  type TraceContext,
  type UpdateDefinition,
  type UpdateInput,
  type UpdateResult,
  type VariableDefinition,
  type VariableValue,
  WorkflowCancelledError,
  type WorkflowDefinition,
  WorkflowFailedError,
  type WorkflowInput,
  type WorkflowResult,
} from "@raftoral/workflow";
import {
  afterEndArgument,
  failureArgument,
  limitArgument,
  optionsArgument,
  runIdArgument,
  tokenArgument,
  workflowArgument,
} from "./arguments.ts";
import { abortable, type CallLimit, type CallOptions, type ReadOptions, runGoesOn } from "./call-options.ts";
import { CheckedReads } from "./finding/checked-reads.ts";
import type { RunFilter } from "./finding/filters.ts";
import { exportHistory } from "./histories/history-export.ts";
import type { HistoryExport } from "./histories/history-format.ts";
import { CheckedLocks } from "./locks/checked-locks.ts";
import type { Locks } from "./locks/locks.ts";
import type { CancelOptions, ForkOptions, MendOptions, PauseOptions, RetryOptions } from "./mending/mending.ts";
import { completeStepAction, pauseAction, retryAction } from "./mending/mending-arguments.ts";
import { listObjects } from "./objects/list-objects.ts";
import { notAWorkflow } from "./objects/object-arguments.ts";
import { WorkflowObject } from "./objects/object-handle.ts";
import type { ObjectHandle, ObjectSummary } from "./objects/objects.ts";
import { CheckedOperations } from "./operations/checked-operations.ts";
import type {
  AuditEntry,
  AuditOptions,
  AuditPage,
  BulkAction,
  BulkOptions,
  BulkPiece,
  DeletedRun,
  PausedType,
} from "./operations/operations.ts";
import type { OperationsPort } from "./operations/operations-port.ts";
import type { PageOptions } from "./pages.ts";
import { Payload } from "./payloads/payload.ts";
import { CheckedQueues } from "./queues/checked-queues.ts";
import type { Queues } from "./queues/queues.ts";
import { RunHandle } from "./run-handle.ts";
import type { EndedRun } from "./runs.ts";
import { CheckedSchedules } from "./schedules/checked-schedules.ts";
import type { Schedules } from "./schedules/schedules.ts";
import { signalRequest } from "./starts/signal-request.ts";
import type { StartOptions } from "./starts/start-options.ts";
import { type Chosen, startRequest } from "./starts/start-request.ts";
import type { TokenFailure } from "./tokens.ts";
import { CheckedUpdates } from "./updates/checked-updates.ts";
import type {
  AcceptedUpdate,
  SignalWithStartOptions,
  UpdateArguments,
  UpdateOptions,
  UpdateWithStartOptions,
} from "./updates/updates.ts";
import type {
  Run,
  SignalArguments,
  SignalOptions,
  StartArguments,
  WorkflowName,
  Workflows,
  WorkflowType,
} from "./workflows.ts";
import type { WorkflowsPort } from "./workflows-port.ts";

/** What {@link CheckedWorkflows} is made of. */
export interface CheckedWorkflowsOptions {
  readonly port: WorkflowsPort;
  /** In whose name runs are mended, the port says. */
  readonly operations: OperationsPort;
  /** For calls that name no time, in milliseconds. */
  readonly timeoutMs: number;
  /** A fresh UUID: ids of runs and signals for which the caller chose none. */
  readonly uuid: () => string;
  /** By which leases of locks are measured. */
  readonly clock: Clock;
  /** The place in a trace of the caller. None by default. */
  readonly activeTrace?: () => TraceContext | undefined;
}

/** {@link Workflows} over a {@link WorkflowsPort}. */
export class CheckedWorkflows extends CheckedReads implements Workflows {
  readonly schedules: Schedules;
  readonly queues: Queues;
  readonly locks: Locks;
  readonly #port: WorkflowsPort;
  readonly #timeoutMs: number;
  readonly #chosen: Chosen;
  readonly #updates: CheckedUpdates;
  readonly #operations: CheckedOperations;

  constructor({ port, operations, timeoutMs, uuid, clock, activeTrace = () => undefined }: CheckedWorkflowsOptions) {
    super(port, timeoutMs);
    this.queues = new CheckedQueues({ reads: port, operations, timeoutMs });
    this.locks = new CheckedLocks({ port: port.locks, operations, clock, timeoutMs, uuid });
    this.#port = port;
    this.schedules = new CheckedSchedules({ port: operations.schedules, timeoutMs, uuid });
    this.#timeoutMs = timeoutMs;
    this.#chosen = { uuid, activeTrace };
    this.#updates = new CheckedUpdates(port, this.#chosen);
    this.#operations = new CheckedOperations({ port: operations, reads: port, timeoutMs, uuid });
  }

  async start<Workflow extends WorkflowName>(
    workflow: Workflow | WorkflowType<Workflow>,
    ...args: StartArguments<Workflow>
  ): Promise<Run<WorkflowResult<Workflow>>> {
    const [input, options] = args as readonly [input?: unknown, options?: StartOptions];
    if (isObjectDefinition(workflow)) throw notAWorkflow(workflowArgument(workflow, undefined).type);
    const request = await startRequest(workflow, input, options, this.#chosen);
    const what = `Starting ${request.workflowType}`;
    const { runId, created } = await this.#call(options, what, (limit) => this.#port.start(request, limit));
    return new RunHandle(this, runId, created);
  }

  run<Workflow extends WorkflowDefinition = WorkflowDefinition>(runId: string): Run<WorkflowResult<Workflow>> {
    return new RunHandle(this, runIdArgument(runId), undefined);
  }

  async exportHistory(runId: string, options?: ReadOptions): Promise<HistoryExport> {
    return exportHistory(this, runId, options);
  }

  async wait(runId: string, options?: CallOptions): Promise<EndedRun> {
    const id = runIdArgument(runId);
    const limit = limitArgument(options, Number.POSITIVE_INFINITY);
    const ended = await abortable(limit, `Waiting for run ${id}`, () => this.#port.wait(id, limit), "read");
    if (ended !== undefined) return ended;
    throw runGoesOn(id, limit);
  }

  async result<Workflow extends WorkflowDefinition = WorkflowDefinition>(
    runId: string,
    options?: CallOptions,
  ): Promise<WorkflowResult<Workflow>> {
    const ended = await this.wait(runId, options);
    switch (ended.status) {
      case "completed":
        return ended.result.value();
      case "failed":
        throw new WorkflowFailedError(ended.runId, ended.error);
      case "cancelled":
        throw new WorkflowCancelledError(ended.runId, ended.reason);
    }
  }

  async signal<Given>(
    runId: string,
    signal: SignalDefinition<Given> | string,
    ...args: SignalArguments<NoInfer<Given>>
  ): Promise<void> {
    const [value, options] = args as readonly [payload?: unknown, options?: SignalOptions];
    const id = runIdArgument(runId);
    const request = await signalRequest(
      { runId: id, signal, value, signalId: optionsArgument(options).signalId },
      this.#chosen.uuid,
    );
    await this.#call(options, `Signalling run ${id}`, (limit) => this.#port.signal(request, limit));
  }

  update<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>> {
    const [input, options] = args as readonly [input?: unknown, options?: UpdateOptions];
    // The answer has the type of the definition, as the record gives it back.
    return this.#updates.update({ runId, update, input, options }) as Promise<UpdateResult<Update>>;
  }

  startUpdate<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<AcceptedUpdate<UpdateResult<Update>>> {
    const [input, options] = args as readonly [input?: unknown, options?: UpdateOptions];
    const accepted = this.#updates.accepted({ runId, update, input, options });
    return accepted as Promise<AcceptedUpdate<UpdateResult<Update>>>;
  }

  async signalWithStart<Workflow extends WorkflowName, Given>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    signal: SignalDefinition<Given> | string,
    payload: NoInfer<Given> | Payload,
    options: SignalWithStartOptions,
  ): Promise<Run<WorkflowResult<Workflow>>> {
    const { runId, signalId } = optionsArgument(options);
    const id = runIdArgument(runId);
    const start = await startRequest(workflow, input, options, this.#chosen);
    const message = await signalRequest({ runId: id, signal, value: payload, signalId }, this.#chosen.uuid);
    const request = { start, signal: message, afterEnd: afterEndArgument(options) };
    const what = `Signalling run ${id}`;
    const created = await this.#call(options, what, (limit) => this.#port.signalWithStart(request, limit));
    return new RunHandle(this, id, created);
  }

  updateWithStart<Workflow extends WorkflowName, Update extends UpdateDefinition | string>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    update: Update,
    updateInput: UpdateInput<Update> | Payload,
    options: UpdateWithStartOptions,
  ): Promise<UpdateResult<Update>> {
    const answer = this.#updates.withStart({ workflow, input, update, updateInput, options });
    return answer as Promise<UpdateResult<Update>>;
  }

  startUpdateWithStart<Workflow extends WorkflowName, Update extends UpdateDefinition | string>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    update: Update,
    updateInput: UpdateInput<Update> | Payload,
    options: UpdateWithStartOptions,
  ): Promise<AcceptedUpdate<UpdateResult<Update>>> {
    const accepted = this.#updates.acceptedWithStart({ workflow, input, update, updateInput, options });
    return accepted as Promise<AcceptedUpdate<UpdateResult<Update>>>;
  }

  object<D extends ObjectDefinition = ObjectDefinition>(object: D | ObjectType<D>, key: string): ObjectHandle<D> {
    return new WorkflowObject<D>(object, key, { workflows: this, updates: this.#updates, uuid: this.#chosen.uuid });
  }

  objects(object: ObjectDefinition | string, options?: ReadOptions): AsyncIterable<ObjectSummary> {
    return listObjects(this, object, options);
  }

  async answer(token: string, value?: unknown, options?: CallOptions): Promise<void> {
    const id = tokenArgument(token);
    const answer = { is: "value", value: Payload.of(value, "the answer to a token") } as const;
    await this.#call(options, "Answering a token", (limit) => this.#port.answer({ token: id, answer }, limit));
  }

  async fail(token: string, failure: string | Error | TokenFailure, options?: CallOptions): Promise<void> {
    const id = tokenArgument(token);
    const answer = { is: "failure", failure: failureArgument(failure) } as const;
    await this.#call(options, "Failing a token", (limit) => this.#port.answer({ token: id, answer }, limit));
  }

  cancel(runId: string, options?: CancelOptions): Promise<void> {
    return this.#operations.cancel(runId, options);
  }

  resume(runId: string, options?: MendOptions): Promise<void> {
    return this.#operations.resume(runId, options);
  }

  async pause(runId: string, options?: PauseOptions): Promise<void> {
    await this.#operations.mend("Pausing", runId, options, () => pauseAction(options));
  }

  async terminate(runId: string, options?: MendOptions): Promise<void> {
    await this.#operations.mend("Terminating", runId, options, () => ({ kind: "terminate" }));
  }

  async retry(runId: string, options?: RetryOptions): Promise<void> {
    await this.#operations.mend("Retrying", runId, options, () => retryAction(options));
  }

  async fork(runId: string, options?: ForkOptions): Promise<Run> {
    return new RunHandle(this, await this.#operations.fork(runId, options), true);
  }

  async completeStep(runId: string, step: string, value?: unknown, options?: MendOptions): Promise<void> {
    await this.#operations.mend("Answering a step of", runId, options, () => completeStepAction(step, value));
  }

  async delete(runId: string, options?: MendOptions): Promise<DeletedRun> {
    return await this.#operations.delete(runId, options);
  }

  setVariable<Named extends VariableDefinition | string>(
    runId: string,
    variable: Named,
    value: VariableValue<Named> | Payload,
    options?: MendOptions,
  ): Promise<void> {
    return this.#operations.setVariable(runId, variable, value, options);
  }

  pauseType(workflowType: string, options?: MendOptions): Promise<void> {
    return this.#operations.pauseType(workflowType, true, options);
  }

  resumeType(workflowType: string, options?: MendOptions): Promise<void> {
    return this.#operations.pauseType(workflowType, false, options);
  }

  pausedTypes(options?: ReadOptions): Promise<readonly PausedType[]> {
    return this.#operations.pausedTypes(options);
  }

  mendAll(filter: RunFilter, action: BulkAction, options?: BulkOptions): AsyncIterable<BulkPiece> {
    return this.#operations.mendAll(filter, action, options);
  }

  audit(options?: AuditOptions): AsyncIterable<AuditEntry> {
    return this.#operations.audit(options);
  }

  auditPage(options?: AuditOptions & PageOptions): Promise<AuditPage> {
    return this.#operations.auditPage(options);
  }

  #call<T>(options: CallOptions | undefined, what: string, run: (limit: CallLimit) => Promise<T>): Promise<T> {
    return abortable(limitArgument(options, this.#timeoutMs), what, run);
  }
}
