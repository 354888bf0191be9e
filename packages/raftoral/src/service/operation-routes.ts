/** What operators ask of raftoral.v1.WorkflowService: each call in the name that the caller's certificate has. */
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { runIdArgument, variableNameArgument } from "../api/arguments.ts";
import type { ReadOptions } from "../api/call-options.ts";
import { filterArgument } from "../api/finding/run-filter.ts";
import { mended } from "../api/mending/mended.ts";
import { mendRequest } from "../api/mending/mending-arguments.ts";
import { Payload } from "../api/payloads/payload.ts";
import type { Consistency } from "../gen/raftoral/v1/run_pb.ts";
import type { ListRunsRequest } from "../gen/raftoral/v1/run_reads_pb.ts";
import type { WorkflowService } from "../gen/raftoral/v1/workflow_service_pb.ts";
import { consistencyFromWire, filterFromWire } from "../wire/filter-messages.ts";
import { actionFromWire } from "../wire/mend-messages.ts";
import { auditToWire, bulkActionFromWire, pausedTypeToWire } from "../wire/operation-messages.ts";
import { callerName } from "./caller-name.ts";
import { callLimit, callOptions, guarded, lacking, pollLimit, required } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** The calls that are an operator's. */
type OperationRoutes = Pick<
  ServiceImpl<typeof WorkflowService>,
  | "cancelRun"
  | "resumeRun"
  | "mendRun"
  | "forkRun"
  | "deleteRun"
  | "setVariable"
  | "pauseType"
  | "listPausedTypes"
  | "mendRuns"
  | "readAudit"
>;

const DEFAULT_PIECE = 32;

/** The routes over a node. `served` throws while there is none. */
export function operationRoutes(served: () => ServedNode, defaultTimeoutMs: number): OperationRoutes {
  const options = (requestedMs: number, context: HandlerContext) =>
    callOptions(callLimit(requestedMs, context, defaultTimeoutMs));
  const reasoned = (
    { timeoutMs, reason }: { readonly timeoutMs: number; readonly reason: string },
    context: HandlerContext,
  ) => {
    return { ...options(timeoutMs, context), ...(reason === "" ? {} : { reason }) };
  };
  const readOptions = (
    { timeoutMs, consistency }: { readonly timeoutMs: number; readonly consistency: Consistency },
    context: HandlerContext,
  ): ReadOptions => ({ ...options(timeoutMs, context), ...consistencyFromWire(consistency) });
  const workflows = (context: HandlerContext) => served().workflowsOf(callerName(context));
  return {
    resumeRun: guarded(async (request, context) => {
      await workflows(context).resume(required(request.runId, "run_id"), reasoned(request, context));
      return {};
    }),

    mendRun: guarded(async (request, context) => {
      const { reason, requestId } = request;
      const action = actionFromWire(request.action);
      const runId = required(request.runId, "run_id");
      const given = {
        ...options(request.timeoutMs, context),
        ...(reason === "" ? {} : { reason }),
        ...(requestId === "" ? {} : { requestId }),
      };
      await mended(workflows(context), runId, action, given);
      return {};
    }),

    forkRun: guarded(async (request, context) => {
      const { forkId, from, input, reason, requestId } = request;
      const runId = required(request.runId, "run_id");
      const run = await workflows(context).fork(runId, {
        ...options(request.timeoutMs, context),
        ...(forkId === "" ? {} : { runId: forkId }),
        ...(from === "" ? {} : { from }),
        ...(input === undefined ? {} : { input: Payload.ofBytes(input, `the input of a fork of run ${runId}`) }),
        ...(reason === "" ? {} : { reason }),
        ...(requestId === "" ? {} : { requestId }),
      });
      return { forkId: run.runId };
    }),

    deleteRun: guarded(async (request, context) => {
      const runId = required(request.runId, "run_id");
      const { deleted, position } = await workflows(context).delete(runId, reasoned(request, context));
      return { deleted, position: BigInt(position) };
    }),

    cancelRun: guarded(async (request, context) => {
      const { reason } = request;
      await workflows(context).cancel(required(request.runId, "run_id"), {
        ...options(request.timeoutMs, context),
        ...(reason === undefined ? {} : { reason }),
      });
      return {};
    }),

    setVariable: guarded(async (request, context) => {
      const { reason, requestId } = request;
      const variable = variableNameArgument(required(request.variable, "variable"), undefined);
      const value = Payload.ofBytes(request.value, `variable ${variable}`);
      const runId = runIdArgument(required(request.runId, "run_id"));
      const asked = { runId, variable, value, reason, requestId: required(requestId, "request_id") };
      const operations = served().operationsOf(callerName(context));
      return { isSet: await operations.setVariable(asked, pollLimit(request.waitMs, context)) };
    }),

    pauseType: guarded(async (request, context) => {
      const type = required(request.workflowType, "workflow_type");
      const given = reasoned(request, context);
      if (request.isPaused) await workflows(context).pauseType(type, given);
      else await workflows(context).resumeType(type, given);
      return {};
    }),

    listPausedTypes: guarded(async (request, context) => {
      return { types: (await served().workflows.pausedTypes(readOptions(request, context))).map(pausedTypeToWire) };
    }),

    mendRuns: guarded(async (request, context) => {
      const { filter, dryRun: isDry, pageSize, pageToken, reason, requestId } = request;
      if (filter === undefined) throw lacking("filter");
      const action = bulkActionFromWire(required(request.action, "action"));
      const named = { requestId: required(requestId, "request_id"), ...(reason === "" ? {} : { reason }) };
      const asked = mendRequest(
        "any",
        named,
        () => ({ kind: "terminate" }),
        () => requestId,
      );
      const page = {
        pageSize: pageSize === 0 ? DEFAULT_PIECE : pageSize,
        pageToken: pageToken === "" ? undefined : pageToken,
      };
      const bulk = {
        filter: bulkFilter(filter),
        action,
        isDry,
        page,
        reason: asked.reason,
        requestId: asked.requestId,
      };
      const limit = callLimit(request.timeoutMs, context, defaultTimeoutMs);
      const { runs, position = "" } = await served().operationsOf(callerName(context)).mendPiece(bulk, limit);
      return { runs: [...runs], nextPageToken: position };
    }),

    readAudit: guarded(async (request, context) => {
      const { subject, by, pageSize, pageToken } = request;
      const { entries, nextPageToken = "" } = await served().workflows.auditPage({
        ...readOptions(request, context),
        ...(subject === "" ? {} : { subject }),
        ...(by === "" ? {} : { by }),
        ...(pageSize === 0 ? {} : { pageSize }),
        ...(pageToken === "" ? {} : { pageToken }),
      });
      return { entries: entries.map(auditToWire), nextPageToken };
    }),
  };
}

/** By creation, whatever the request asks for: what is done to a run does not change its place. */
function bulkFilter(filter: ListRunsRequest) {
  return { ...filterArgument(filterFromWire(filter)), sort: "created", isAscending: false } as const;
}
