/** A handle of one run, over any implementation of the API. */
import type {
  QueryAnswer,
  QueryDefinition,
  QueryInput,
  SignalDefinition,
  StreamDefinition,
  StreamValue,
  UpdateDefinition,
  UpdateInput,
  UpdateResult,
  VariableDefinition,
  VariableValue,
  WorkflowDefinition,
} from "@raftoral/workflow";
import type { CallOptions, ReadOptions } from "./call-options.ts";
import type { HistoryExport } from "./histories/history-format.ts";
import type { CancelOptions, ForkOptions, MendOptions, PauseOptions, RetryOptions } from "./mending/mending.ts";
import type { DeletedRun } from "./operations/operations.ts";
import type { Payload } from "./payloads/payload.ts";
import type { EndedRun, HistoryRecord, PendingCall, RunDescription } from "./runs.ts";
import type { StreamChunk, StreamOptions } from "./streams.ts";
import type { AcceptedUpdate, UpdateArguments } from "./updates/updates.ts";
import type { RunVariable, VariableOptions } from "./variables.ts";
import type { QueryArguments, Run, SignalArguments, Workflows } from "./workflows.ts";

/** {@link Run} by way of {@link Workflows}. */
export class RunHandle<Result> implements Run<Result> {
  readonly runId: string;
  readonly created: boolean | undefined;
  readonly #workflows: Workflows;

  constructor(workflows: Workflows, runId: string, created: boolean | undefined) {
    this.#workflows = workflows;
    this.runId = runId;
    this.created = created;
  }

  result(options?: CallOptions): Promise<Result> {
    return this.#workflows.result<WorkflowDefinition<unknown, Result>>(this.runId, options);
  }

  wait(options?: CallOptions): Promise<EndedRun> {
    return this.#workflows.wait(this.runId, options);
  }

  describe(options?: ReadOptions): Promise<RunDescription> {
    return this.#workflows.describe(this.runId, options);
  }

  history(options?: ReadOptions): AsyncIterable<HistoryRecord> {
    return this.#workflows.history(this.runId, options);
  }

  exportHistory(options?: ReadOptions): Promise<HistoryExport> {
    return this.#workflows.exportHistory(this.runId, options);
  }

  stream<Stream extends StreamDefinition | string>(
    stream: Stream,
    options?: StreamOptions,
  ): AsyncIterable<StreamChunk<StreamValue<Stream>>> {
    return this.#workflows.stream(this.runId, stream, options);
  }

  variable<Named extends VariableDefinition | string>(
    variable: Named,
    options?: VariableOptions,
  ): Promise<VariableValue<Named> | undefined> {
    return this.#workflows.variable(this.runId, variable, options);
  }

  variables(options?: ReadOptions): AsyncIterable<RunVariable> {
    return this.#workflows.variables(this.runId, options);
  }

  query<Query extends QueryDefinition | string>(
    query: Query,
    ...args: QueryArguments<QueryInput<Query>>
  ): Promise<QueryAnswer<Query>> {
    return this.#workflows.query(this.runId, query, ...args);
  }

  pending(options?: ReadOptions): Promise<readonly PendingCall[]> {
    return this.#workflows.pending(this.runId, options);
  }

  input(options?: ReadOptions): Promise<Payload> {
    return this.#workflows.input(this.runId, options);
  }

  signal<Given>(signal: SignalDefinition<Given> | string, ...args: SignalArguments<NoInfer<Given>>): Promise<void> {
    return this.#workflows.signal(this.runId, signal, ...args);
  }

  update<Update extends UpdateDefinition | string>(
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>> {
    return this.#workflows.update(this.runId, update, ...args);
  }

  startUpdate<Update extends UpdateDefinition | string>(
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<AcceptedUpdate<UpdateResult<Update>>> {
    return this.#workflows.startUpdate(this.runId, update, ...args);
  }

  cancel(options?: CancelOptions): Promise<void> {
    return this.#workflows.cancel(this.runId, options);
  }

  resume(options?: MendOptions): Promise<void> {
    return this.#workflows.resume(this.runId, options);
  }

  pause(options?: PauseOptions): Promise<void> {
    return this.#workflows.pause(this.runId, options);
  }

  terminate(options?: MendOptions): Promise<void> {
    return this.#workflows.terminate(this.runId, options);
  }

  retry(options?: RetryOptions): Promise<void> {
    return this.#workflows.retry(this.runId, options);
  }

  async fork(options?: ForkOptions): Promise<Run<Result>> {
    const { runId, created } = await this.#workflows.fork(this.runId, options);
    return new RunHandle<Result>(this.#workflows, runId, created);
  }

  completeStep(step: string, value?: unknown, options?: MendOptions): Promise<void> {
    return this.#workflows.completeStep(this.runId, step, value, options);
  }

  setVariable<Named extends VariableDefinition | string>(
    variable: Named,
    value: VariableValue<Named> | Payload,
    options?: MendOptions,
  ): Promise<void> {
    return this.#workflows.setVariable(this.runId, variable, value, options);
  }

  delete(options?: MendOptions): Promise<DeletedRun> {
    return this.#workflows.delete(this.runId, options);
  }
}
