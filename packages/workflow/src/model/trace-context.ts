/**
 * Trace contexts: the place in a distributed trace from which a run was started (W3C Trace Context).
 *
 * TC1. What is kept has the form of version 00, which every tracing library reads: of a later version, the fields that version 00 has.
 * TC2. A `traceparent` without that form is dropped, with its `tracestate`, and one that is not well-formed or too long is dropped alone: a caller's header must not keep a
 *      run from starting. This is what W3C asks of those who pass a context on.
 * TC3. It is of bounded size: at most `TRACEPARENT_LENGTH` and `MAX_TRACESTATE_LENGTH` characters.
 */
import { optional, string } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import type { MessageCodec } from "../wire/wire-types.ts";

/** The place in a trace that work belongs to, as the HTTP headers of W3C Trace Context say it. */
export interface TraceContext {
  /** Version, trace id, span id and flags: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. */
  readonly traceparent: string;
  /** What tracing systems add: `vendor=value`, comma-separated, at most 512 characters. */
  readonly tracestate?: string;
}

/** Longest `tracestate`, in characters: what W3C asks everybody to pass on. */
const MAX_TRACESTATE_LENGTH = 512;
/** Most members of a `tracestate`. */
const MAX_MEMBERS = 32;
/** Length of a `traceparent` of version 00, in characters. */
const TRACEPARENT_LENGTH = 55;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NO_TRACE_ID = "0".repeat(32);
const NO_SPAN_ID = "0".repeat(16);
/** A member: its key, and its value of printable ASCII without comma and equals sign. */
const MEMBER = /^[a-z0-9][a-z0-9_\-*/]{0,255}(?:@[a-z][a-z0-9_\-*/]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,256}$/;

/** The context that two headers say; undefined when `traceparent` is not well-formed (TC1 to TC3). Pure. */
export function traceContextOf(traceparent: string, tracestate = ""): TraceContext | undefined {
  const [, version, traceId, spanId, flags] = TRACEPARENT.exec(traceparent.slice(0, TRACEPARENT_LENGTH)) ?? [];
  if (version === undefined || version === "ff" || traceId === NO_TRACE_ID || spanId === NO_SPAN_ID) return undefined;
  const rest = traceparent.slice(TRACEPARENT_LENGTH);
  if (rest !== "" && (version === "00" || !rest.startsWith("-"))) return undefined;
  const kept = `00-${traceId}-${spanId}-${flags}`;
  return isTracestate(tracestate) ? { traceparent: kept, tracestate } : { traceparent: kept };
}

function isTracestate(text: string): boolean {
  if (text.length === 0 || text.length > MAX_TRACESTATE_LENGTH) return false;
  const members = text
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  return members.length > 0 && members.length <= MAX_MEMBERS && members.every((member) => MEMBER.test(member));
}

/** A trace context as it travels and is stored. It is not checked here. */
export const traceContextCodec: MessageCodec<TraceContext> = messageCodec<TraceContext>(
  { traceparent: string(1), tracestate: optional(string(2)) },
  {},
);

/** What stands for a start without a trace. */
export const NO_TRACE: TraceContext = Object.freeze({ traceparent: "" });
