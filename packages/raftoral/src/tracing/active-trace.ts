/**
 * The trace context of the caller, as OpenTelemetry has it.
 *
 * Role: knows the API of OpenTelemetry and no SDK. Where no SDK is set up there is no active span, and nothing is taken.
 *
 * AT1. Whatever a context manager or a span does, a start goes on: what it throws, or gives that is not well-formed, stands for no trace.
 */
import { isSpanContextValid, trace } from "@opentelemetry/api";
import { type TraceContext, traceContextOf } from "@raftoral/workflow";

/** The place in a trace of the span that is active where this is called; undefined without one (AT1). */
export function activeTrace(): TraceContext | undefined {
  try {
    const span = trace.getActiveSpan()?.spanContext();
    if (span === undefined || !isSpanContextValid(span)) return undefined;
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, "0");
    return traceContextOf(`00-${span.traceId}-${span.spanId}-${flags}`, span.traceState?.serialize());
  } catch {
    return undefined;
  }
}
