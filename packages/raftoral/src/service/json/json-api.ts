/**
 * The API of a node as plain HTTP with JSON: for people with `curl`, programs of any language, and pages.
 *
 * Role: finds the route, reads the request, shows the answer. What a call may be and what it does, the API says; inputs and results are JSON values here.
 *
 * Invariants:
 * JA1. Every failure is a JSON object with a code of docs/errors.md, and an HTTP status that follows from the code.
 * JA2. An answer in pieces ends with an event `error` where it fails, so that a reader tells that from its end.
 */
import { Code } from "@connectrpc/connect";
import { RaftoralError } from "@raftoral/raft-core";
import type { Caller } from "@raftoral/transport-grpc";
import { NodeError } from "../../api/errors.ts";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import { grpcStatusOf } from "../../wire/grpc-status.ts";
import { nameOf } from "../caller-name.ts";
import type { ServedNode } from "../served-node.ts";
import { bodyOf, type JsonCall } from "./json-call.ts";
import type { JsonAnswer, JsonEvents, JsonRoute } from "./json-route.ts";
import { LOCK_ROUTES } from "./lock-routes.ts";
import { MEND_ROUTES } from "./mend-routes.ts";
import { OBJECT_ROUTES } from "./object-routes.ts";
import { openApi } from "./openapi.ts";
import { OPERATOR_ROUTES } from "./operator-routes.ts";
import { QUEUE_ROUTES } from "./queue-routes.ts";
import { READ_ROUTES } from "./read-routes.ts";
import { SCHEDULE_ROUTES } from "./schedule-routes.ts";
import { START_ROUTES } from "./start-routes.ts";

/** Every route. */
export const JSON_ROUTES: readonly JsonRoute[] = [
  ...START_ROUTES,
  ...READ_ROUTES,
  ...MEND_ROUTES,
  ...OPERATOR_ROUTES,
  ...OBJECT_ROUTES,
  ...SCHEDULE_ROUTES,
  ...QUEUE_ROUTES,
  ...LOCK_ROUTES,
];

/** HTTP statuses by those of gRPC, as google.rpc.Code has them. */
const HTTP_STATUS: Readonly<Partial<Record<Code, number>>> = {
  [Code.Canceled]: 499,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 409,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Unavailable]: 503,
  [Code.Unauthenticated]: 401,
};
const SEGMENT = /^\{(\w+)\}$/;

/** What a {@link JsonApi} is made of. */
export interface JsonApiOptions {
  /** Gives the node, and throws while there is none. */
  readonly served: () => ServedNode;
  /** Whether the node takes calls: it has its place, and knows a leader. */
  readonly isReady: () => boolean;
  /** Largest body of a request, in bytes. */
  readonly maxRequestBytes: number;
  /** Of Raftoral. */
  readonly version: string;
}

/** The JSON API of one node (JA1, JA2). */
export class JsonApi {
  readonly #options: JsonApiOptions;
  #openApi: string | undefined;

  constructor(options: JsonApiOptions) {
    this.#options = options;
  }

  /** Answers a request; undefined for a path that is not of this API. Never rejects. */
  readonly answer = async (request: Request, caller: Caller): Promise<Response | undefined> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/healthz") return json(200, { status: "alive" });
    if (pathname === "/readyz") return this.#ready();
    if (pathname === "/openapi.json") return this.#description();
    const segments = pathname.split("/").slice(1);
    if (segments.shift() !== "v1") return undefined;
    try {
      const found = routeFor(request.method, segments);
      if (found === undefined) return json(404, shown(unknownPath(pathname)));
      if (found === "other-method") return json(405, shown(otherMethod(request.method, pathname)));
      const known = (found.route.body ?? []).map(({ name }) => name);
      const node = this.#options.served();
      const call: JsonCall = {
        node,
        workflows: node.clearWorkflowsOf(nameOf(caller)),
        path: found.path,
        query: searchParams,
        body: await bodyOf(request, known, this.#options.maxRequestBytes),
        signal: request.signal,
        lastEventId: request.headers.get("last-event-id") ?? undefined,
      };
      return responseOf(await found.route.answer(call));
    } catch (error) {
      return failed(error);
    }
  };

  #ready(): Response {
    return this.#options.isReady() ? json(200, { status: "ready" }) : json(503, { status: "not ready" });
  }

  #description(): Response {
    this.#openApi ??= JSON.stringify(openApi(JSON_ROUTES, this.#options.version));
    return new Response(this.#openApi, { headers: { "content-type": "application/json" } });
  }
}

interface FoundRoute {
  readonly route: JsonRoute;
  readonly path: Readonly<Record<string, string>>;
}

function routeFor(method: string, segments: readonly string[]): FoundRoute | "other-method" | undefined {
  let isOther = false;
  for (const route of JSON_ROUTES) {
    const path = matched(route.path.split("/"), segments);
    if (path === undefined) continue;
    if (route.method === method) return { route, path };
    isOther = true;
  }
  return isOther ? "other-method" : undefined;
}

/** The texts at the places of segments in braces; undefined when the path is another one. Throws REQUEST_INVALID. */
function matched(wanted: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (wanted.length !== segments.length) return undefined;
  const path: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const segment = segments[at] ?? "";
    const [, name] = SEGMENT.exec(part) ?? [];
    if (name === undefined ? part !== segment : segment === "") return undefined;
    if (name !== undefined) path[name] = decoded(segment);
  }
  return path;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new NodeError(
      "REQUEST_INVALID",
      "The path has a percent sign that is followed by no character in UTF-8. Encode the parts of the path.",
      { cause },
    );
  }
}

function responseOf(answer: JsonAnswer): Response {
  if (!("events" in answer)) return json(answer.status ?? 200, answer.body);
  const headers = { "content-type": "text/event-stream", "cache-control": "no-cache" };
  return new Response(ReadableStream.from(eventLines(answer)), { headers });
}

function json(status: number, body: unknown): Response {
  return new Response(`${jsonText(body)}\n`, { status, headers: { "content-type": "application/json" } });
}

/** JA1. */
function failed(error: unknown): Response {
  return json(statusOf(error), shown(error));
}

function statusOf(error: unknown): number {
  if (!(error instanceof RaftoralError)) return 500;
  return HTTP_STATUS[grpcStatusOf(error.code, error.retryable)] ?? 500;
}

function shown(error: unknown) {
  if (error instanceof RaftoralError) {
    const { code, message, retryable, details } = error;
    return { code, message, retryable, ...(Object.keys(details).length === 0 ? {} : { details }) };
  }
  // What is behind an unexpected error is the node's own affair.
  return { code: "INTERNAL", message: "The node failed to answer because of an unexpected error.", retryable: false };
}

/** JA2. */
async function* eventLines({ events }: JsonEvents): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  // The caller learns at once that it is heard, however long the first event takes.
  yield encoder.encode(": open\n\n");
  try {
    for await (const { id, data } of events) yield encoder.encode(`id: ${id}\ndata: ${jsonText(data)}\n\n`);
  } catch (error) {
    yield encoder.encode(`event: error\ndata: ${JSON.stringify(shown(error))}\n\n`);
  }
}

function unknownPath(path: string): NodeError {
  return new NodeError(
    "REQUEST_INVALID",
    `There is nothing at ${path.slice(0, 200)}. GET /openapi.json lists what there is.`,
  );
}

function otherMethod(method: string, path: string): NodeError {
  return new NodeError(
    "REQUEST_INVALID",
    `${path.slice(0, 200)} takes no ${method}. GET /openapi.json lists what it takes.`,
  );
}
