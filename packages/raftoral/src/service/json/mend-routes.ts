/** Routes of the JSON API by which operators act on runs. */
import { callOptions, deleteOptions } from "./call-options.ts";
import type { Fields, JsonCall } from "./json-call.ts";
import { CHANGE_PARAMETERS, DELETE_PARAMETERS, type JsonParameter, type JsonRoute, REASON } from "./json-route.ts";

const RUN = { runId: "The id of a run." };
const REQUEST_ID: JsonParameter = {
  name: "requestId",
  what: "The same request again is done once.",
  schema: { type: "string" },
};
const FROM: JsonParameter = {
  name: "from",
  what: "The step to go on from: a path as the history shows it. The failure by default.",
  schema: { type: "string" },
};

/** The routes. */
export const MEND_ROUTES: readonly JsonRoute[] = [
  action("cancel", "Asks a run to end as cancelled; its body cleans up.", [REASON], ({ workflows, path }, options) =>
    workflows.cancel(path.runId ?? "", options),
  ),
  action("resume", "Lets a stuck or paused run go on.", [REASON], ({ workflows, path }, options) =>
    workflows.resume(path.runId ?? "", options),
  ),
  action(
    "pause",
    "Pauses a run.",
    [REASON, REQUEST_ID, { name: "now", what: "Aborts steps under way.", schema: { type: "boolean" } }],
    ({ workflows, path }, options) => workflows.pause(path.runId ?? "", options),
  ),
  action(
    "terminate",
    "Ends a run now, as failed, without its body.",
    [REASON, REQUEST_ID],
    ({ workflows, path }, options) => workflows.terminate(path.runId ?? "", options),
  ),
  action("retry", "Lets a failed or cancelled run go on.", [FROM, REASON, REQUEST_ID], ({ workflows, path }, options) =>
    workflows.retry(path.runId ?? "", options),
  ),
  {
    method: "POST",
    path: "runs/{runId}/fork",
    summary: "Starts another run with the first part of this one's record.",
    segments: RUN,
    query: CHANGE_PARAMETERS,
    body: [
      { name: "runId", what: "Id of the new run. A UUID by default.", schema: { type: "string" } },
      { name: "input", what: "In the place of the run's input." },
      FROM,
      REASON,
      REQUEST_ID,
    ],
    answer: async (call) => {
      const fork = await call.workflows.fork(call.path.runId ?? "", { ...call.body, ...callOptions(call) });
      return { status: 201, body: { runId: fork.runId } };
    },
  },
  {
    method: "POST",
    path: "runs/{runId}/steps/{step}/complete",
    summary: "Answers a step in the place of its function, with a value or without one.",
    segments: { ...RUN, step: "The path of the step, percent-encoded." },
    query: CHANGE_PARAMETERS,
    body: [{ name: "value", what: "The step's result." }, REASON, REQUEST_ID],
    answer: async (call) => {
      const { runId = "", step = "" } = call.path;
      const { value, ...options } = call.body;
      await call.workflows.completeStep(runId, step, value, { ...options, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "DELETE",
    path: "runs/{runId}",
    summary: "Drops a run that has ended, with its history.",
    segments: RUN,
    query: DELETE_PARAMETERS,
    answer: async (call) => {
      const { deleted, position } = await call.workflows.delete(call.path.runId ?? "", deleteOptions(call));
      return { body: { deleted, position } };
    },
  },
];

/** A route that does one thing to a run and says nothing but that it is done. What the fields may be, the API says. */
function action(
  name: string,
  summary: string,
  body: readonly JsonParameter[],
  act: (call: JsonCall, options: Fields) => Promise<unknown>,
): JsonRoute {
  return {
    method: "POST",
    path: `runs/{runId}/${name}`,
    summary,
    segments: RUN,
    query: CHANGE_PARAMETERS,
    body,
    answer: async (call) => {
      await act(call, { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  };
}
