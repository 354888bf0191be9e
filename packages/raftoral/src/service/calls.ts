/** What every call of every service does: keep its deadline, name what is missing, report failures by code. */
import type { HandlerContext } from "@connectrpc/connect";
import type { CallLimit } from "../api/call-options.ts";
import { NodeError } from "../api/errors.ts";
import { toConnectError } from "../wire/connect-errors.ts";

/** Left for the answer to travel, so that the node's own error arrives before the caller's deadline passes. */
const ANSWER_MARGIN_MS = 50;

/**
 * The least of what the request asks for, what its deadline leaves, and the default where it asks for nothing; and the end of the call when the
 * client cancels it or its connection breaks.
 */
export function callLimit(requestedMs: number, context: HandlerContext, defaultMs: number): CallLimit {
  const left = (context.timeoutMs() ?? Number.POSITIVE_INFINITY) - ANSWER_MARGIN_MS;
  const timeoutMs = Math.max(1, Math.min(requestedMs === 0 ? defaultMs : requestedMs, left));
  return { timeoutMs, signal: context.signal };
}

const MAX_WAIT_MS = 60_000;

/** The limit of one long poll. */
export function pollLimit(waitMs: number, { signal }: HandlerContext): CallLimit {
  return { timeoutMs: Math.min(waitMs, MAX_WAIT_MS), signal };
}

/** The same as options of a call of the API. */
export function callOptions(limit: CallLimit): { readonly timeoutMs: number; readonly signal?: AbortSignal } {
  const { timeoutMs, signal } = limit;
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

/** A handler whose failures leave as {@link toConnectError} makes them. */
export function guarded<Request, Response>(
  handle: (request: Request, context: HandlerContext) => Promise<Response>,
): (request: Request, context: HandlerContext) => Promise<Response> {
  return async (request, context) => {
    try {
      return await handle(request, context);
    } catch (error) {
      throw toConnectError(error);
    }
  };
}

/** The same for a handler whose answers are many. */
export function guardedStream<Request, Response>(
  handle: (request: Request, context: HandlerContext) => AsyncIterable<Response>,
): (request: Request, context: HandlerContext) => AsyncIterable<Response> {
  return async function* (request, context) {
    try {
      yield* handle(request, context);
    } catch (error) {
      throw toConnectError(error);
    }
  };
}

/** A text field that must be there. Throws REQUEST_INVALID. */
export function required(value: string, field: string): string {
  if (value !== "") return value;
  throw lacking(field);
}

/** The failure of a request without a field that must be there. */
export function lacking(field: string): NodeError {
  return new NodeError("REQUEST_INVALID", `The request lacks ${field}.`, { details: { field } });
}
