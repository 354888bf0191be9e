/** Routes of the JSON API that read. */
import type { ClusterRunEventType } from "../../api/events.ts";
import { consistencyIn, filterIn, pageOptions, readOptions } from "./call-options.ts";
import { numberIn, textIn, truthIn } from "./json-call.ts";
import { CONSISTENCY, type JsonParameter, type JsonRoute, PAGE_PARAMETERS, READ_PARAMETERS } from "./json-route.ts";

const RUN = { runId: "The id of a run." };
const TEXT = { type: "string" } as const;
const MS = { type: "integer" } as const;

/** Conditions on runs. */
export const FILTERS: readonly JsonParameter[] = [
  { name: "type", what: "Only runs of this workflow.", schema: TEXT },
  { name: "status", what: "Only runs of these statuses.", schema: { type: "array", items: TEXT } },
  {
    name: "owner",
    what: "Only runs that this node executes; 0 for those that none does.",
    schema: { type: "integer" },
  },
  { name: "parent", what: "Only children of this run.", schema: TEXT },
  { name: "idPrefix", what: "Only runs whose ids begin with this.", schema: TEXT },
  { name: "queue", what: "Only runs that were started in this queue.", schema: TEXT },
  {
    name: "attribute.NAME",
    what: "Only runs whose attribute NAME has one of these values.",
    schema: { type: "array" },
  },
  { name: "createdFromMs", what: "Only runs created at this time or later.", schema: MS },
  { name: "createdBeforeMs", what: "Only runs created before this time.", schema: MS },
  { name: "endedFromMs", what: "Only runs that ended at this time or later.", schema: MS },
  { name: "endedBeforeMs", what: "Only runs that ended before this time.", schema: MS },
  { name: "sort", what: "What the order goes by.", schema: { ...TEXT, enum: ["created", "ended"] } },
  { name: "order", what: "The latest first by default.", schema: { ...TEXT, enum: ["descending", "ascending"] } },
];

/** The routes. */
export const READ_ROUTES: readonly JsonRoute[] = [
  {
    method: "GET",
    path: "runs",
    summary: "Runs that fit conditions, in pages.",
    query: [...FILTERS, ...PAGE_PARAMETERS],
    answer: async (call) => ({ body: await call.workflows.listPage(filterIn(call), pageOptions(call)) }),
  },
  {
    method: "GET",
    path: "counts",
    summary: "How many runs there are of each type and status.",
    query: READ_PARAMETERS,
    answer: async (call) => ({ body: { counts: await call.workflows.counts(readOptions(call)) } }),
  },
  {
    method: "GET",
    path: "runs/{runId}",
    summary: "Everything about a run but its payloads and its history.",
    segments: RUN,
    query: READ_PARAMETERS,
    answer: async (call) => ({ body: await call.workflows.describe(call.path.runId ?? "", readOptions(call)) }),
  },
  {
    method: "GET",
    path: "runs/{runId}/input",
    summary: "What a run was started with.",
    segments: RUN,
    query: READ_PARAMETERS,
    answer: async (call) => {
      return { body: { input: await call.workflows.input(call.path.runId ?? "", readOptions(call)) } };
    },
  },
  {
    method: "GET",
    path: "runs/{runId}/history",
    summary: "A run's records, in pages, in the order in which they were committed.",
    segments: RUN,
    query: PAGE_PARAMETERS,
    answer: async (call) => {
      return { body: await call.workflows.historyPage(call.path.runId ?? "", pageOptions(call)) };
    },
  },
  {
    method: "GET",
    path: "runs/{runId}/variables",
    summary: "A run's variables, in pages.",
    segments: RUN,
    query: [{ name: "name", what: "Only this one.", schema: TEXT }, ...PAGE_PARAMETERS],
    answer: async (call) => {
      const options = { ...pageOptions(call), ...textIn(call.query, "name") };
      return { body: await call.workflows.variablesPage(call.path.runId ?? "", options) };
    },
  },
  {
    method: "GET",
    path: "runs/{runId}/pending",
    summary: "What a run's body waits for.",
    segments: RUN,
    query: READ_PARAMETERS,
    answer: async (call) => {
      return { body: { calls: await call.workflows.pending(call.path.runId ?? "", readOptions(call)) } };
    },
  },
  {
    method: "GET",
    path: "runs/{runId}/streams/{stream}",
    summary:
      "Chunks of a stream, as server-sent events whose ids are offsets. A reader that comes back with Last-Event-ID goes on after it.",
    segments: { ...RUN, stream: "The name of the stream." },
    query: [
      { name: "from", what: "Offset of the first chunk. The first one that is kept by default.", schema: MS },
      { name: "follow", what: "Whether to wait for further chunks.", schema: { type: "boolean", default: true } },
      CONSISTENCY,
    ],
    answer: async ({ workflows, path, query, signal, lastEventId }) => {
      const { runId = "", stream = "" } = path;
      const from = lastEventId === undefined ? numberIn(query, "from") : Number(lastEventId) + 1;
      const follow = truthIn(query, "follow");
      const limit = { signal, ...consistencyIn({ query }) };
      const options = {
        ...limit,
        ...(from === undefined ? {} : { from }),
        ...(follow === undefined ? {} : { follow }),
      };
      // A run that does not exist has a status, and not an event.
      await workflows.describe(runId, limit);
      return { events: chunks(workflows.stream(runId, stream, options)) };
    },
  },
  {
    method: "GET",
    path: "events",
    summary:
      "What happens to the runs of the cluster, as server-sent events whose ids are positions. A reader that comes back with Last-Event-ID goes on after it, on any node.",
    query: [
      { name: "types", what: "Only these types of events.", schema: { type: "array", items: TEXT } },
      { name: "runId", what: "Only events of this run.", schema: TEXT },
      { name: "workflowType", what: "Only events of runs of this workflow.", schema: TEXT },
      { name: "after", what: "Position of the event after which to begin.", schema: TEXT },
      { name: "from", what: "Where to begin without a position.", schema: { ...TEXT, enum: ["now", "oldest"] } },
      { name: "values", what: "Whether payloads come along.", schema: { type: "boolean", default: false } },
      { name: "follow", what: "Whether to wait for further events.", schema: { type: "boolean", default: true } },
      CONSISTENCY,
    ],
    answer: async ({ workflows, query, signal, lastEventId }) => {
      const types = query.getAll("types") as Exclude<ClusterRunEventType, "events-missed">[];
      const [values, follow] = [truthIn(query, "values"), truthIn(query, "follow")];
      const after = lastEventId === undefined ? textIn(query, "after") : { after: lastEventId };
      const events = workflows.events({
        signal,
        ...consistencyIn({ query }),
        ...after,
        ...textIn(query, "runId"),
        ...textIn(query, "workflowType"),
        // Another text is refused by the API.
        ...(textIn(query, "from") as { readonly from?: "now" }),
        ...(types.length === 0 ? {} : { types }),
        ...(values === undefined ? {} : { values }),
        ...(follow === undefined ? {} : { follow }),
      });
      return { events: positioned(events) };
    },
  },
  {
    method: "GET",
    path: "cluster",
    summary: "This node's view of its cluster: members, leader, and what the node has applied.",
    answer: async ({ node }) => ({ body: await node.cluster.status() }),
  },
];

async function* chunks(from: AsyncIterable<{ readonly offset: number; readonly value: unknown }>) {
  for await (const chunk of from) yield { id: String(chunk.offset), data: chunk };
}

async function* positioned<Event extends { readonly position: string }>(from: AsyncIterable<Event>) {
  for await (const event of from) yield { id: event.position, data: event };
}
