/** The place in a trace that a run was started from: recorded with the start, and the same wherever the run goes. */
import { expect, test } from "vitest";
import { query } from "../author/query.ts";
import { workflow } from "../author/workflow.ts";
import type { TraceContext } from "../model/trace-context.ts";
import { world } from "../testing/workflow-world.ts";

const TRACE: TraceContext = {
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "vendor=1",
};

test("a body, its steps, its queries and its children have the trace of the start, on every owner and in every generation", async () => {
  const seen: (readonly [where: string, trace: TraceContext | undefined])[] = [];
  const child = workflow("child", { version: 1 }, async (ctx) => {
    seen.push(["child", ctx.traceContext]);
    await Promise.resolve();
  });
  const body = workflow("traced", { version: 1 }, async (ctx, generation: number) => {
    const here = `generation ${generation} on ${ctx.nodeId}`;
    ctx.onQuery(query<TraceContext | null>("trace"), () => ctx.traceContext ?? null);
    seen.push([here, ctx.traceContext]);
    await ctx.step("step", (step) => void seen.push([`${here}: step`, step.traceContext]));
    await ctx.scope("scope", (own) => void seen.push([`${here}: scope`, own.traceContext]));
    await ctx.waitFor("go");
    if (generation === 1) await ctx.continueAsNew(2);
    await ctx.run(child, undefined);
  });
  const w = world([1, 2]);
  await w.startAll([body, child]);
  w.cluster.lead(2);
  const recorded = w.next("record-committed", ({ path }) => path === "step#0");
  const run = await w.runtime(1).startWorkflow(body, 1, { id: "r", trace: TRACE });
  await recorded;
  w.kill(1);
  w.cluster.reportLost(1);
  expect(await w.runtime(2).query("r", "trace")).toEqual(TRACE);
  const continued = w.next("run-continued");
  await w.runtime(2).signal(run.id, "go");
  expect(await continued).toMatchObject({ trace: TRACE });
  await w.runtime(2).signal(run.id, "go");
  await w.runtime(2).result(run.id);
  // The body is also run again to be asked.
  expect([...new Set(seen.map(([where]) => where))]).toEqual([
    "generation 1 on 1",
    "generation 1 on 1: step",
    "generation 1 on 1: scope",
    "generation 1 on 2",
    "generation 1 on 2: scope",
    "generation 2 on 2",
    "generation 2 on 2: step",
    "generation 2 on 2: scope",
    "child",
  ]);
  expect(seen.every(([, trace]) => trace?.traceparent === TRACE.traceparent)).toBe(true);
  expect(seen.every(([, trace]) => trace?.tracestate === TRACE.tracestate)).toBe(true);
  for (const id of ["r", "r/child#0~2"])
    expect(await w.cluster.node(2).engine.summary(id)).toMatchObject({ trace: TRACE });
});

test("a start with a trace that is not well-formed begins without one, and a repeated start finds its run whatever its trace", async () => {
  const body = workflow("traced", { version: 1 }, (ctx) => ctx.waitFor("go"));
  const w = world([1]);
  await w.startAll([body]);
  await w
    .runtime(1)
    .startWorkflow(body, undefined, { id: "r", trace: { traceparent: "none", tracestate: "vendor=1" } });
  expect((await w.cluster.node(1).engine.summary("r"))?.trace).toBeUndefined();
  const again = await w.runtime(1).startWorkflow(body, undefined, { id: "r", trace: TRACE });
  expect(again.created).toBe(false);
  expect((await w.cluster.node(1).engine.summary("r"))?.trace).toBeUndefined();
});
