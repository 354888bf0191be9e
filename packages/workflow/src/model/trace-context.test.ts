import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { traceContextOf } from "./trace-context.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";
const GOOD = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe("a traceparent", () => {
  test("of version 00 is kept as it is", () => {
    expect(traceContextOf(GOOD)).toEqual({ traceparent: GOOD });
    expect(traceContextOf(`00-${TRACE_ID}-${SPAN_ID}-00`)).toEqual({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` });
  });

  test("of a later version is kept with the fields that version 00 has (TC1)", () => {
    expect(traceContextOf(`cc-${TRACE_ID}-${SPAN_ID}-01`)).toEqual({ traceparent: GOOD });
    expect(traceContextOf(`cc-${TRACE_ID}-${SPAN_ID}-01-what-comes`)).toEqual({ traceparent: GOOD });
  });

  test.each([
    ["nothing", ""],
    ["another text", "not a trace"],
    ["capital letters", GOOD.toUpperCase()],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN_ID}-01`],
    ["a span id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["a version that is none", `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ["more fields than version 00 has", `${GOOD}-more`],
    ["text after its fields", `cc-${TRACE_ID}-${SPAN_ID}-01more`],
    ["a line end", `${GOOD}\n`],
    ["a short id", `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
  ])("with %s is dropped, with its tracestate (TC2)", (_, traceparent) => {
    expect(traceContextOf(traceparent, "vendor=1")).toBeUndefined();
  });
});

describe("a tracestate", () => {
  test.each(["vendor=1", "tenant@vendor=a b", "a=1,b=2", " a=1 , b=2 ", "a=", "x*/_-9=~!"])(
    "%j is kept",
    (tracestate) => {
      expect(traceContextOf(GOOD, tracestate)).toEqual({ traceparent: GOOD, tracestate });
    },
  );

  test.each([
    ["no member", ","],
    ["no value", "vendor"],
    ["capital letters in its key", "Vendor=1"],
    ["an equals sign in its value", "a=b=c"],
    ["a control character", "a=b\u0000"],
    ["more members than are passed on", Array.from({ length: 33 }, (_, at) => `k${at}=v`).join(",")],
    ["more characters than are passed on", `a=${"x".repeat(200)},b=${"x".repeat(200)},c=${"x".repeat(200)}`],
  ])("with %s is dropped alone (TC2)", (_, tracestate) => {
    expect(traceContextOf(GOOD, tracestate)).toEqual({ traceparent: GOOD });
  });
});

test("whatever the texts are, what is kept is bounded and stays what it is (TC3)", () => {
  const part = fc.oneof(fc.string(), fc.constantFrom(GOOD, "a=1", ",", "-", "0", "cc"));
  const text = fc.array(part, { maxLength: 60 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (tail, tracestate) => {
      const kept = traceContextOf(`${GOOD.slice(0, tail.length % 56)}${tail}`, tracestate) ?? { traceparent: GOOD };
      expect(kept.traceparent).toHaveLength(55);
      expect(kept.tracestate?.length ?? 0).toBeLessThanOrEqual(512);
      expect(traceContextOf(kept.traceparent, kept.tracestate)).toEqual(kept);
    }),
  );
});
