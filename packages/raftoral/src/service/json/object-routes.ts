/** Routes of the JSON API to virtual objects. */
import { callOptions, readOptions } from "./call-options.ts";
import type { JsonCall } from "./json-call.ts";
import { CHANGE_PARAMETERS, type JsonRoute, READ_PARAMETERS } from "./json-route.ts";

const OBJECT = { type: "The type of the object.", key: "The object's key." };

/** The routes. */
export const OBJECT_ROUTES: readonly JsonRoute[] = [
  {
    method: "POST",
    path: "objects/{type}/{key}/{handler}",
    summary: "Calls a handler of an object, once per id, and gives its answer.",
    segments: { ...OBJECT, handler: "The name of the handler." },
    query: CHANGE_PARAMETERS,
    body: [
      { name: "input", what: "What the handler is given." },
      { name: "id", what: "The same id again gives the same answer.", schema: { type: "string" } },
    ],
    answer: async (call) => {
      const { input, ...options } = call.body;
      // What is no handler is refused by the object.
      const handler = call.path.handler as never;
      const args = [input, { ...options, ...callOptions(call) }] as unknown as [never];
      const answer: unknown = await objectOf(call).call(handler, ...args);
      return { body: { answer } };
    },
  },
  {
    method: "GET",
    path: "objects/{type}/{key}",
    summary: "The state of an object.",
    segments: OBJECT,
    query: READ_PARAMETERS,
    answer: async (call) => ({ body: { state: await objectOf(call).state(readOptions(call)) } }),
  },
];

function objectOf({ workflows, path }: JsonCall) {
  return workflows.object(path.type ?? "", path.key ?? "");
}
