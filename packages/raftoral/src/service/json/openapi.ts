/** The description of the JSON API for programs: OpenAPI 3.1, made of the routes. */
import type { JsonParameter, JsonRoute } from "./json-route.ts";

const ANYTHING = {} as const;

/** The document. `version`: of Raftoral. */
export function openApi(routes: readonly JsonRoute[], version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/v1/${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Raftoral", version, description: "Runs of durable workflows. Every node answers alike." },
    paths,
    components: {
      schemas: {
        Error: {
          type: "object",
          required: ["code", "message", "retryable"],
          properties: {
            code: { type: "string", description: "As docs/errors.md lists them." },
            message: { type: "string" },
            retryable: { type: "boolean", description: "Whether the same call may succeed later." },
            details: { type: "object" },
          },
        },
      },
    },
  };
}

function operationOf({ method, path, summary, segments = {}, query = [], body }: JsonRoute) {
  const words = path.split("/").map((part) => part.replace(/[{}]/g, ""));
  return {
    operationId: [method.toLowerCase(), ...words].join("_"),
    summary,
    parameters: [
      ...Object.entries(segments).map(([name, description]) => ({
        name,
        in: "path",
        required: true,
        description,
        schema: { type: "string" },
      })),
      ...query.map(({ name, what, schema = ANYTHING }) => ({ name, in: "query", description: what, schema })),
    ],
    ...(body === undefined ? {} : { requestBody: { content: { "application/json": { schema: objectSchema(body) } } } }),
    responses: {
      "2XX": { description: "Done.", content: { "application/json": { schema: { type: "object" } } } },
      default: {
        description: "A failure.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function objectSchema(fields: readonly JsonParameter[]) {
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      fields.map(({ name, what, schema = ANYTHING }) => [name, { ...schema, description: what }]),
    ),
  };
}
