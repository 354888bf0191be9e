/** Routes of the JSON API to queues. What the fields may be, the API says. */
import { NodeError } from "../../api/errors.ts";
import { callOptions, deleteOptions, readOptions } from "./call-options.ts";
import { CHANGE_PARAMETERS, DELETE_PARAMETERS, type JsonRoute, READ_PARAMETERS, REASON } from "./json-route.ts";

const QUEUE = { queue: "The name of a queue." };
const COUNT = { type: "integer", minimum: 1 } as const;

/** The routes. */
export const QUEUE_ROUTES: readonly JsonRoute[] = [
  {
    method: "GET",
    path: "queues",
    summary: "All queues.",
    query: READ_PARAMETERS,
    answer: async (call) => ({ body: { queues: await call.workflows.queues.list(readOptions(call)) } }),
  },
  {
    method: "GET",
    path: "queues/{queue}",
    summary: "A queue: its limits, what waits and what runs.",
    segments: QUEUE,
    query: READ_PARAMETERS,
    answer: async (call) => {
      const { queue = "" } = call.path;
      const found = await call.workflows.queues.get(queue, readOptions(call));
      if (found !== undefined) return { body: found };
      const text = `There is no queue ${queue.slice(0, 200)}. GET /v1/queues lists those that there are.`;
      throw new NodeError("REQUEST_INVALID", text, { details: { queue } });
    },
  },
  {
    method: "POST",
    path: "queues/{queue}",
    summary: "Defines a queue, or gives it other limits. What is left out has no limit.",
    segments: QUEUE,
    query: CHANGE_PARAMETERS,
    body: [
      { name: "concurrency", what: "Runs at once.", schema: COUNT },
      { name: "perKey", what: "Runs of one key at once.", schema: COUNT },
      { name: "perNode", what: "Runs on one node at once.", schema: COUNT },
      { name: "rate", what: "`limit` runs begin in `periodMs`.", schema: { type: "object" } },
      REASON,
    ],
    answer: async (call) => {
      const { reason, ...limits } = call.body;
      await call.workflows.queues.define(call.path.queue ?? "", limits, { ...callOptions(call), ...reasonOf(reason) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "queues/{queue}/pause",
    summary: "Lets no further run of a queue begin.",
    segments: QUEUE,
    query: CHANGE_PARAMETERS,
    body: [REASON],
    answer: async (call) => {
      await call.workflows.queues.pause(call.path.queue ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "queues/{queue}/resume",
    summary: "Lets a paused queue go on.",
    segments: QUEUE,
    query: CHANGE_PARAMETERS,
    body: [REASON],
    answer: async (call) => {
      await call.workflows.queues.resume(call.path.queue ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "DELETE",
    path: "queues/{queue}",
    summary: "Deletes a queue in which nothing waits or runs.",
    segments: QUEUE,
    query: DELETE_PARAMETERS,
    answer: async (call) => {
      await call.workflows.queues.delete(call.path.queue ?? "", deleteOptions(call));
      return { body: {} };
    },
  },
];

/** Another value than a text is refused by the API. */
function reasonOf(reason: unknown): { readonly reason?: string } {
  return reason === undefined ? {} : { reason: reason as string };
}
