/** Routes of the JSON API to what operators do to types and to many runs, and to the audit. What the fields may be, the API says. */
import type { BulkAction } from "../../api/operations/operations.ts";
import { callOptions, filterIn, pageOptions, readOptions } from "./call-options.ts";
import { type JsonCall, textIn } from "./json-call.ts";
import {
  CHANGE_PARAMETERS,
  type JsonParameter,
  type JsonRoute,
  PAGE_PARAMETERS,
  READ_PARAMETERS,
  REASON,
} from "./json-route.ts";
import { FILTERS } from "./read-routes.ts";

const TEXT = { type: "string" } as const;
const TYPE = { type: "The name of a workflow type." };
const REQUEST_ID: JsonParameter = { name: "requestId", what: "The same request again is done once.", schema: TEXT };

/** The routes. */
export const OPERATOR_ROUTES: readonly JsonRoute[] = [
  {
    method: "GET",
    path: "audit",
    summary: "Who has changed what, when and why: the latest first, in pages.",
    query: [
      { name: "subject", what: "Only what was done to this run, type, queue, schedule or node.", schema: TEXT },
      { name: "by", what: "Only what this caller did.", schema: TEXT },
      ...PAGE_PARAMETERS,
    ],
    answer: async (call) => {
      const which = { ...textIn(call.query, "subject"), ...textIn(call.query, "by") };
      return { body: await call.workflows.auditPage({ ...which, ...pageOptions(call) }) };
    },
  },
  {
    method: "GET",
    path: "paused-types",
    summary: "The workflow types that are paused, since when, by whom and why.",
    query: READ_PARAMETERS,
    answer: async (call) => ({ body: { types: await call.workflows.pausedTypes(readOptions(call)) } }),
  },
  {
    method: "POST",
    path: "workflows/{type}/pause",
    summary: "Pauses all runs of a type, also those that are started later.",
    segments: TYPE,
    query: CHANGE_PARAMETERS,
    body: [REASON],
    answer: async (call) => {
      await call.workflows.pauseType(call.path.type ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "workflows/{type}/resume",
    summary: "Lets the runs of a paused type go on.",
    segments: TYPE,
    query: CHANGE_PARAMETERS,
    body: [REASON],
    answer: async (call) => {
      await call.workflows.resumeType(call.path.type ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "runs/{runId}/variables/{name}",
    summary: "Sets a variable of a run that goes on.",
    segments: { runId: "The id of a run.", name: "The name of a variable, percent-encoded." },
    query: CHANGE_PARAMETERS,
    body: [{ name: "value", what: "Its new value." }, REASON, REQUEST_ID],
    answer: async (call) => {
      const { runId = "", name = "" } = call.path;
      const { value, ...options } = call.body;
      await call.workflows.setVariable(runId, name, value, { ...options, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "mend/{action}",
    summary:
      "Does one thing to a piece of the runs that fit. `position` of the answer, sent again, goes on; without it all is done.",
    segments: { action: "cancel, terminate, retry, pause, resume or delete." },
    query: [...FILTERS, ...CHANGE_PARAMETERS],
    body: [
      { name: "dryRun", what: "Changes nothing, and names the runs that fit.", schema: { type: "boolean" } },
      { name: "pieceSize", what: "Runs of a piece at most.", schema: { type: "integer", minimum: 1 } },
      { name: "position", what: "Of the last piece.", schema: TEXT },
      REASON,
      REQUEST_ID,
    ],
    answer: async (call) => ({ body: await firstPiece(call) }),
  },
];

async function firstPiece(call: JsonCall) {
  const options = { ...call.body, ...callOptions(call) };
  for await (const piece of call.workflows.mendAll(filterIn(call), call.path.action as BulkAction, options))
    return piece;
  return { runs: [] };
}
