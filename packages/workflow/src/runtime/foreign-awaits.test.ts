import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { world } from "../testing/workflow-world.ts";
import { MAX_BUFFERED_CHUNKS } from "./streams/stream-writes.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function reported(run: (ctx: WorkflowContext) => Promise<unknown>): Promise<readonly string[]> {
  const w = world([1]);
  const body = workflow("body", { version: 1 }, async (ctx) => void (await run(ctx)));
  await w.startAll([body]);
  await (await w.runtime(1).startWorkflow(body, undefined)).result();
  return w.events.flatMap((event) => (event.type === "foreign-await" ? [event.call] : []));
}

describe("what a body awaits beside its context (BC4)", () => {
  test.each<[string, (ctx: WorkflowContext) => Promise<unknown>, string]>([
    [
      "a timer",
      (ctx) => Promise.race([ctx.waitFor("never"), after(20).then(() => ctx.step("charge", () => 1))]),
      'ctx.step("charge")',
    ],
    [
      "an event, in a scope",
      (ctx) =>
        Promise.race([
          ctx.waitFor("never"),
          ctx.scope("events", async (own) => {
            const emitter = new EventEmitter();
            setTimeout(() => emitter.emit("ready"), 20);
            await once(emitter, "ready");
            await own.now();
          }),
        ]),
      "ctx.now()",
    ],
  ])("is reported with the call that follows: %s", async (_, run, call) => {
    expect(await reported(run)).toEqual([call]);
  });

  test.each<[string, (ctx: WorkflowContext) => Promise<unknown>]>([
    [
      "while nothing else is open",
      async (ctx) => {
        await after(1);
        await ctx.step("a", () => 1);
      },
    ],
    [
      "inside of a step",
      (ctx) => Promise.all([ctx.sleep(5), ctx.step("a", () => after(1)).then(() => ctx.step("b", () => 1))]),
    ],
    [
      "through promises of its own",
      (ctx) => {
        const gate = Promise.withResolvers<void>();
        return Promise.all([
          gate.promise.then(() => ctx.step("b", () => 1)),
          ctx.sleep(20),
          ctx.step("a", () => after(1)).then(() => gate.resolve()),
        ]);
      },
    ],
    [
      "in maps, races and variables",
      async (ctx) => {
        const sum = await ctx.variable("sum", 0);
        await ctx.map(
          [1, 2, 3, 4, 5, 6],
          async (own, item) => {
            await own.step("add", () => item);
            await sum.update((before) => before + item);
          },
          { concurrency: 2 },
        );
        await ctx.race({ a: (own) => own.sleep(1), b: (own) => own.waitFor("never") });
        await ctx.condition(() => sum.value === 21);
      },
    ],
    [
      "while streams are written whose buffers are full",
      (ctx) =>
        Promise.all([
          ctx.sleep(50),
          (async () => {
            const stream = ctx.stream<number>("numbers");
            for (let at = 0; at < 3; at++) {
              const writes = Array.from({ length: 2 * MAX_BUFFERED_CHUNKS }, (_, chunk) => stream.write(chunk));
              await Promise.all(writes);
              await ctx.step("b", () => at);
            }
            await stream.end();
            await ctx.step("c", () => 1);
          })(),
        ]),
    ],
    [
      "in many calls at once",
      (ctx) => Promise.all(Array.from({ length: 2000 }, (_, at) => ctx.scope("s", (own) => own.step("x", () => at)))),
    ],
  ])("is not reported %s", async (_, run) => {
    expect(await reported(run)).toEqual([]);
  });
});
