/** {@link WorkflowsPort} of a client: over gRPC, through any node. */
import { attributeValues } from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import type { EventPage, EventRequest } from "../api/events.ts";
import type { AuditPage, PausedType } from "../api/operations/operations.ts";
import { Payload } from "../api/payloads/payload.ts";
import type { QueueInfo } from "../api/queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage } from "../api/runs.ts";
import type { StreamPage, StreamRequest } from "../api/streams.ts";
import type { AnswerRequest } from "../api/tokens.ts";
import type { UpdateEnd } from "../api/updates/updates.ts";
import type { VariablePage } from "../api/variables.ts";
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
} from "../api/workflows-port.ts";
import { attributesToWire } from "../wire/attribute-messages.ts";
import { consistencyToWire, filterToWire, idPolicyToWire } from "../wire/filter-messages.ts";
import { auditFromWire, pausedTypeFromWire } from "../wire/operation-messages.ts";
import { queuedStartToWire, queueFromWire } from "../wire/queue-messages.ts";
import {
  countFromWire,
  descriptionFromWire,
  pendingFromWire,
  recordFromWire,
  summaryFromWire,
} from "../wire/run-messages.ts";
import { answerToWire } from "../wire/token-messages.ts";
import { traceToWire } from "../wire/trace-messages.ts";
import { updateEndFromWire } from "../wire/update-messages.ts";
import { variableFromWire } from "../wire/variable-messages.ts";
import type { ClientCalls } from "./client-calls.ts";
import { ClientLocks } from "./client-locks.ts";
import type { FollowedCalls } from "./followed-calls.ts";
import { readEvents, readStream } from "./open-reads.ts";
import type { RunPolls } from "./run-polls.ts";

/** The workflow calls of one client. A call that changes something carries an id, so that it can be sent again. */
export class ClientWorkflows implements WorkflowsPort {
  readonly locks: ClientLocks;
  readonly #calls: ClientCalls;
  readonly #polls: RunPolls;
  readonly #followed: FollowedCalls;

  constructor(calls: ClientCalls, polls: RunPolls, followed: FollowedCalls) {
    this.locks = new ClientLocks(calls, polls);
    this.#calls = calls;
    this.#polls = polls;
    this.#followed = followed;
  }

  async start(request: StartRequest, limit: CallLimit): Promise<StartedRun> {
    const { workflowType } = request;
    const message = startToWire(request);
    const { runId, created } = await this.#calls.call(`Starting ${workflowType}`, limit, (node, options) =>
      node.workflows.startRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return { runId, created };
  }

  async describe(runId: string, limit: CallLimit): Promise<RunDescription> {
    const message = { runId, consistency: consistencyToWire(limit) };
    const { run } = await this.#calls.call(`Describing run ${runId}`, limit, (node, options) =>
      node.workflows.describeRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return descriptionFromWire(run);
  }

  async list(filter: CheckedFilter, page: PageRequest, limit: CallLimit): Promise<RunPage> {
    const message = { ...filterToWire(filter), ...pageOf(page), consistency: consistencyToWire(limit) };
    const { runs, nextPageToken } = await this.#calls.call("Listing runs", limit, (node, options) =>
      node.workflows.listRuns({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return { runs: runs.map(summaryFromWire), nextPageToken: tokenFrom(nextPageToken) };
  }

  async counts(limit: CallLimit): Promise<readonly RunCount[]> {
    const consistency = consistencyToWire(limit);
    const { counts } = await this.#calls.call("Counting runs", limit, (node, options) =>
      node.workflows.countRuns({ consistency, timeoutMs: options.timeoutMs }, options),
    );
    return counts.map(countFromWire);
  }

  async history(runId: string, page: PageRequest, limit: CallLimit): Promise<HistoryPage> {
    const message = { runId, ...pageOf(page), consistency: consistencyToWire(limit) };
    const what = `Reading the history of run ${runId}`;
    const { records, nextPageToken } = await this.#calls.call(what, limit, (node, options) =>
      node.workflows.readHistory({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return { records: records.map(recordFromWire), nextPageToken: tokenFrom(nextPageToken) };
  }

  async input(runId: string, limit: CallLimit): Promise<Payload> {
    const message = { runId, consistency: consistencyToWire(limit) };
    const { input } = await this.#calls.call(`Reading the input of run ${runId}`, limit, (node, options) =>
      node.workflows.readInput({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return Payload.ofBytes(input, `the input of run ${runId}`);
  }

  async variables(runId: string, name: string | undefined, page: PageRequest, limit: CallLimit): Promise<VariablePage> {
    const message = { runId, name: name ?? "", ...pageOf(page), consistency: consistencyToWire(limit) };
    const what = `Reading the variables of run ${runId}`;
    const { variables, nextPageToken } = await this.#calls.call(what, limit, (node, options) =>
      node.workflows.readVariables({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return { variables: variables.map(variableFromWire), nextPageToken: tokenFrom(nextPageToken) };
  }

  stream(request: StreamRequest, limit: CallLimit): AsyncIterable<StreamPage> {
    return readStream(this.#followed, request, limit);
  }

  events(request: EventRequest, limit: CallLimit): AsyncIterable<EventPage> {
    return readEvents(this.#followed, request, limit);
  }

  wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined> {
    return this.#polls.wait(runId, limit);
  }

  async signal({ runId, name, payload, signalId }: SignalRequest, limit: CallLimit): Promise<void> {
    const message = { runId, name, payload: payload.bytes, signalId };
    await this.#calls.call(`Signalling run ${runId}`, limit, (node, options) =>
      node.workflows.signalRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]> {
    const what = `Reading what run ${runId} waits for`;
    const consistency = consistencyToWire(limit);
    const { calls } = await this.#calls.call(what, limit, (node, options) =>
      node.workflows.readPending({ runId, consistency, timeoutMs: options.timeoutMs }, options),
    );
    return calls.map(pendingFromWire);
  }

  async query({ runId, name, input }: QueryRequest, limit: CallLimit): Promise<Payload> {
    const message = { runId, query: name, input: input.bytes, consistency: consistencyToWire(limit) };
    const { answer } = await this.#calls.call(`Asking run ${runId} for ${name}`, limit, (node, options) =>
      node.workflows.queryRun({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return Payload.ofBytes(answer, `the answer to query ${name}`);
  }

  update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined> {
    const { runId, name } = request;
    const message = updateToWire(request);
    return this.#polls.until(`Updating run ${runId}`, limit, async (node, options, waitMs) =>
      updateEndFromWire(await node.workflows.updateRun({ ...message, waitMs }, options), name),
    );
  }

  async signalWithStart({ start, signal, afterEnd }: SignalWithStartRequest, limit: CallLimit): Promise<boolean> {
    const { runId, name, payload, signalId } = signal;
    const message = { signal: { name, payload: payload.bytes, signalId }, afterEnd };
    const { created } = await this.#calls.call(`Signalling run ${runId}`, limit, (node, options) => {
      const { timeoutMs } = options;
      return node.workflows.signalWithStart({ ...message, start: { ...startToWire(start), timeoutMs } }, options);
    });
    return created;
  }

  updateWithStart(
    { start, update, afterEnd, isObject }: UpdateWithStartRequest,
    limit: CallLimit,
  ): Promise<UpdateEnd | undefined> {
    const { runId, name } = update;
    const message = { start: startToWire(start), afterEnd, isObject };
    const asked = updateToWire(update);
    return this.#polls.until(`Updating run ${runId}`, limit, async (node, options, waitMs) =>
      updateEndFromWire(
        await node.workflows.updateWithStart({ ...message, update: { ...asked, waitMs } }, options),
        name,
      ),
    );
  }

  async answer(request: AnswerRequest, limit: CallLimit): Promise<void> {
    const message = answerToWire(request);
    await this.#calls.call("Answering a token", limit, (node, options) =>
      node.workflows.answerToken({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async pausedTypes(limit: CallLimit): Promise<readonly PausedType[]> {
    const consistency = consistencyToWire(limit);
    const { types } = await this.#calls.call("Reading paused types", limit, (node, options) =>
      node.workflows.listPausedTypes({ consistency, timeoutMs: options.timeoutMs }, options),
    );
    return types.map(pausedTypeFromWire);
  }

  async audit({ subject = "", by = "" }: AuditQuery, page: PageRequest, limit: CallLimit): Promise<AuditPage> {
    const message = { subject, by, ...pageOf(page), consistency: consistencyToWire(limit) };
    const { entries, nextPageToken } = await this.#calls.call("Reading the audit", limit, (node, options) =>
      node.workflows.readAudit({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return { entries: entries.map(auditFromWire), nextPageToken: tokenFrom(nextPageToken) };
  }

  async queues(name: string | undefined, limit: CallLimit): Promise<readonly QueueInfo[]> {
    const message = { name: name ?? "", consistency: consistencyToWire(limit) };
    const { queues } = await this.#calls.call("Reading queues", limit, (node, options) =>
      node.queues.listQueues({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return queues.map(queueFromWire);
  }
}

function startToWire(request: StartRequest) {
  const { runId, workflowType, version = 0, isPinned, input, runTimeoutMs = 0, trace, startId = "" } = request;
  const { delayMs = 0, startAtMs = 0 } = request;
  const named = { runId, workflowType, version, versionPinned: isPinned };
  const unique = { idPolicy: idPolicyToWire(request.idPolicy), startId };
  const attributes = attributesToWire(attributeValues(request.attributes));
  return {
    ...named,
    ...unique,
    attributes,
    input: input.bytes,
    runTimeoutMs: BigInt(runTimeoutMs),
    delayMs: BigInt(delayMs),
    startAtMs: BigInt(startAtMs),
    ...traceToWire(trace),
    ...queuedStartToWire(request.queue),
  };
}

function updateToWire({ runId, name, input, updateId, until }: UpdateRequest) {
  return { runId, update: name, input: input.bytes, updateId, untilAccepted: until === "accepted" };
}

function pageOf({ pageSize, pageToken = "" }: PageRequest): { readonly pageSize: number; readonly pageToken: string } {
  return { pageSize, pageToken };
}

function tokenFrom(nextPageToken: string): string | undefined {
  return nextPageToken === "" ? undefined : nextPageToken;
}
