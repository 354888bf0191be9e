/** Cases of the conformance suite of `Workflows`: the place in a distributed trace that a run belongs to. */
import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, type ContextManager, context, ROOT_CONTEXT, type SpanContext, trace } from "@opentelemetry/api";
import type { TraceContext } from "@raftoral/workflow";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { traced } from "../conformance-workflows.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const GIVEN: TraceContext = { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`, tracestate: "vendor=1" };
const SPAN: SpanContext = { traceId: TRACE_ID, spanId: "b7ad6b7169203331", traceFlags: 0 };
const ACTIVE: TraceContext = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-00` };

/** What an SDK of OpenTelemetry sets up to know which span is active. */
class AsyncContexts implements ContextManager {
  readonly #store = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#store.getStore() ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Fn extends (...args: Args) => ReturnType<Fn>>(
    of: Context,
    fn: Fn,
    self?: ThisParameterType<Fn>,
    ...args: Args
  ): ReturnType<Fn> {
    return this.#store.run(of, () => fn.call(self, ...args) as ReturnType<Fn>);
  }

  bind<T>(_of: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

/** Runs `fn` where a span is active. */
function inSpan<T>(fn: () => T): T {
  return context.with(trace.setSpanContext(ROOT_CONTEXT, SPAN), fn);
}

/** The cases. To be called among the others. */
export function traceCases(subject: () => { readonly workflows: Workflows }): void {
  beforeAll(() => void context.setGlobalContextManager(new AsyncContexts()));
  afterAll(() => context.disable());

  /** Starts a run, and gives what its body and its description have. */
  const tracesOf = async (options: { readonly trace?: TraceContext | false }) => {
    const { workflows } = subject();
    const run = await workflows.start(traced, undefined, { runId: `traced-${crypto.randomUUID()}`, ...options });
    const seen = await run.result();
    const described = (await run.describe()).trace ?? null;
    expect((await run.exportHistory()).trace ?? null).toEqual(described);
    return [seen.body, seen.step, described];
  };

  test("a run has the trace that its start was given, and without one that of the caller's active span", async () => {
    expect(await tracesOf({ trace: GIVEN })).toEqual([GIVEN, GIVEN, GIVEN]);
    expect(await inSpan(() => tracesOf({ trace: GIVEN }))).toEqual([GIVEN, GIVEN, GIVEN]);
    expect(await inSpan(() => tracesOf({}))).toEqual([ACTIVE, ACTIVE, ACTIVE]);
    expect(await tracesOf({})).toEqual([null, null, null]);
  });

  test("a run has no trace when the caller says so, or gives one that is not well-formed", async () => {
    expect(await inSpan(() => tracesOf({ trace: false }))).toEqual([null, null, null]);
    expect(await inSpan(() => tracesOf({ trace: { traceparent: "from a stranger" } }))).toEqual([null, null, null]);
    const { traceparent } = GIVEN;
    expect(await tracesOf({ trace: { traceparent, tracestate: "=" } })).toEqual(new Array(3).fill({ traceparent }));
  });

  test("a trace that is no pair of headers is refused", async () => {
    const { workflows } = subject();
    for (const bad of [null, true, "text", {}, { traceparent: 1 }, { traceparent: "", tracestate: [] }]) {
      const options = { runId: `traced-${crypto.randomUUID()}`, trace: bad as unknown as TraceContext };
      await expect(workflows.start(traced, undefined, options)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    }
  });
}
