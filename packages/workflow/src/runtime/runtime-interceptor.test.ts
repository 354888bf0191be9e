import { expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { world } from "../testing/workflow-world.ts";
import type { InterceptedBody, RuntimeInterceptor } from "./runtime-interceptor.ts";

const pair = workflow("pair", { version: 1 }, async (ctx, input: number) => {
  const first = await ctx.step("first", () => input + 1);
  await ctx.waitFor("go");
  return first + (await ctx.step("second", () => 10));
});

/** Tells of everything that an interceptor hears, and puts 100 in the place of the step `second`. */
function recorder(told: string[], waits: () => void): RuntimeInterceptor {
  return {
    async runBody(body, run) {
      told.push(`body ${body.takeovers} ${body.replayed}`);
      const outcome = await run();
      told.push(outcome.status);
      return outcome;
    },
    callBegins: ({ path, kind, isReplay }) => {
      told.push(`begins ${path} ${kind} ${isReplay}`);
      if (kind === "signal") waits();
    },
    callAnswered: ({ path, isReplay }) => told.push(`answered ${path} ${isReplay}`),
    foreignAwait: (_, call) => told.push(`foreign ${call}`),
    runStep: ({ path, attempt, input }, run) => {
      told.push(`runs ${path} ${attempt} ${new TextDecoder().decode(input)}`);
      return path === "second#0" ? 100 : run();
    },
    runAside: (run) => run(),
  };
}

test("an interceptor hears of bodies and calls, replayed ones too, and stands around steps", async () => {
  const told: string[] = [];
  const w = world();
  const waiting = Promise.withResolvers<void>();
  await w.startAll([pair], { interceptor: recorder(told, waiting.resolve) });
  const recorded = w.next("record-committed", (event) => event.path === "first#0");
  const run = await w.runtime(2).startWorkflow(pair, 1, { id: "r" });
  await waiting.promise;
  await recorded;
  const moved = w.next("owner-changed");
  w.kill(2);
  w.cluster.reportLost(2);
  await moved;
  await w.runtime(3).signal("r", "go");
  expect(await w.runtime(3).result(run.id)).toBe(102);
  expect(told).toEqual([
    "body 0 0",
    "begins first#0 step false",
    "runs first#0 1 1",
    "answered first#0 false",
    "begins go#0 signal false",
    "body 1 1",
    "begins first#0 step true",
    "answered first#0 true",
    "begins go#0 signal false",
    "answered go#0 false",
    "begins second#0 step false",
    "runs second#0 1 1",
    "answered second#0 false",
    "completed",
  ]);
});

test("an interceptor refuses the call that follows something that is not recorded", async () => {
  const told: string[] = [];
  const refuses = {
    ...recorder(told, () => {}),
    foreignAwait: (_body: InterceptedBody, call: string) => {
      told.push(`foreign ${call}`);
      throw new RangeError(`no ${call}`);
    },
  };
  const body = workflow("late", { version: 1 }, async (ctx) => {
    // In a later turn of the event loop, however late the timer goes off.
    const late = new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));
    return await Promise.race([ctx.waitFor("never"), late.then(() => ctx.step("charge", () => 1))]);
  });
  const w = world([1]);
  await w.startAll([body], { interceptor: refuses });
  const run = await w.runtime(1).startWorkflow(body, undefined);
  await expect(run.result()).rejects.toThrow('no ctx.step("charge")');
  expect(told).toContain('foreign ctx.step("charge")');
  expect(told.filter((line) => line.startsWith("runs"))).toEqual([]);
});
