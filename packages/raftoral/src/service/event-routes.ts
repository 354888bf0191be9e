/** raftoral.v1.EventService over the API of a node. It translates; what a read may be and what it gives, the API says. */
import type { ConnectRouter } from "@connectrpc/connect";
import { eventsArgument } from "../api/arguments.ts";
import { EventService } from "../gen/raftoral/v1/event_service_pb.ts";
import { eventToWire, eventTypesFromWire } from "../wire/event-messages.ts";
import { isStale } from "../wire/filter-messages.ts";
import { guardedStream } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerEventService(router: ConnectRouter, served: () => ServedNode, defaultTimeoutMs: number): void {
  router.service(EventService, {
    watchEvents: guardedStream(async function* (request, { signal }) {
      const { after, fromOldest, types, runId, workflowType, values, follow } = request;
      const checked = eventsArgument({
        ...(after === "" ? {} : { after }),
        from: fromOldest ? "oldest" : "now",
        ...eventTypesFromWire(types),
        ...(runId === "" ? {} : { runId }),
        ...(workflowType === "" ? {} : { workflowType }),
        values,
        follow,
      });
      const timeoutMs = follow ? Number.POSITIVE_INFINITY : defaultTimeoutMs;
      const pages = served().readEvents(checked, { timeoutMs, signal, isStale: isStale(request.consistency) });
      for await (const { events, next } of pages) yield { events: events.map(eventToWire), next };
    }),
  });
}
