/**
 * The one API to runs. A node implements it over its own workflow engine, a client over gRPC; names, types, errors and texts are the same, and one
 * conformance suite (`testing/workflows-conformance.ts`) holds for all implementations.
 *
 * Reads are linearizable: they show everything that was acknowledged before the call, whichever node is asked. Those that take `consistency: "stale"` show what that node has
 * applied, also without a majority.
 */
import type {
  ObjectDefinition,
  ObjectType,
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
  WorkflowInput,
  WorkflowResult,
} from "@raftoral/workflow";
import type { CallOptions, ReadOptions } from "./call-options.ts";
import type { ClusterRunEvent, EventOptions } from "./events.ts";
import type { RunFilter } from "./finding/filters.ts";
import type { HistoryExport } from "./histories/history-format.ts";
import type { Locks } from "./locks/locks.ts";
import type { CancelOptions, ForkOptions, MendOptions, PauseOptions, RetryOptions } from "./mending/mending.ts";
import type { ObjectHandle, ObjectSummary } from "./objects/objects.ts";
import type { DeletedRun, Operations } from "./operations/operations.ts";
import type { PageOptions } from "./pages.ts";
import type { Payload } from "./payloads/payload.ts";
import type { Queues } from "./queues/queues.ts";
import type {
  EndedRun,
  HistoryPage,
  HistoryRecord,
  PendingCall,
  RunCount,
  RunDescription,
  RunPage,
  RunSummary,
} from "./runs.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { StartOptions } from "./starts/start-options.ts";
import type { StreamChunk, StreamOptions } from "./streams.ts";
import type { TokenFailure } from "./tokens.ts";
import type {
  AcceptedUpdate,
  SignalWithStartOptions,
  UpdateArguments,
  UpdateWithStartOptions,
} from "./updates/updates.ts";
import type { RunVariable, VariableOptions, VariablePage } from "./variables.ts";
import type { WorkflowName, WorkflowType } from "./workflow-name.ts";

export type { PageOptions } from "./pages.ts";
export type { WorkflowName, WorkflowType } from "./workflow-name.ts";

/** What a start takes after the workflow: the input, which may be left out where `undefined` is one, and options. */
export type StartArguments<Workflow> =
  undefined extends WorkflowInput<Workflow>
    ? [input?: WorkflowInput<Workflow> | Payload, options?: StartOptions]
    : [input: WorkflowInput<Workflow> | Payload, options?: StartOptions];

/** Options of a signal. */
export interface SignalOptions extends CallOptions {
  /** A signal that is sent again under the same id is taken once. A random UUID by default. */
  readonly signalId?: string;
}

/** What sending takes after the signal: the payload, which may be left out where `undefined` is one, and options. */
export type SignalArguments<Given> = undefined extends Given
  ? [payload?: Given | Payload, options?: SignalOptions]
  : [payload: Given | Payload, options?: SignalOptions];

/** What asking takes after the query: the input, which may be left out where `undefined` is one, and options. */
export type QueryArguments<Input> = undefined extends Input
  ? [input?: Input | Payload, options?: ReadOptions]
  : [input: Input | Payload, options?: ReadOptions];

/** Options of one page of variables. */
export interface VariablePageOptions extends PageOptions {
  /** Enclosing scopes and name of the only variable to read. */
  readonly name?: string;
}

/** Starts runs, tells of them, and mends them. */
export interface Workflows extends Operations {
  /** Runs that are started at times. */
  readonly schedules: Schedules;
  /** Locks, semaphores, rate limiters and elections, of runs and of service code. */
  readonly locks: Locks;
  /** Queues, in which runs wait for their turn. */
  readonly queues: Queues;
  /**
   * Starts a run, once per id: the same start again gives a handle of the same run. Resolves once the start is committed. Rejects with
   * WORKFLOW_TYPE_UNKNOWN when no node has registered the type, WORKFLOW_ID_CONFLICT when the id belongs to another start, QUEUE_NOT_FOUND, QUEUE_OPTIONS_INVALID, INPUT_INVALID,
   * VALUE_NOT_SERIALIZABLE, PAYLOAD_TOO_LARGE, WORKFLOW_ID_INVALID or REQUEST_INVALID. A {@link Payload} as input is taken as it is.
   *
   * Input and result have the types of the definition. Programs without the workflow's code name its type and import the definition's:
   * `start<typeof order>("order", input)`.
   */
  start<Workflow extends WorkflowName>(
    workflow: Workflow | WorkflowType<Workflow>,
    ...args: StartArguments<Workflow>
  ): Promise<Run<WorkflowResult<Workflow>>>;
  /** A handle of a run that may or may not exist, typed as in `run<typeof order>("order-17")`. Sends no request. Throws WORKFLOW_ID_INVALID. */
  run<Workflow extends WorkflowDefinition = WorkflowDefinition>(runId: string): Run<WorkflowResult<Workflow>>;
  /** Everything about a run but its payloads and its history. Rejects with WORKFLOW_NOT_FOUND. */
  describe(runId: string, options?: ReadOptions): Promise<RunDescription>;
  /**
   * Runs that fit a filter, the latest first unless that says otherwise, fetched in pages as they are consumed; `options` limit each page. Rejects with
   * REQUEST_INVALID.
   */
  list(filter?: RunFilter, options?: ReadOptions): AsyncIterable<RunSummary>;
  /** One page of {@link Workflows.list}. */
  listPage(filter?: RunFilter, options?: PageOptions): Promise<RunPage>;
  /** How many runs there are of each type and status, those with none left out. Takes no time that grows with them. */
  counts(options?: ReadOptions): Promise<readonly RunCount[]>;
  /**
   * A run's records in the order in which they were committed, fetched in pages as they are consumed; `options` limit each page. Rejects with
   * WORKFLOW_NOT_FOUND.
   */
  history(runId: string, options?: ReadOptions): AsyncIterable<HistoryRecord>;
  /** One page of {@link Workflows.history}. */
  historyPage(runId: string, options?: PageOptions): Promise<HistoryPage>;
  /**
   * A run with its history as one JSON value, for `replay` of `raftoral/testing`: the run as it is now, ended or not. `options` limit each of the reads
   * that this takes. Rejects with WORKFLOW_NOT_FOUND.
   */
  exportHistory(runId: string, options?: ReadOptions): Promise<HistoryExport>;
  /**
   * Chunks of a stream that a run writes, as this node or client learns of them, until the stream or its run ends. A definition gives the chunks their type, and
   * its schema makes of them what is given. A reader that is slow holds up no one: chunks are fetched as they are consumed. Reads go on over lost
   * connections and takeovers. Without `timeoutMs` it takes as long as the run. Rejects with WORKFLOW_NOT_FOUND, and with STREAM_TRIMMED for chunks that are
   * not kept any more.
   */
  stream<Stream extends StreamDefinition | string>(
    runId: string,
    stream: Stream,
    options?: StreamOptions,
  ): AsyncIterable<StreamChunk<StreamValue<Stream>>>;
  /**
   * What happens to the runs of the cluster, in the order of the log: from now on, from the oldest event that the node keeps, or after the position of an event. Every node
   * gives the same events at the same positions, so a reader goes on after its last position on any node. A node keeps the latest 50,000 events, and 16 MiB of
   * their values: who asks for older ones, or reads too slowly, gets an event `events-missed` and goes on with what is kept. Without `timeoutMs` it goes on until
   * the reader stops. Rejects with REQUEST_INVALID.
   */
  events(options?: EventOptions): AsyncIterable<ClusterRunEvent>;
  /**
   * The value of a variable of a run, as it was last recorded; undefined for a variable that the run does not have. A definition gives the value its type. It
   * costs one look-up, however long the history, while the run goes on and as long as it is kept afterwards. Rejects with WORKFLOW_NOT_FOUND.
   */
  variable<Named extends VariableDefinition | string>(
    runId: string,
    variable: Named,
    options?: VariableOptions,
  ): Promise<VariableValue<Named> | undefined>;
  /** All variables of a run, in no order, fetched in pages as they are consumed; `options` limit each page. Rejects with WORKFLOW_NOT_FOUND. */
  variables(runId: string, options?: ReadOptions): AsyncIterable<RunVariable>;
  /** One page of {@link Workflows.variables}. */
  variablesPage(runId: string, options?: VariablePageOptions): Promise<VariablePage>;
  /**
   * What a handler of a run's body answers (`ctx.onQuery`), from all that is recorded of the run. The node that is asked answers: from the body if it is the run's
   * owner, otherwise by running a body again from the record, which acts on nothing and takes as long as the history is. Of runs that have ended, too, as long as they
   * are kept. Rejects with WORKFLOW_NOT_FOUND, QUERY_UNKNOWN, QUERY_FAILED, QUERY_UNAVAILABLE for a node without the run's code, or DEADLINE_EXCEEDED.
   */
  query<Query extends QueryDefinition | string>(
    runId: string,
    query: Query,
    ...args: QueryArguments<QueryInput<Query>>
  ): Promise<QueryAnswer<Query>>;
  /**
   * What a run's body waits for, and until when; nothing for a run that has ended. It is found as a query is answered: from the body if the node that is asked is the run's owner,
   * otherwise by running a body again from the record, which takes as long as the history is. Of runs that no node executes, too. Rejects with WORKFLOW_NOT_FOUND,
   * QUERY_UNAVAILABLE for a node without the run's code, or DEADLINE_EXCEEDED.
   */
  pending(runId: string, options?: ReadOptions): Promise<readonly PendingCall[]>;
  /** What a run was started with. Rejects with WORKFLOW_NOT_FOUND. */
  input(runId: string, options?: ReadOptions): Promise<Payload>;
  /**
   * How the run ended, once it has. Costs nothing but the outcome, however long the history. Without `timeoutMs` it waits as long as it takes. Rejects
   * with DEADLINE_EXCEEDED when the run has not ended in time (it goes on), or with WORKFLOW_NOT_FOUND. A stuck run has not ended.
   */
  wait(runId: string, options?: CallOptions): Promise<EndedRun>;
  /** As {@link Workflows.wait}, with the result of a completed run. Rejects with WorkflowFailedError or WorkflowCancelledError for other ends. */
  result<Workflow extends WorkflowDefinition = WorkflowDefinition>(
    runId: string,
    options?: CallOptions,
  ): Promise<WorkflowResult<Workflow>>;
  /**
   * Sends a signal to a run, once; the signal is kept until the run waits for it. A definition gives the payload its type, and its schema checks it
   * before it is sent. Resolves once it is committed. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, SIGNAL_BUFFER_FULL, SIGNAL_INVALID,
   * NAME_INVALID, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  signal<Given>(
    runId: string,
    signal: SignalDefinition<Given> | string,
    ...args: SignalArguments<NoInfer<Given>>
  ): Promise<void>;
  /**
   * Asks a run's body to do something (`ctx.onUpdate`), and gives its answer. The owner validates the update, executes it once per id, and records the answer: the same
   * id again gives the same answer, also after takeovers, continueAsNew and the run's end, as long as it is among the latest 256 updates of the run that were answered (and
   * in their latest 4 MiB). Without `timeoutMs` it waits as long as it takes, over changes of the leader and the owner. Rejects with UpdateFailedError when the handler
   * throws, UPDATE_REJECTED by the validator or a schema, UPDATE_UNKNOWN without a handler, UPDATE_BUFFER_FULL, WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, INPUT_INVALID,
   * DEADLINE_EXCEEDED (the update goes on), NAME_INVALID, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  update<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>>;
  /** As {@link Workflows.update}, but resolves once the update is accepted, and will be executed whatever dies: with the way to wait for its answer. */
  startUpdate<Update extends UpdateDefinition | string>(
    runId: string,
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<AcceptedUpdate<UpdateResult<Update>>>;
  /**
   * Sends a signal to the run `options.runId`, and starts the run for it if there is none: both or neither, in one entry of the log. A run that goes on gets the signal,
   * whatever it was started with. Rejects as {@link Workflows.start} and {@link Workflows.signal} do, and with WORKFLOW_FINISHED for a run that has ended (`ifFinished`).
   */
  signalWithStart<Workflow extends WorkflowName, Given>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    signal: SignalDefinition<Given> | string,
    payload: NoInfer<Given> | Payload,
    options: SignalWithStartOptions,
  ): Promise<Run<WorkflowResult<Workflow>>>;
  /** As {@link Workflows.signalWithStart}, with an update, whose answer it gives. Rejects as {@link Workflows.update} does, too. */
  updateWithStart<Workflow extends WorkflowName, Update extends UpdateDefinition | string>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    update: Update,
    updateInput: UpdateInput<Update> | Payload,
    options: UpdateWithStartOptions,
  ): Promise<UpdateResult<Update>>;
  /** As {@link Workflows.updateWithStart}, but resolves once the update is accepted, as {@link Workflows.startUpdate} does. */
  startUpdateWithStart<Workflow extends WorkflowName, Update extends UpdateDefinition | string>(
    workflow: Workflow | WorkflowType<Workflow>,
    input: WorkflowInput<Workflow> | Payload,
    update: Update,
    updateInput: UpdateInput<Update> | Payload,
    options: UpdateWithStartOptions,
  ): Promise<AcceptedUpdate<UpdateResult<Update>>>;
  /**
   * A handle of the object with this key. Sends no request. Programs without the object's code name its type and import the definition's:
   * `object<typeof account>("account", "alice")`. Throws NAME_INVALID for what cannot be a key: text of 1 to 200 characters.
   */
  object<Definition extends ObjectDefinition = ObjectDefinition>(
    object: Definition | ObjectType<Definition>,
    key: string,
  ): ObjectHandle<Definition>;
  /** The objects of a type that exist, fetched in pages as they are consumed; `options` limit each page. An object that is called for the first time meanwhile may be missing. */
  objects(object: ObjectDefinition | string, options?: ReadOptions): AsyncIterable<ObjectSummary>;
  /**
   * Answers a token that a run has given out (`ctx.token`), once: the same answer again is taken for done. Resolves once it is committed. Rejects with
   * TOKEN_UNKNOWN, TOKEN_CONFLICT for a token that has another answer, TOKEN_EXPIRED, WORKFLOW_FINISHED, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  answer(token: string, value?: unknown, options?: CallOptions): Promise<void>;
  /** As {@link Workflows.answer}, with a failure, which the body's wait rejects with: a text, an error (its name, message and code), or a {@link TokenFailure}. */
  fail(token: string, failure: string | Error | TokenFailure, options?: CallOptions): Promise<void>;
  /**
   * Starts another run that has the first part of this one's record, and goes on from there by itself: with the type, version and randomness of this one, an id of its own, and so other
   * idempotency keys, tokens and children. The run that is forked may have completed, or go on; it is left as it is. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_ID_CONFLICT, STEP_NOT_RECORDED,
   * RETRY_COMPENSATED, FORK_TOO_LARGE, INPUT_INVALID where a schema makes another value of inputs, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  fork(runId: string, options?: ForkOptions): Promise<Run>;
}

/** A handle of one run: the calls of {@link Workflows} without the id. `Result` is what the record gives back of the run's result. */
export interface Run<Result = unknown> {
  readonly runId: string;
  /** Whether the start that gave this handle made the run; undefined for a handle that no start gave. */
  readonly created: boolean | undefined;
  /** See {@link Workflows.result}. */
  result(options?: CallOptions): Promise<Result>;
  /** See {@link Workflows.wait}. */
  wait(options?: CallOptions): Promise<EndedRun>;
  /** See {@link Workflows.describe}. */
  describe(options?: ReadOptions): Promise<RunDescription>;
  /** See {@link Workflows.history}. */
  history(options?: ReadOptions): AsyncIterable<HistoryRecord>;
  /** See {@link Workflows.exportHistory}. */
  exportHistory(options?: ReadOptions): Promise<HistoryExport>;
  /** See {@link Workflows.stream}. */
  stream<Stream extends StreamDefinition | string>(
    stream: Stream,
    options?: StreamOptions,
  ): AsyncIterable<StreamChunk<StreamValue<Stream>>>;
  /** See {@link Workflows.variable}. */
  variable<Named extends VariableDefinition | string>(
    variable: Named,
    options?: VariableOptions,
  ): Promise<VariableValue<Named> | undefined>;
  /** See {@link Workflows.variables}. */
  variables(options?: ReadOptions): AsyncIterable<RunVariable>;
  /** See {@link Workflows.query}. */
  query<Query extends QueryDefinition | string>(
    query: Query,
    ...args: QueryArguments<QueryInput<Query>>
  ): Promise<QueryAnswer<Query>>;
  /** See {@link Workflows.pending}. */
  pending(options?: ReadOptions): Promise<readonly PendingCall[]>;
  /** See {@link Workflows.input}. */
  input(options?: ReadOptions): Promise<Payload>;
  /** See {@link Workflows.signal}. */
  signal<Given>(signal: SignalDefinition<Given> | string, ...args: SignalArguments<NoInfer<Given>>): Promise<void>;
  /** See {@link Workflows.update}. */
  update<Update extends UpdateDefinition | string>(
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<UpdateResult<Update>>;
  /** See {@link Workflows.startUpdate}. */
  startUpdate<Update extends UpdateDefinition | string>(
    update: Update,
    ...args: UpdateArguments<UpdateInput<Update>>
  ): Promise<AcceptedUpdate<UpdateResult<Update>>>;
  /** See {@link Workflows.cancel}. */
  cancel(options?: CancelOptions): Promise<void>;
  /** See {@link Workflows.resume}. */
  resume(options?: MendOptions): Promise<void>;
  /** See {@link Workflows.pause}. */
  pause(options?: PauseOptions): Promise<void>;
  /** See {@link Workflows.terminate}. */
  terminate(options?: MendOptions): Promise<void>;
  /** See {@link Workflows.retry}. */
  retry(options?: RetryOptions): Promise<void>;
  /** See {@link Workflows.fork}. */
  fork(options?: ForkOptions): Promise<Run<Result>>;
  /** See {@link Workflows.completeStep}. */
  completeStep(step: string, value?: unknown, options?: MendOptions): Promise<void>;
  /** See {@link Workflows.setVariable}. */
  setVariable<Named extends VariableDefinition | string>(
    variable: Named,
    value: VariableValue<Named> | Payload,
    options?: MendOptions,
  ): Promise<void>;
  /** See {@link Workflows.delete}. */
  delete(options?: MendOptions): Promise<DeletedRun>;
}
