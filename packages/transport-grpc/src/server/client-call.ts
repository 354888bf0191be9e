/** A call of a client as the port hands it over, whichever version of HTTP it came by. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { Caller } from "../security/caller.ts";
import { canAnswer } from "../wire/h2.ts";
import { type TurnedAway, turnAway } from "./turn-away.ts";

/** In place of the caller's authority: services never need it, and Connect throws on what is no URL. */
const AUTHORITY = "node";

/** The request and the response of a call, as Node's HTTP has them. */
export type Exchange =
  | { readonly request: IncomingMessage; readonly response: ServerResponse }
  | { readonly request: http2.Http2ServerRequest; readonly response: http2.Http2ServerResponse };

/** One call. */
export interface ClientCall {
  /** What is called, without the query. */
  readonly path: string;
  readonly method: string;
  /** By lower-case name. May be changed before the call is opened. */
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** Takes the call. To be called once, and not for a call that is turned away. */
  open(): Exchange;
  /** Answers with why the call is not taken, and nothing else. */
  turnAway(why: TurnedAway): void;
  /** Ends the call without an answer, or in the middle of one. */
  breakOff(): void;
  /** Calls back when the call has ended, however it did. */
  onClose(fn: () => void): void;
}

/** A call that is a stream of HTTP/2. `rawHeaders`: names and values in turn, as they came. */
export function http2Call(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
  caller: Caller,
): ClientCall {
  return {
    path: pathOf(headers[":path"]),
    method: String(headers[":method"] ?? ""),
    headers,
    caller,
    open: () => ({
      request: new http2.Http2ServerRequest(stream, { ...headers, ":authority": AUTHORITY }, {}, rawHeaders),
      response: new http2.Http2ServerResponse(stream),
    }),
    turnAway: (why) => turnAway(stream, headers, why),
    breakOff: () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    onClose: (fn) => void (canAnswer(stream) ? stream.once("close", fn) : fn()),
  };
}

/** A call that is a request of HTTP/1.1. */
export function http1Call(request: IncomingMessage, response: ServerResponse, caller: Caller): ClientCall {
  const { headers } = request;
  return {
    path: pathOf(request.url),
    method: request.method ?? "",
    headers,
    caller,
    open: () => {
      headers.host = AUTHORITY;
      return { request, response };
    },
    turnAway: ({ httpStatus, code, message }) => {
      if (response.headersSent || response.destroyed) return;
      // What it sends is not read: the connection ends after the answer.
      response.writeHead(httpStatus, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify({ code, message }));
    },
    breakOff: () => {
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(500, { connection: "close" });
        response.end();
      }
    },
    onClose: (fn) => void response.once("close", fn),
  };
}

function pathOf(target: string | undefined): string {
  return (target ?? "").split("?", 1)[0] ?? "";
}
