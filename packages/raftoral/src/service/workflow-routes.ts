/**
 * raftoral.v1.WorkflowService over the API of a node. It translates messages to calls and answers to messages; what a call may be and what it does, the API
 * says.
 */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  queryNameArgument,
  runIdArgument,
  streamNameArgument,
  updateArgument,
  updateIdArgument,
} from "../api/arguments.ts";
import type { ReadOptions } from "../api/call-options.ts";
import type { PageOptions } from "../api/pages.ts";
import { Payload } from "../api/payloads/payload.ts";
import { startRequest } from "../api/starts/start-request.ts";
import type { UpdateRequest } from "../api/workflows-port.ts";
import type { UpdateRunRequest } from "../gen/raftoral/v1/run_messages_pb.ts";
import type { Consistency } from "../gen/raftoral/v1/run_pb.ts";
import type { StartRunRequest } from "../gen/raftoral/v1/run_start_pb.ts";
import { WorkflowService } from "../gen/raftoral/v1/workflow_service_pb.ts";
import { attributesFromWire } from "../wire/attribute-messages.ts";
import { consistencyFromWire, filterFromWire, idPolicyFromWire, isStale } from "../wire/filter-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { queuedStartFromWire } from "../wire/queue-messages.ts";
import { countToWire, outcomeToWire, pendingToWire, recordToWire, runToWire } from "../wire/run-messages.ts";
import { chunkToWire } from "../wire/stream-messages.ts";
import { failureFromWire } from "../wire/token-messages.ts";
import { traceFromWire } from "../wire/trace-messages.ts";
import { updateEndToWire } from "../wire/update-messages.ts";
import { variableToWire } from "../wire/variable-messages.ts";
import { callLimit, callOptions, guarded, guardedStream, lacking, pollLimit, required } from "./calls.ts";
import { operationRoutes } from "./operation-routes.ts";
import type { ServedNode } from "./served-node.ts";

/** What all reads have in their requests. */
interface ReadRequest {
  readonly timeoutMs: number;
  readonly consistency: Consistency;
}

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerWorkflowService(
  router: ConnectRouter,
  served: () => ServedNode,
  defaultTimeoutMs: number,
): void {
  const options = (requestedMs: number, context: HandlerContext) =>
    callOptions(callLimit(requestedMs, context, defaultTimeoutMs));
  const readOptions = (request: ReadRequest, context: HandlerContext): ReadOptions => {
    return { ...options(request.timeoutMs, context), ...consistencyFromWire(request.consistency) };
  };
  const workflows = () => served().workflows;
  router.service(WorkflowService, {
    startRun: guarded(async (request, context) => {
      const { workflow, input, options: given } = startOf(request);
      const run = await workflows().start(workflow, input, { ...given, ...options(request.timeoutMs, context) });
      return { runId: run.runId, created: run.created === true };
    }),

    describeRun: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      return { run: runToWire(await workflows().describe(runId, readOptions(request, context))) };
    }),

    listRuns: guarded(async (request, context) => {
      const limit = readOptions(request, context);
      const filter = filterFromWire(request);
      const { runs, nextPageToken = "" } = await workflows().listPage(filter, { ...limit, ...pageOf(request) });
      return { runs: runs.map(runToWire), nextPageToken };
    }),

    countRuns: guarded(async (request, context) => {
      return { counts: (await workflows().counts(readOptions(request, context))).map(countToWire) };
    }),

    readHistory: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      const limit = readOptions(request, context);
      const { records, nextPageToken = "" } = await workflows().historyPage(runId, { ...limit, ...pageOf(request) });
      return { records: records.map(recordToWire), nextPageToken };
    }),

    readVariables: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      const { variables, nextPageToken = "" } = await workflows().variablesPage(runId, {
        ...readOptions(request, context),
        ...pageOf(request),
        ...(request.name === "" ? {} : { name: request.name }),
      });
      return { variables: variables.map(variableToWire), nextPageToken };
    }),

    readInput: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      return { input: (await workflows().input(runId, readOptions(request, context))).bytes };
    }),

    waitRun: guarded(async (request, context) => {
      const runId = runIdArgument(required(request.runId, "run_id"));
      const ended = await served().pollRun(runId, pollLimit(request.waitMs, context));
      return ended === undefined ? {} : { outcome: outcomeToWire(ended) };
    }),

    readStream: guardedStream(async function* (request, { signal }) {
      const { from, follow } = request;
      const runId = runIdArgument(required(request.runId, "run_id"));
      const stream = streamNameArgument(required(request.stream, "stream"));
      const first = from === undefined ? undefined : safeNumber(from, "from");
      const timeoutMs = follow ? Number.POSITIVE_INFINITY : defaultTimeoutMs;
      const limit = { timeoutMs, signal, isStale: isStale(request.consistency) };
      const pages = served().readStream({ runId, stream, from: first, follow }, limit);
      yield { chunks: [] };
      for await (const page of pages) yield { chunks: page.map(chunkToWire) };
    }),

    signalRun: guarded(async (request, context) => {
      const { name, signalId } = request;
      const payload = Payload.ofBytes(request.payload, `signal ${name}`);
      await workflows().signal(required(request.runId, "run_id"), required(name, "name"), payload, {
        ...options(request.timeoutMs, context),
        ...(signalId === "" ? {} : { signalId }),
      });
      return {};
    }),

    queryRun: guarded(async (request, context) => {
      const name = required(request.query, "query");
      const input = Payload.ofBytes(request.input, `the input of query ${name}`);
      const limit = {
        ...callLimit(request.timeoutMs, context, defaultTimeoutMs),
        isStale: isStale(request.consistency),
      };
      const runId = runIdArgument(required(request.runId, "run_id"));
      return { answer: (await served().queryRun({ runId, name: queryNameArgument(name), input }, limit)).bytes };
    }),

    readPending: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      const calls = await workflows().pending(runId, readOptions(request, context));
      return { calls: calls.map(pendingToWire) };
    }),

    updateRun: guarded(async (request, context) => {
      const update = updateOf(request, required(request.runId, "run_id"));
      return updateEndToWire(await served().updateRun(update, pollLimit(request.waitMs, context)));
    }),

    signalWithStart: guarded(async ({ start, signal, afterEnd }, context) => {
      if (start === undefined || signal === undefined) throw lacking(start === undefined ? "start" : "signal");
      const { workflow, input, options: given } = startOf(start);
      const { name, signalId } = signal;
      const payload = Payload.ofBytes(signal.payload, `signal ${name}`);
      const run = await workflows().signalWithStart(workflow, input, required(name, "name"), payload, {
        ...given,
        ...options(start.timeoutMs, context),
        runId: required(start.runId, "run_id"),
        ...(signalId === "" ? {} : { signalId }),
        ifFinished: afterEnd ? "start" : "refuse",
      });
      return { runId: run.runId, created: run.created === true };
    }),

    updateWithStart: guarded(async ({ start: given, update, afterEnd, isObject }, context) => {
      if (given === undefined || update === undefined) throw lacking(given === undefined ? "start" : "update");
      const runId = required(given.runId, "run_id");
      const { workflow, input, options: more } = startOf(given);
      const chosen = { uuid: () => runId, activeTrace: () => undefined };
      const start = await startRequest(workflow, input, more, chosen);
      const request = { start, update: updateOf(update, runId), afterEnd, isObject };
      return updateEndToWire(await served().updateWithStart(request, pollLimit(update.waitMs, context)));
    }),

    answerToken: guarded(async (request, context) => {
      const { failure } = request;
      const token = required(request.token, "token");
      const limit = options(request.timeoutMs, context);
      if (failure === undefined)
        await workflows().answer(token, Payload.ofBytes(request.value, "the answer to a token"), limit);
      else await workflows().fail(token, failureFromWire(failure), limit);
      return {};
    }),

    ...operationRoutes(served, defaultTimeoutMs),
  });
}

function startOf(request: StartRunRequest) {
  const { workflowType, version, versionPinned, input, runId, runTimeoutMs, trace, startId } = request;
  const { delayMs, startAtMs } = request;
  const type = required(workflowType, "workflow_type");
  return {
    workflow: version === 0 ? type : { type, version },
    input: Payload.ofBytes(input, `the input of ${type}`),
    options: {
      ...(runId === "" ? {} : { runId }),
      ...(versionPinned ? { version } : {}),
      ...(runTimeoutMs === 0n ? {} : { runTimeoutMs: safeNumber(runTimeoutMs, "run_timeout_ms") }),
      ...(delayMs === 0n ? {} : { delayMs: safeNumber(delayMs, "delay_ms") }),
      ...(startAtMs === 0n ? {} : { startAt: safeNumber(startAtMs, "start_at_ms") }),
      attributes: attributesFromWire(request.attributes),
      idPolicy: idPolicyFromWire(request.idPolicy),
      ...(startId === "" ? {} : { startId }),
      // The caller's, and not that of a span of this node.
      trace: traceFromWire(trace) ?? (false as const),
      ...queuedStartFromWire(request.queue),
    },
  };
}

function updateOf({ update, input, updateId, untilAccepted }: UpdateRunRequest, runId: string): UpdateRequest {
  const { name } = updateArgument(required(update, "update"));
  return {
    runId: runIdArgument(runId),
    name,
    input: Payload.ofBytes(input, `the input of update ${name}`),
    updateId: updateIdArgument(required(updateId, "update_id")) ?? updateId,
    until: untilAccepted ? "accepted" : "completed",
  };
}

function pageOf({ pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string }): PageOptions {
  return { ...(pageSize === 0 ? {} : { pageSize }), ...(pageToken === "" ? {} : { pageToken }) };
}
