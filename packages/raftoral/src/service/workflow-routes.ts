/**
 * raftoral.v1.WorkflowService: checks requests, calls the node, answers. Knows nothing of Raft.
 */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { RunFilter } from "../client/run-info.ts";
import { NodeError } from "../errors.ts";
import { WorkflowService } from "../gen/raftoral/v1/workflow_service_pb.ts";
import { decodeJson } from "../json.ts";
import { callTimeout, guarded, required } from "./calls.ts";
import { runToWire, stateFromWire, summaryToWire } from "./messages.ts";
import type { ServedNode } from "./served-node.ts";

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;
const MAX_WAIT_MS = 60_000;
/** What the state gives as the beginning of a next page. */
const PAGE_TOKEN = /^\d{0,16}$/;

export function registerWorkflowService(
  router: ConnectRouter,
  served: () => ServedNode,
  defaultTimeoutMs: number,
): void {
  const timeout = (requested: number, context: HandlerContext) => callTimeout(requested, context, defaultTimeoutMs);
  router.service(WorkflowService, {
    startWorkflow: guarded(async (request, context) => {
      const { id, created } = await served().start(
        {
          type: required(request.workflowType, "workflow_type"),
          version: request.version,
          input: decodeJson(request.input, "The input"),
          id: request.workflowId === "" ? undefined : request.workflowId,
        },
        timeout(request.timeoutMs, context),
      );
      return { workflowId: id, created };
    }),

    getRun: guarded(async (request, context) => {
      const id = required(request.workflowId, "workflow_id");
      return { run: runToWire(await served().getRun(id, timeout(request.timeoutMs, context))) };
    }),

    listRuns: guarded(async (request, context) => {
      const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
      if (pageSize > MAX_PAGE_SIZE) {
        throw new NodeError("REQUEST_INVALID", `page_size is ${pageSize}; it may be ${MAX_PAGE_SIZE} at most.`);
      }
      if (!PAGE_TOKEN.test(request.pageToken)) {
        throw new NodeError("REQUEST_INVALID", "page_token is none that a node gave; leave it out for the first page.");
      }
      const status = stateFromWire(request.state);
      const filter: RunFilter = {
        ...(status === undefined ? {} : { status }),
        ...(request.workflowType === "" ? {} : { workflowType: request.workflowType }),
      };
      const page = await served().listPage(filter, pageSize, request.pageToken, timeout(request.timeoutMs, context));
      return { runs: page.runs.map(summaryToWire), nextPageToken: page.next ?? "" };
    }),

    signalRun: guarded(async (request, context) => {
      await served().signalRun(
        required(request.workflowId, "workflow_id"),
        required(request.name, "name"),
        decodeJson(request.payload, "The payload"),
        request.signalId === "" ? undefined : request.signalId,
        timeout(request.timeoutMs, context),
      );
      return {};
    }),

    cancelRun: guarded(async (request, context) => {
      const id = required(request.workflowId, "workflow_id");
      await served().cancelRun(id, request.reason, timeout(request.timeoutMs, context));
      return {};
    }),

    waitRun: guarded(async (request, context) => {
      const id = required(request.workflowId, "workflow_id");
      const timeoutMs = Math.min(request.waitMs, MAX_WAIT_MS);
      return { run: runToWire(await served().awaitRun(id, { timeoutMs }, context.signal)) };
    }),
  });
}
