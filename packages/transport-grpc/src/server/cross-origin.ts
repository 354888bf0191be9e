/**
 * Which pages of other origins may call a node from a browser.
 *
 * Invariants:
 * CO1. A call with an `Origin` that is not allowed is turned away before a service hears of it, whatever its content type: a page must not make a browser act on a node
 *      that only the browser's machine reaches. Callers that are no browsers send no `Origin`.
 * CO2. Allowed origins are compared as texts. `*` allows all of them.
 */
import type { OutgoingHttpHeaders } from "node:http";
import { cors } from "@connectrpc/connect";
import { RaftError } from "@raftoral/raft-core";
import type { ClientCall } from "./client-call.ts";

/** How long a browser may keep what a preflight answered, in seconds. */
const MAX_AGE_S = 7_200;
const METHODS = [...new Set([...cors.allowedMethods, "DELETE"])].join(", ");
const REQUEST_HEADERS = [...cors.allowedHeaders, "Authorization"].join(", ");
const EXPOSED_HEADERS = cors.exposedHeaders.join(", ");

/** What is to be done with a call. */
export type CrossOriginVerdict =
  | { readonly is: "taken"; readonly headers: OutgoingHttpHeaders }
  | { readonly is: "preflight"; readonly headers: OutgoingHttpHeaders }
  | { readonly is: "refused"; readonly origin: string };

const SAME: CrossOriginVerdict = Object.freeze({ is: "taken", headers: {} });

/** The rules of one server (CO1, CO2). */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;

  /** Throws CONFIG_INVALID for what is no origin. */
  constructor(origins: readonly string[]) {
    for (const origin of origins) assertOrigin(origin);
    this.#origins = new Set(origins);
  }

  judge({ method, headers }: Pick<ClientCall, "method" | "headers">): CrossOriginVerdict {
    const { origin } = headers;
    if (origin === undefined) return SAME;
    if (!(this.#origins.has("*") || this.#origins.has(origin))) return { is: "refused", origin };
    const allowed = { "access-control-allow-origin": origin, vary: "Origin" };
    if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) {
      return { is: "taken", headers: { ...allowed, "access-control-expose-headers": EXPOSED_HEADERS } };
    }
    return {
      is: "preflight",
      headers: {
        ...allowed,
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": String(MAX_AGE_S),
      },
    };
  }
}

function assertOrigin(origin: unknown): void {
  if (origin === "*") return;
  if (typeof origin === "string" && URL.canParse(origin) && new URL(origin).origin === origin) return;
  throw new RaftError(
    "CONFIG_INVALID",
    `${JSON.stringify(origin)} is not an origin that may call. Give a scheme and a host, and a port if it is not the scheme's, such as "https://ops.example.com"; or "*" for all.`,
  );
}
