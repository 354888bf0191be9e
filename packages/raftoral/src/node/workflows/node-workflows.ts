/**
 * {@link WorkflowsPort} of a node: over its own workflow engine, in this process.
 *
 * NW1. Reads are made after a barrier, so that they show everything that was acknowledged before the call.
 * NW2. Nothing here decodes a payload, but for an input that the schema of a registered workflow is to check. One that this node cannot decode is left to the check of the
 *      node that executes the run.
 */
import {
  type AuditEntry,
  assertPayloadSize,
  EventFeed,
  type EventPosition,
  type FeedEvent,
  isObjectDefinition,
  type PayloadCoder,
  RunRequests,
  runMissing,
  type RunSummary as StateSummary,
  type StreamQuery,
  type WorkflowDefinition,
  type WorkflowEngine,
  type WorkflowRuntime,
} from "@raftoral/workflow";
import { positionInvalid } from "../../api/arguments.ts";
import type { CallLimit } from "../../api/call-options.ts";
import { type EventPage, type EventRequest, eventReadOver } from "../../api/events.ts";
import { notAnObject, notAWorkflow } from "../../api/objects/object-arguments.ts";
import type { AuditPage, PausedType } from "../../api/operations/operations.ts";
import type { OperationsPort } from "../../api/operations/operations-port.ts";
import { Payload } from "../../api/payloads/payload.ts";
import type { QueueInfo, QueueLimits } from "../../api/queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage } from "../../api/runs.ts";
import { type StreamPage, type StreamRequest, streamReadOver } from "../../api/streams.ts";
import type { AnswerRequest } from "../../api/tokens.ts";
import type { UpdateEnd } from "../../api/updates/updates.ts";
import type { VariablePage } from "../../api/variables.ts";
import type {
  AuditQuery,
  CheckedFilter,
  PageRequest,
  QueryRequest,
  SignalRequest,
  SignalWithStartRequest,
  StartedRun,
  StartRequest,
  UpdateRequest,
  UpdateWithStartRequest,
  WorkflowsPort,
} from "../../api/workflows-port.ts";
import type { Environment } from "../../platform.ts";
import { Deadline } from "../../time/deadline.ts";
import { within } from "../../time/within.ts";
import { NodeLocks } from "../locks/node-locks.ts";
import { NodeSchedules } from "../schedules/node-schedules.ts";
import { digested } from "./digested.ts";
import { eventView, isWanted, positionOfText, positionText } from "./event-views.ts";
import { NodeOperations } from "./node-operations.ts";
import { type PagedList, pageTokenOf, positionOf } from "./page-token.ts";
import { actionOf, queueInfo } from "./queue-views.ts";
import { RunStarts } from "./run-starts.ts";
import {
  chunkView,
  descriptionOf,
  endedOf,
  pendingOf,
  recordOf,
  summaryOf,
  updateEndOf,
  variableView,
} from "./run-views.ts";

/** What {@link NodeWorkflows} is made of. */
export interface NodeWorkflowsOptions {
  readonly engine: WorkflowEngine;
  readonly runtime: WorkflowRuntime;
  /** What this node can execute. */
  readonly definitions: readonly WorkflowDefinition[];
  readonly environment: Environment;
  /** Decode inputs that are to be checked, and failures that tell where a retry goes back to. */
  readonly payloads: PayloadCoder;
  /** Largest payload, in bytes. */
  readonly maxPayloadBytes: number;
}

/** A page of a history ends once its values and paths take so many bytes. */
const PAGE_BYTES = 1024 * 1024;

/** Steps in progress that a description shows at most. */
const DESCRIBED_STEPS = 100;
/** Running children that a description names. */
const DESCRIBED_CHILDREN = 100;

/** The workflow calls of one node (NW1, NW2). */
export class NodeWorkflows implements WorkflowsPort {
  readonly locks: NodeLocks;
  readonly #options: NodeWorkflowsOptions;
  readonly #requests: RunRequests;
  readonly #feed: EventFeed;
  readonly #starts: RunStarts;

  constructor(options: NodeWorkflowsOptions) {
    this.#options = options;
    this.#starts = new RunStarts(options);
    this.#requests = new RunRequests(options.engine, options.environment.clock, options.payloads);
    this.#feed = new EventFeed(options.engine, options.environment.clock);
    this.locks = new NodeLocks(options.engine, options.environment);
  }

  /** How many calls wait for a run to end, for chunks of a stream, or for events. */
  get waits(): number {
    return this.#requests.waits + this.#feed.waiting + this.locks.waits;
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#requests.close();
    this.locks.close();
    this.#feed.close();
  }

  async start(request: StartRequest, limit: CallLimit): Promise<StartedRun> {
    if (this.#isObject(request) === true) throw notAWorkflow(request.workflowType);
    const start = async (): Promise<StartedRun> => {
      const { runId, created } = await this.#requests.start(await this.#starts.factsOf(request), limit);
      return { runId, created };
    };
    return within(start(), limit, `Starting ${request.workflowType}`, this.#options.environment.clock);
  }

  async describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    await this.#barrier(limit);
    const run = await this.#present(runId);
    const { engine } = this.#options;
    const children = (await engine.children(runId, DESCRIBED_CHILDREN)) ?? [];
    const locks = (await engine.runLocks(runId)) ?? [];
    return descriptionOf(run, (await engine.progress(runId, DESCRIBED_STEPS)) ?? [], children, locks);
  }

  async list(filter: CheckedFilter, { pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<RunPage> {
    const list = listOf(filter);
    const cursor = positionOf(list, pageToken);
    await this.#barrier(limit);
    const page = { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
    const { runs, next } = await this.#options.engine.list({ ...filter, ...page });
    return { runs: runs.map(summaryOf), nextPageToken: pageTokenOf(list, next) };
  }

  async counts(limit: CallLimit): Promise<readonly RunCount[]> {
    await this.#barrier(limit);
    return this.#options.engine.counts();
  }

  async history(runId: string, { pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    const after = positionOf("history", pageToken);
    await this.#barrier(limit);
    const page = await this.#options.engine.history(runId, {
      maxRecords: pageSize,
      maxBytes: PAGE_BYTES,
      ...(after === undefined ? {} : { after }),
    });
    if (page === undefined) throw await runMissing(this.#options.engine, runId);
    return {
      records: page.records.map(([path, record]) => recordOf(path, record)),
      nextPageToken: pageTokenOf("history", page.next),
    };
  }

  async variables(
    runId: string,
    name: string | undefined,
    { pageSize, pageToken }: PageRequest,
    limit: CallLimit,
  ): Promise<VariablePage> {
    const after = positionOf("variables", pageToken);
    await this.#barrier(limit);
    const page = await this.#options.engine.variables({
      runId,
      maxVariables: pageSize,
      maxBytes: PAGE_BYTES,
      ...(name === undefined ? {} : { name }),
      ...(after === undefined ? {} : { after }),
    });
    if (page === undefined) throw await runMissing(this.#options.engine, runId);
    return { variables: page.variables.map(variableView), nextPageToken: pageTokenOf("variables", page.next) };
  }

  async input(runId: string, limit: CallLimit): Promise<Payload> {
    await this.#barrier(limit);
    const input = await this.#options.engine.input(runId);
    if (input === undefined) throw await runMissing(this.#options.engine, runId);
    return Payload.ofBytes(input, `the input of run ${runId}`);
  }

  async *stream(
    { runId, stream, from, follow }: StreamRequest,
    limit: CallLimit,
  ): AsyncGenerator<StreamPage, void, undefined> {
    const { clock } = this.#options.environment;
    const deadline = new Deadline(limit, clock);
    const what = `Reading stream ${stream} of run ${runId}`;
    if (!follow) await this.#barrier(limit);
    let query: StreamQuery = { runId, stream, from, maxBytes: PAGE_BYTES };
    let startIndex: number | undefined;
    for (;;) {
      const left = { timeoutMs: Math.max(0, deadline.leftMs), signal: limit.signal };
      const page = await this.#requests.chunks(query, { startIndex, follow }, left);
      if (page === undefined) throw streamReadOver(what, limit);
      if (page.chunks.length > 0) yield page.chunks.map((chunk) => chunkView(stream, chunk));
      if (!page.hasMore && (page.isOver || !follow)) return;
      query = { ...query, from: page.nextOffset };
      startIndex = page.startIndex;
    }
  }

  async *events(request: EventRequest, limit: CallLimit): AsyncGenerator<EventPage, void, undefined> {
    const { after, from, follow, values } = request;
    const feed = this.#feed;
    const deadline = new Deadline(limit, this.#options.environment.clock);
    const token = (position: EventPosition): string => pageTokenOf("events", positionText(position));
    const wanted = (event: FeedEvent): boolean => isWanted(event, request);
    if (!follow) await this.#barrier(limit);
    const begin = after === undefined ? undefined : positionOf("events", after, positionInvalid);
    let position = begin === undefined ? await feed.position(from === "now" ? "newest" : from) : positionOfText(begin);
    yield { events: [], next: token(position) };
    for (;;) {
      const { hasMissed, events, next, hasMore } = await feed.page(position, wanted);
      const views = events.map((placed) => eventView(placed, token(placed.position), values));
      const atMs = events[0]?.event.atMs ?? this.#options.environment.clock.wallMs();
      const missed = { type: "events-missed", position: token(position), atMs } as const;
      position = next;
      if (hasMissed || views.length > 0) yield { events: hasMissed ? [missed, ...views] : views, next: token(next) };
      if (hasMore) continue;
      if (!follow) return;
      const left = { timeoutMs: Math.max(0, deadline.leftMs), signal: limit.signal };
      if (!(await feed.until(position, left))) throw eventReadOver(limit);
    }
  }

  async wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    const end = await this.#requests.wait(runId, limit);
    return end === undefined ? undefined : endedOf(end);
  }

  async signal({ runId, name, payload, signalId }: SignalRequest, limit: CallLimit): Promise<void> {
    assertPayloadSize(payload.bytes, `signal ${name}`, this.#options.maxPayloadBytes);
    await this.#requests.signal({ runId, name, payload: payload.bytes, signalId }, limit);
  }

  async query({ runId, name, input }: QueryRequest, limit: CallLimit): Promise<Payload> {
    assertPayloadSize(input.bytes, `the input of query ${name}`, this.#options.maxPayloadBytes);
    await this.#barrier(limit);
    const answer = await this.#options.runtime.query({ runId, name, input: input.bytes }, limit);
    return Payload.ofBytes(answer, `the answer to query ${name}`);
  }

  async pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]> {
    await this.#barrier(limit);
    const { engine, runtime } = this.#options;
    const calls = await runtime.pending(runId, limit);
    return pendingOf(calls, (await engine.progress(runId, DESCRIBED_STEPS)) ?? []);
  }

  async update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    const { runId, name, input, updateId, until } = request;
    assertPayloadSize(input.bytes, `the input of update ${name}`, this.#options.maxPayloadBytes);
    const update = { runId, updateId, name, input: input.bytes, ...digested(input.bytes) };
    const end = await this.#requests.update(update, until, limit);
    return updateEndOf(end, name);
  }

  async signalWithStart({ start, signal, afterEnd }: SignalWithStartRequest, limit: CallLimit): Promise<boolean> {
    const { name, payload, signalId } = signal;
    assertPayloadSize(payload.bytes, `signal ${name}`, this.#options.maxPayloadBytes);
    const message = { name, payload: payload.bytes, signalId };
    const send = async (): Promise<boolean> =>
      (await this.#requests.signalWithStart({ ...(await this.#starts.factsOf(start)), afterEnd }, message, limit))
        .created;
    return within(send(), limit, `Signalling run ${start.runId}`, this.#options.environment.clock);
  }

  async updateWithStart(
    { start, update, afterEnd, isObject }: UpdateWithStartRequest,
    limit: CallLimit,
  ): Promise<UpdateEnd | undefined> {
    if (isObject && this.#isObject(start) === false) throw notAnObject(start.workflowType);
    const { name, input, updateId, until } = update;
    assertPayloadSize(input.bytes, `the input of update ${name}`, this.#options.maxPayloadBytes);
    const facts = { ...(await this.#starts.factsOf(start)), afterEnd };
    const message = { updateId, name, input: input.bytes, ...digested(input.bytes) };
    return updateEndOf((await this.#requests.updateWithStart(facts, message, until, limit)).end, name);
  }

  async answer({ token, answer }: AnswerRequest, limit: CallLimit): Promise<void> {
    const isFailure = answer.is === "failure";
    const value = isFailure ? Payload.of(answer.failure, "the failure of a token").bytes : answer.value.bytes;
    assertPayloadSize(value, "the answer to a token", this.#options.maxPayloadBytes);
    await this.#requests.answer({ token, value, isFailure }, limit);
  }

  async pausedTypes(limit: CallLimit): Promise<readonly PausedType[]> {
    await this.#barrier(limit);
    const types = await this.#options.engine.pausedTypes();
    return types.map(({ workflowType, reason, by, atMs }) => ({ workflowType, reason, by, pausedAtMs: atMs }));
  }

  async audit({ subject, by }: AuditQuery, { pageSize, pageToken }: PageRequest, limit: CallLimit): Promise<AuditPage> {
    const before = positionOf("audit", pageToken);
    await this.#barrier(limit);
    const { entries, next } = await this.#options.engine.audit({
      limit: pageSize,
      ...(before === undefined ? {} : { before: Number(before) }),
      ...(subject === undefined ? {} : { subject }),
      ...(by === undefined ? {} : { by }),
    });
    const shown = entries.map(({ index, ...entry }) => ({ position: index, ...entry }));
    return { entries: shown, nextPageToken: pageTokenOf("audit", next === undefined ? undefined : String(next)) };
  }

  /** Records what was done that is no command of the log. */
  async audited(entry: Omit<AuditEntry, "index" | "atMs">, limit: CallLimit): Promise<void> {
    const atMs = this.#options.environment.clock.wallMs();
    await this.#requests.operate({ kind: "Audit", ...entry, atMs }, limit);
  }

  /** What operators do, in the name of one of them (`by`). */
  operations(by: string): OperationsPort {
    const { engine, environment, maxPayloadBytes, runtime } = this.#options;
    const starts = this.#starts;
    const given = { engine, environment, maxPayloadBytes, starts, by };
    const schedules = new NodeSchedules({ ...given, registered: () => runtime.registered });
    return new NodeOperations({ ...given, requests: this.#requests, locks: this.locks, schedules });
  }

  async queues(name: string | undefined, limit: CallLimit): Promise<readonly QueueInfo[]> {
    await this.#barrier(limit);
    return (await this.#options.engine.queues(name)).map(queueInfo);
  }

  /** Says which queues this node's code declares. */
  async declareQueues(queues: Readonly<Record<string, QueueLimits>>, limit: CallLimit): Promise<void> {
    for (const [name, limits] of Object.entries(queues))
      await this.#requests.changeQueue(name, actionOf({ kind: "define", limits }, true), {}, limit);
  }

  /** Whether the type is one of objects; undefined for a type that this node has not registered. */
  #isObject({ workflowType, version = 0 }: StartRequest): boolean | undefined {
    const definition = this.#starts.definitionOf(workflowType, version);
    return definition === undefined ? undefined : isObjectDefinition(definition);
  }

  async #barrier({ timeoutMs, isStale }: CallLimit): Promise<void> {
    if (isStale !== true) await this.#options.engine.barrier({ timeoutMs });
  }

  async #present(runId: string): Promise<StateSummary> {
    const run = await this.#options.engine.summary(runId);
    if (run === undefined) throw await runMissing(this.#options.engine, runId);
    return run;
  }
}

/** A token is of use to lists of one order. */
function listOf({ sort, isAscending }: CheckedFilter): PagedList {
  return isAscending ? `runs/${sort}/ascending` : `runs/${sort}`;
}
