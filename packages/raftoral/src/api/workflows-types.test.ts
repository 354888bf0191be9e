// What the compiler makes of calls of the API. The calls themselves are made in testing/workflows-conformance.ts; nothing here runs.
import { signal, stream, type WorkflowContext, type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { expect, expectTypeOf, test } from "vitest";
import type { Payload } from "./payloads/payload.ts";
import type { StreamChunk } from "./streams.ts";
import type { Run, Workflows } from "./workflows.ts";

interface Order {
  readonly item: string;
  readonly total: number;
}

const order = workflow("order", { version: 1 }, async (_ctx, input: Order) => ({ ...input, at: new Date() }));
const daily = workflow("daily", { version: 1 }, async () => 1);
const perhaps = workflow("perhaps", { version: 1 }, async (_ctx, input?: Order) => input?.item);
const approval = signal<{ readonly by: string }>("approval");
const go = signal("go");
type OrderResult = { at: string; item: string; total: number };

type Check = (workflows: Workflows, payload: Payload) => void;

const checks: Readonly<Record<string, Check>> = {
  "a start takes the workflow's input, and its run gives the recorded result": (workflows, payload) => {
    expectTypeOf(workflows.start(order, { item: "tea", total: 1 })).resolves.toEqualTypeOf<Run<OrderResult>>();
    expectTypeOf(workflows.start(order, payload, { runId: "a" })).resolves.toEqualTypeOf<Run<OrderResult>>();
    // @ts-expect-error The workflow takes an input.
    void workflows.start(order);
    // @ts-expect-error The total is missing.
    void workflows.start(order, { item: "tea" });
    // @ts-expect-error The total is a number.
    void workflows.start(order, { item: "tea", total: "1" });
    // @ts-expect-error There is no such option.
    void workflows.start(order, { item: "tea", total: 1 }, { id: "a" });
  },
  "a stream gives what the record makes of its chunks": (workflows) => {
    const progress = stream<{ readonly at: Date; readonly done: number }>("progress");
    type Progress = StreamChunk<{ readonly at: string; readonly done: number }>;
    expectTypeOf(workflows.stream("a", progress)).toEqualTypeOf<AsyncIterable<Progress>>();
    expectTypeOf(workflows.run("a").stream(progress, { from: 1 })).toEqualTypeOf<AsyncIterable<Progress>>();
    expectTypeOf(workflows.stream("a", "progress")).toEqualTypeOf<AsyncIterable<StreamChunk<unknown>>>();
    const body = async (ctx: WorkflowContext) => {
      await ctx.stream(progress).write({ at: new Date(), done: 1 });
      await ctx.stream<string>("tokens").write("a");
      // @ts-expect-error A chunk has both.
      await ctx.stream(progress).write({ done: 1 });
      // @ts-expect-error A Map cannot be recorded.
      ctx.stream<Map<string, string>>("maps");
      // @ts-expect-error A token is text.
      await ctx.stream<string>("tokens").write(1);
    };
    void body;
    // @ts-expect-error A function cannot be recorded.
    stream<() => void>("functions");
  },
  "a workflow without an input is started without one": (workflows) => {
    expectTypeOf(workflows.start(daily)).resolves.toEqualTypeOf<Run<number>>();
    expectTypeOf(workflows.start(daily, undefined, { runId: "a" })).resolves.toEqualTypeOf<Run<number>>();
    // @ts-expect-error The workflow takes no input.
    void workflows.start(daily, 1);
    void workflows.start(perhaps);
    void workflows.start(perhaps, { item: "tea", total: 1 });
    // @ts-expect-error It takes an order, if anything.
    void workflows.start(perhaps, 1);
  },
  "a type alone says nothing; with the type of the definition it says the same": (workflows) => {
    expectTypeOf(workflows.start("order")).resolves.toEqualTypeOf<Run<unknown>>();
    expectTypeOf(workflows.start("order", 1)).resolves.toEqualTypeOf<Run<unknown>>();
    expectTypeOf(workflows.start({ type: "order", version: 3 }, 1)).resolves.toEqualTypeOf<Run<unknown>>();
    const typed = workflows.start<typeof order>("order", { item: "tea", total: 1 });
    expectTypeOf(typed).resolves.toEqualTypeOf<Run<OrderResult>>();
    void workflows.start<typeof daily>("daily");
    // @ts-expect-error The workflow has another type.
    void workflows.start<typeof order>("orders", { item: "tea", total: 1 });
    // @ts-expect-error The workflow takes an input.
    void workflows.start<typeof order>("order");
  },
  "a run by its id has the result that its definition's type says": (workflows) => {
    expectTypeOf(workflows.run("a")).toEqualTypeOf<Run<unknown>>();
    expectTypeOf(workflows.run<typeof order>("a")).toEqualTypeOf<Run<OrderResult>>();
    expectTypeOf(workflows.result<typeof order>("a")).resolves.toEqualTypeOf<OrderResult>();
    expectTypeOf(workflows.result("a")).resolves.toBeUnknown();
  },
  "a signal takes its payload, or none": (workflows) => {
    void workflows.run("a").signal(approval, { by: "me" }, { signalId: "1" });
    void workflows.signal("a", approval, { by: "me" });
    void workflows.run("a").signal(go);
    void workflows.run("a").signal("anything");
    void workflows.run("a").signal("anything", 1);
    // @ts-expect-error The signal has a payload.
    void workflows.run("a").signal(approval);
    // @ts-expect-error The payload is another one.
    void workflows.run("a").signal(approval, { by: 1 });
    // @ts-expect-error The signal has no payload.
    void workflows.run("a").signal(go, 1);
  },
  "functions of any workflow are possible": (workflows) => {
    const started = <Input extends object, Result>(of: WorkflowDefinition<Input, Result>, input: Input) =>
      workflows.start<WorkflowDefinition<object, Result>>(of, input);
    expectTypeOf(started(order, { item: "tea", total: 1 })).resolves.toEqualTypeOf<Run<OrderResult>>();
  },
};

test("calls have types: `npm run verify` checks them", () => {
  expect(Object.keys(checks)).not.toHaveLength(0);
});
