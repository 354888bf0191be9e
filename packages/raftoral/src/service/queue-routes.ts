/** raftoral.v1.QueueService over the API of a node. It translates; what a call may be and what it does, the API says. */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { changed } from "../api/queues/changed.ts";
import { QueueService } from "../gen/raftoral/v1/queue_service_pb.ts";
import { consistencyFromWire } from "../wire/filter-messages.ts";
import { changeFromWire, queueToWire } from "../wire/queue-messages.ts";
import { callerName } from "./caller-name.ts";
import { callLimit, callOptions, guarded, required } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerQueueService(router: ConnectRouter, served: () => ServedNode, defaultTimeoutMs: number): void {
  const options = (requestedMs: number, context: HandlerContext) =>
    callOptions(callLimit(requestedMs, context, defaultTimeoutMs));
  const queues = () => served().workflows.queues;
  router.service(QueueService, {
    listQueues: guarded(async ({ name, timeoutMs, consistency }, context) => {
      const limit = { ...options(timeoutMs, context), ...consistencyFromWire(consistency) };
      const one = name === "" ? undefined : await queues().get(name, limit);
      const found = name === "" ? await queues().list(limit) : one === undefined ? [] : [one];
      return { queues: found.map(queueToWire) };
    }),

    changeQueue: guarded(async (request, context) => {
      const change = changeFromWire(request);
      const name = required(request.name, "name");
      const given = { ...options(request.timeoutMs, context), reason: request.reason };
      await changed(served().workflowsOf(callerName(context)).queues, name, change, given);
      return {};
    }),
  });
}
