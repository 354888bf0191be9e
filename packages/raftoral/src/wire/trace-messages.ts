/** Trace contexts between generated messages and the types of the API, both ways. What comes from outside is checked where it is used. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TraceContext } from "@raftoral/workflow";
import type { TraceContextSchema, TraceContext as WireTrace } from "../gen/raftoral/v1/run_pb.ts";

/** A trace context as a field of a message, which is absent without one. */
export function traceToWire(trace: TraceContext | undefined): {
  readonly trace?: MessageInitShape<typeof TraceContextSchema>;
} {
  return trace === undefined ? {} : { trace };
}

/** The trace context of a message; undefined without one. */
export function traceFromWire(trace: WireTrace | undefined): TraceContext | undefined {
  if (trace === undefined) return undefined;
  const { traceparent, tracestate } = trace;
  return tracestate === "" ? { traceparent } : { traceparent, tracestate };
}
