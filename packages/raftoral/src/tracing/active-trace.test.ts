import { type ContextManager, context, ROOT_CONTEXT, type SpanContext, trace } from "@opentelemetry/api";
import { afterEach, expect, test } from "vitest";
import { activeTrace } from "./active-trace.ts";

afterEach(() => context.disable());

/** Makes `active` say what is active. */
function setActive(active: ContextManager["active"]): void {
  const manager: ContextManager = {
    active,
    with: (_, fn, self, ...args) => fn.call(self as ThisParameterType<typeof fn>, ...args),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  context.setGlobalContextManager(manager);
}

function broken(): never {
  throw new Error("broken");
}

function spanOf(span: Partial<SpanContext>) {
  const whole = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1, ...span };
  return () => trace.setSpanContext(ROOT_CONTEXT, whole);
}

test("without an SDK, and without an active span, there is no trace", () => {
  expect(activeTrace()).toBeUndefined();
  setActive(() => ROOT_CONTEXT);
  expect(activeTrace()).toBeUndefined();
});

test("the active span gives its ids, its flags and its state", () => {
  const traceState = { serialize: () => "vendor=1" } as SpanContext["traceState"] & object;
  setActive(spanOf({ traceState }));
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  expect(activeTrace()).toEqual({ traceparent, tracestate: "vendor=1" });
  context.disable();
  setActive(spanOf({ traceFlags: 0 }));
  expect(activeTrace()).toEqual({ traceparent: traceparent.replace(/01$/, "00") });
});

test("what is not well-formed, or throws, stands for no trace (AT1)", () => {
  const traceState = { serialize: broken } as unknown as SpanContext["traceState"] & object;
  const wrong = [spanOf({ spanId: "none" }), spanOf({ traceId: "0".repeat(32) }), spanOf({ traceState })];
  for (const active of [...wrong, broken]) {
    setActive(active);
    expect(activeTrace()).toBeUndefined();
    context.disable();
  }
});
