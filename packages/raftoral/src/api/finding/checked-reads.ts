/**
 * The calls of {@link Workflows} that read runs and change nothing, over a {@link WorkflowsPort}: arguments are checked and pages become lists, as in checked-workflows.ts (CW1, CW2).
 */
import type {
  QueryAnswer,
  QueryDefinition,
  QueryInput,
  StreamDefinition,
  StreamValue,
  VariableDefinition,
  VariableValue,
} from "@raftoral/workflow";
import {
  eventsArgument,
  MAX_PAGE_SIZE,
  optionsArgument,
  pageArgument,
  queryNameArgument,
  readLimitArgument,
  runIdArgument,
  variableNameArgument,
} from "../arguments.ts";
import { abortable, type CallLimit, pagesWithin, type ReadOptions } from "../call-options.ts";
import type { ClusterRunEvent, EventOptions } from "../events.ts";
import { readChunks } from "../histories/read-chunks.ts";
import type { PageOptions } from "../pages.ts";
import { Payload } from "../payloads/payload.ts";
import type {
  HistoryPage,
  HistoryRecord,
  PendingCall,
  RunCount,
  RunDescription,
  RunPage,
  RunSummary,
} from "../runs.ts";
import type { StreamChunk, StreamOptions } from "../streams.ts";
import type { RunVariable, VariableOptions, VariablePage } from "../variables.ts";
import type { QueryArguments, VariablePageOptions, Workflows } from "../workflows.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import type { RunFilter } from "./filters.ts";
import { filterArgument } from "./run-filter.ts";

/** What {@link CheckedReads} answers. */
type Reads = Pick<
  Workflows,
  | "describe"
  | "list"
  | "listPage"
  | "counts"
  | "history"
  | "historyPage"
  | "stream"
  | "events"
  | "variable"
  | "variables"
  | "variablesPage"
  | "query"
  | "pending"
  | "input"
>;

/** Reads of runs. */
export class CheckedReads implements Reads {
  readonly #port: WorkflowsPort;
  readonly #timeoutMs: number;

  /** `timeoutMs`: for calls that name no time. */
  constructor(port: WorkflowsPort, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  async describe(runId: string, options?: ReadOptions): Promise<RunDescription> {
    const id = runIdArgument(runId);
    return this.#read(options, `Describing run ${id}`, (limit) => this.#port.describe(id, limit));
  }

  async *list(filter?: RunFilter, options?: ReadOptions): AsyncGenerator<RunSummary, void, undefined> {
    let pageToken: string | undefined;
    do {
      const page: RunPage = await this.listPage(filter, { ...options, ...nextPage(pageToken) });
      yield* page.runs;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async listPage(filter?: RunFilter, options?: PageOptions): Promise<RunPage> {
    const checked = filterArgument(filter);
    const page = pageArgument(options);
    return this.#read(options, "Listing runs", (limit) => this.#port.list(checked, page, limit));
  }

  async counts(options?: ReadOptions): Promise<readonly RunCount[]> {
    return this.#read(options, "Counting runs", (limit) => this.#port.counts(limit));
  }

  async *history(runId: string, options?: ReadOptions): AsyncGenerator<HistoryRecord, void, undefined> {
    let pageToken: string | undefined;
    do {
      const page: HistoryPage = await this.historyPage(runId, { ...options, ...nextPage(pageToken) });
      yield* page.records;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async historyPage(runId: string, options?: PageOptions): Promise<HistoryPage> {
    const id = runIdArgument(runId);
    const page = pageArgument(options);
    return this.#read(options, `Reading the history of run ${id}`, (limit) => this.#port.history(id, page, limit));
  }

  stream<Stream extends StreamDefinition | string>(
    runId: string,
    stream: Stream,
    options?: StreamOptions,
  ): AsyncGenerator<StreamChunk<StreamValue<Stream>>, void, undefined> {
    return readChunks(this.#port, this.#timeoutMs, { runId, stream, options });
  }

  async *events(options?: EventOptions): AsyncGenerator<ClusterRunEvent, void, undefined> {
    const request = eventsArgument(options);
    const limit = readLimitArgument(options, request.follow ? Number.POSITIVE_INFINITY : this.#timeoutMs);
    const pages = pagesWithin(this.#port.events(request, limit), limit, "Reading events");
    for await (const { events } of pages) yield* events;
  }

  async variable<Named extends VariableDefinition | string>(
    runId: string,
    variable: Named,
    options?: VariableOptions,
  ): Promise<VariableValue<Named> | undefined> {
    const id = runIdArgument(runId);
    const name = variableNameArgument(variable, options);
    const page = { pageSize: 1, pageToken: undefined };
    const what = `Reading variable ${name} of run ${id}`;
    const { variables } = await this.#read(options, what, (limit) => this.#port.variables(id, name, page, limit));
    return variables[0]?.value.value();
  }

  async *variables(runId: string, options?: ReadOptions): AsyncGenerator<RunVariable, void, undefined> {
    let pageToken: string | undefined;
    do {
      const page: VariablePage = await this.variablesPage(runId, { ...options, ...nextPage(pageToken) });
      yield* page.variables;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async variablesPage(runId: string, options?: VariablePageOptions): Promise<VariablePage> {
    const id = runIdArgument(runId);
    const page = pageArgument(options);
    const { name: given } = optionsArgument(options);
    const name = given === undefined ? undefined : variableNameArgument(given, undefined);
    const what = `Reading the variables of run ${id}`;
    return this.#read(options, what, (limit) => this.#port.variables(id, name, page, limit));
  }

  async query<Query extends QueryDefinition | string>(
    runId: string,
    query: Query,
    ...args: QueryArguments<QueryInput<Query>>
  ): Promise<QueryAnswer<Query>> {
    const [value, options] = args as readonly [input?: unknown, options?: ReadOptions];
    const id = runIdArgument(runId);
    const name = queryNameArgument(query);
    const request = { runId: id, name, input: Payload.of(value, `the input of query ${name}`) };
    const what = `Asking run ${id} for ${name}`;
    return (await this.#read(options, what, (limit) => this.#port.query(request, limit))).value();
  }

  async pending(runId: string, options?: ReadOptions): Promise<readonly PendingCall[]> {
    const id = runIdArgument(runId);
    return this.#read(options, `Reading what run ${id} waits for`, (limit) => this.#port.pending(id, limit));
  }

  async input(runId: string, options?: ReadOptions): Promise<Payload> {
    const id = runIdArgument(runId);
    return this.#read(options, `Reading the input of run ${id}`, (limit) => this.#port.input(id, limit));
  }

  #read<T>(options: ReadOptions | undefined, what: string, run: (limit: CallLimit) => Promise<T>): Promise<T> {
    return abortable(readLimitArgument(options, this.#timeoutMs), what, run, "read");
  }
}

function nextPage(pageToken: string | undefined): PageOptions {
  return { pageSize: MAX_PAGE_SIZE, ...(pageToken === undefined ? {} : { pageToken }) };
}
