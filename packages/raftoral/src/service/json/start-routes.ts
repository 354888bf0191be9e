/** Routes of the JSON API that start runs, and that answer what runs wait for. */
import { RaftoralError } from "@raftoral/raft-core";
import { NodeError } from "../../api/errors.ts";
import type { EndedRun } from "../../api/runs.ts";
import type { StartOptions } from "../../api/starts/start-options.ts";
import { callOptions, readOptions } from "./call-options.ts";
import { type Fields, type JsonCall, numberIn } from "./json-call.ts";
import { CHANGE_PARAMETERS, type JsonParameter, type JsonRoute, READ_PARAMETERS } from "./json-route.ts";

/** How long a request may wait for a run to end, in milliseconds. */
const MAX_WAIT_MS = 60_000;
const TYPE = { type: "The type of a workflow." };
const RUN = { runId: "The id of a run." };

/** A parameter of requests that wait. */
const WAIT_PARAMETER: JsonParameter = {
  name: "waitMs",
  what: "How long to wait for the end of the run, in milliseconds. The run goes on after that.",
  schema: { type: "integer", minimum: 0, maximum: MAX_WAIT_MS, default: 0 },
};

const START_FIELDS: readonly JsonParameter[] = [
  { name: "input", what: "The input of the run." },
  { name: "runId", what: "Starting twice with one id is one run. A UUID by default.", schema: { type: "string" } },
  { name: "version", what: "No other version will do. The newest by default.", schema: { type: "integer" } },
  { name: "attributes", what: "What the run is found by.", schema: { type: "object" } },
  { name: "runTimeoutMs", what: "How long the run may take, in milliseconds.", schema: { type: "integer" } },
  {
    name: "idPolicy",
    what: "What is done with a run that has the id.",
    schema: { type: "string", enum: ["use-existing", "reject", "replace-failed", "replace"] },
  },
  { name: "delayMs", what: "The run begins so much later.", schema: { type: "integer" } },
  { name: "startAt", what: "The run begins then, in ms since the epoch.", schema: { type: "integer" } },
  { name: "queue", what: "The queue in which the run waits for its turn.", schema: { type: "string" } },
  { name: "key", what: "Runs of one key share limits and turns.", schema: { type: "string" } },
  { name: "priority", what: "A higher number goes first.", schema: { type: "integer" } },
  { name: "dedupeKey", what: "A start with it gives the run that has not ended.", schema: { type: "string" } },
  { name: "debounceMs", what: "Later starts replace the input within this time.", schema: { type: "integer" } },
  { name: "startId", what: "Names the start, so that it may be sent again.", schema: { type: "string" } },
];

/** The routes. */
export const START_ROUTES: readonly JsonRoute[] = [
  {
    method: "POST",
    path: "workflows/{type}/runs",
    summary: "Starts a run, once per id. 201: it began now; 200: there was one.",
    segments: TYPE,
    query: [...CHANGE_PARAMETERS, WAIT_PARAMETER],
    body: START_FIELDS,
    answer: async (call) => {
      const { input, ...options } = call.body;
      const { type = "" } = call.path;
      const given = { ...startOptions(options), ...callOptions(call) };
      const run = await call.workflows.start(type, input, given);
      const { runId, created } = run;
      const waitMs = waitIn(call);
      const end = waitMs === 0 ? undefined : await endOf(call, runId, waitMs);
      const body = { runId, created, ...(end === undefined ? {} : { end }) };
      return { status: created === true ? 201 : 200, body };
    },
  },
  {
    method: "GET",
    path: "runs/{runId}/result",
    summary: "How the run has ended. 202: it has not.",
    segments: RUN,
    query: [WAIT_PARAMETER],
    answer: async (call) => {
      const { runId = "" } = call.path;
      const end = await endOf(call, runId, waitIn(call));
      return end === undefined ? { status: 202, body: { runId, status: "running" } } : { body: end };
    },
  },
  {
    method: "POST",
    path: "runs/{runId}/signals/{name}",
    summary: "Sends a signal, once per id.",
    segments: { ...RUN, name: "The name of the signal." },
    query: CHANGE_PARAMETERS,
    body: [
      { name: "payload", what: "What the signal carries." },
      { name: "signalId", what: "The same id again is taken once.", schema: { type: "string" } },
    ],
    answer: async (call) => {
      const { runId = "", name = "" } = call.path;
      const { payload, ...options } = call.body;
      await call.workflows.signal(runId, name, payload, { ...options, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "runs/{runId}/updates/{name}",
    summary: "Asks the run's body to do something, once per id, and gives its answer.",
    segments: { ...RUN, name: "The name of the update." },
    query: CHANGE_PARAMETERS,
    body: [
      { name: "input", what: "What the update is given." },
      { name: "id", what: "The same id again gives the same answer.", schema: { type: "string" } },
    ],
    answer: async (call) => {
      const { runId = "", name = "" } = call.path;
      const { input, ...options } = call.body;
      const answer = await call.workflows.update(runId, name, input, { ...options, ...callOptions(call) });
      return { body: { answer } };
    },
  },
  {
    method: "POST",
    path: "runs/{runId}/queries/{name}",
    summary: "Asks the run: what a read-only handler of its body answers.",
    segments: { ...RUN, name: "The name of the query." },
    query: READ_PARAMETERS,
    body: [{ name: "input", what: "What the query is given." }],
    answer: async (call) => {
      const { runId = "", name = "" } = call.path;
      return { body: { answer: await call.workflows.query(runId, name, call.body.input, readOptions(call)) } };
    },
  },
  {
    method: "POST",
    path: "tokens/{token}/answer",
    summary: "Answers a token that a run has given out.",
    segments: { token: "The token." },
    query: CHANGE_PARAMETERS,
    body: [{ name: "value", what: "The answer." }],
    answer: async (call) => {
      await call.workflows.answer(call.path.token ?? "", call.body.value, callOptions(call));
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "tokens/{token}/fail",
    summary: "Answers a token with a failure.",
    segments: { token: "The token." },
    query: CHANGE_PARAMETERS,
    body: [{ name: "failure", what: "A text, or name, message and code.", schema: {} }],
    answer: async (call) => {
      // What is no failure is refused by the API.
      await call.workflows.fail(call.path.token ?? "", call.body.failure as string, callOptions(call));
      return { body: {} };
    },
  },
];

/** What is no option of a start is refused by the API. */
function startOptions(fields: Fields): StartOptions {
  return fields as StartOptions;
}

/** Throws REQUEST_INVALID. */
function waitIn({ query }: JsonCall): number {
  const waitMs = numberIn(query, "waitMs") ?? 0;
  if (waitMs <= MAX_WAIT_MS) return waitMs;
  throw new NodeError(
    "REQUEST_INVALID",
    `Parameter waitMs is ${waitMs}; it must be at most ${MAX_WAIT_MS}. Ask again.`,
  );
}

/** How a run has ended; undefined when it has not within this time. */
async function endOf({ workflows, signal }: JsonCall, runId: string, waitMs: number): Promise<EndedRun | undefined> {
  try {
    return await workflows.wait(runId, { timeoutMs: waitMs, signal });
  } catch (error) {
    if (error instanceof RaftoralError && error.code === "DEADLINE_EXCEEDED") return undefined;
    throw error;
  }
}
