/** What the JSON API consists of: routes, each with what its documentation needs. */
import type { JsonCall } from "./json-call.ts";

/** One thing that a route is told, and its documentation says. */
export interface JsonParameter {
  readonly name: string;
  readonly what: string;
  /** JSON Schema of the value; of any value by default. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** An answer in pieces, each an event of `text/event-stream`. */
export interface JsonEvents {
  readonly events: AsyncIterable<{ readonly id: string; readonly data: unknown }>;
}

/** What a route gives: what the body says, or events. */
export type JsonAnswer = { readonly status?: number; readonly body: unknown } | JsonEvents;

/** One route. */
export interface JsonRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** Segments behind `/v1/`; one in braces is any text, percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /** What the segments in braces are. */
  readonly segments?: Readonly<Record<string, string>>;
  readonly query?: readonly JsonParameter[];
  readonly body?: readonly JsonParameter[];
  readonly answer: (call: JsonCall) => Promise<JsonAnswer>;
}

/** How recent an answer must be. */
export const CONSISTENCY: JsonParameter = {
  name: "consistency",
  what: "`linearizable`: the answer shows everything that was acknowledged before. `stale`: what this node has applied, also without a majority.",
  schema: { type: "string", enum: ["linearizable", "stale"], default: "linearizable" },
};

/** Parameters of every read. */
export const READ_PARAMETERS: readonly JsonParameter[] = [
  CONSISTENCY,
  { name: "timeoutMs", what: "Time for the call, in milliseconds.", schema: { type: "integer" } },
];

/** Parameters of every page. */
export const PAGE_PARAMETERS: readonly JsonParameter[] = [
  { name: "pageSize", what: "Entries at most.", schema: { type: "integer", minimum: 1, maximum: 1000, default: 100 } },
  { name: "pageToken", what: "`nextPageToken` of the page before.", schema: { type: "string" } },
  ...READ_PARAMETERS,
];

/** Why something is changed, in the body of the request. */
export const REASON: JsonParameter = { name: "reason", what: "Why, for the audit.", schema: { type: "string" } };

/** Parameters of every deletion, which has no body. */
export const DELETE_PARAMETERS: readonly JsonParameter[] = [
  REASON,
  { name: "timeoutMs", what: "Time for the call, in milliseconds.", schema: { type: "integer" } },
];

/** Parameters of every change. */
export const CHANGE_PARAMETERS: readonly JsonParameter[] = [
  { name: "timeoutMs", what: "Time for the call, in milliseconds.", schema: { type: "integer" } },
];
