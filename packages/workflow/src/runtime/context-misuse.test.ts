/** Calls on a context from where they have no meaning: each is refused with its own code, and changes nothing. */
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const CALLS: readonly (readonly [string, (ctx: WorkflowContext) => unknown])[] = [
  ["step", (ctx) => ctx.step("inner", () => 1)],
  ["scope", (ctx) => ctx.scope("inner", () => 1)],
  ["variable", (ctx) => ctx.variable("inner", 1)],
  ["sleep", (ctx) => ctx.sleep(1)],
  ["waitFor", (ctx) => ctx.waitFor("inner", { timeout: 1 })],
  ["now", (ctx) => ctx.now()],
  ["random", (ctx) => ctx.random()],
  ["uuid", (ctx) => ctx.uuid()],
];
const RECORDED = CALLS.filter(([name]) => name !== "random" && name !== "uuid");

describe("a call inside of a step (context-guard.ts CG1)", () => {
  test.each(CALLS)("is refused, and the step is not tried again: %s", async (name, call) => {
    const w = world([1]);
    let attempts = 0;
    const body = workflow("nested", { version: 1 }, (ctx) =>
      ctx.step(
        "outer",
        async () => {
          attempts += 1;
          await new Promise((resolve) => setTimeout(resolve, 1));
          return call(ctx);
        },
        { retry: { attempts: 5, initialDelay: 1 } },
      ),
    );
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await expect(run.result()).rejects.toMatchObject({
      failure: { cause: { code: "CONTEXT_IN_STEP", message: expect.stringContaining(`ctx.${name}(`) } },
    });
    expect(attempts).toBe(1);
    expect((await w.runtime(1).getRun(run.id))?.history.map(([path]) => path)).toEqual(["outer#0"]);
  });

  test("takes no path: the calls after it are those of a replay (context-guard.ts CG4)", async () => {
    const w = world([1]);
    const body = workflow("nested", { version: 1 }, async (ctx) => {
      const counter = await ctx.variable("counter", 0);
      await ctx.step("outer", async () => {
        await expect(ctx.step("same", () => 1)).rejects.toMatchObject({ code: "CONTEXT_IN_STEP" });
        await expect(counter.set(7)).rejects.toMatchObject({ code: "CONTEXT_IN_STEP" });
        return 1;
      });
      await ctx.step("same", () => 2);
      return counter.update((value) => value + 1);
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    expect(await run.result()).toBe(1);
    const paths = (await w.runtime(1).getRun(run.id))?.history.map(([path]) => path);
    expect(paths).toEqual(["counter#0", "outer#0", "same#0", "counter#0/set0"]);
  });

  test("is refused in the function of a variable, and in a change of it", async () => {
    const w = world([1]);
    const body = workflow("variables", { version: 1 }, async (ctx) => {
      const codes: unknown[] = [];
      await ctx.variable("v", () => ctx.step("inner", () => 1)).catch((error) => codes.push(error.failure.code));
      const counter = await ctx.variable("w", 1);
      await counter.update(() => ctx.random()).catch((error) => codes.push(error.failure.code));
      return codes;
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    expect(await run.result()).toEqual(["CONTEXT_IN_STEP", "CONTEXT_IN_STEP"]);
  });

  test("is allowed again once the step is over, in every branch", async () => {
    const w = world([1]);
    const body = workflow("after", { version: 1 }, async (ctx) => {
      const first = ctx.step("first", () => 1).then((one) => ctx.step("second", () => one + 1));
      const other = ctx.step("other", () => new Promise((resolve) => setTimeout(resolve, 5, 1)));
      await other;
      return [await first, await ctx.step("third", () => 3)];
    });
    await w.startAll([body]);
    expect(await (await w.runtime(1).startWorkflow(body, undefined)).result()).toEqual([2, 3]);
  });
});

describe("a call on the context of another run (context-guard.ts CG2)", () => {
  test.each(CALLS)("is refused, from the body and from its steps: %s", async (_, call) => {
    const w = world([1]);
    const contexts = new Map<string, WorkflowContext>();
    const ready = new Latch();
    const victim = workflow("victim", { version: 1 }, async (ctx) => {
      contexts.set("victim", ctx);
      ready.open();
      await ctx.waitFor("go");
    });
    const thief = workflow("thief", { version: 1 }, async (ctx) => {
      const stolen = contexts.get("victim");
      if (stolen === undefined) throw new Error("no context");
      const codes: unknown[] = [];
      const tried = async (): Promise<void> => {
        try {
          await call(stolen);
        } catch (error) {
          codes.push((error as { code?: unknown }).code);
        }
      };
      await tried();
      await ctx.step("s", tried);
      return codes;
    });
    await w.startAll([victim, thief]);
    const robbed = await w.runtime(1).startWorkflow(victim, undefined, { id: "victim" });
    await ready.opened;
    const run = await w.runtime(1).startWorkflow(thief, undefined);
    expect(await run.result()).toEqual(["CONTEXT_FOREIGN", "CONTEXT_FOREIGN"]);
    await robbed.signal("go");
    await robbed.result();
    expect((await w.runtime(1).getRun("victim"))?.history.map(([path]) => path)).toEqual(["go#0"]);
  });
});

describe("a call after the body has returned (context-guard.ts CG3)", () => {
  test.each(RECORDED)("is refused, also long after the end: %s", async (_, call) => {
    const w = world([1]);
    const contexts: WorkflowContext[] = [];
    const body = workflow("ended", { version: 1 }, (ctx) => {
      contexts.push(ctx);
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await run.result();
    const [ctx] = contexts;
    if (ctx === undefined) throw new Error("no context");
    await expect(call(ctx)).rejects.toMatchObject({ code: "CONTEXT_ENDED", message: expect.stringContaining(run.id) });
  });

  test("that is repeated without end is not answered any more", async () => {
    const w = world([1]);
    const contexts: WorkflowContext[] = [];
    const body = workflow("ended", { version: 1 }, (ctx) => {
      contexts.push(ctx);
    });
    await w.startAll([body]);
    await (await w.runtime(1).startWorkflow(body, undefined)).result();
    let calls = 0;
    const repeat = async (ctx: WorkflowContext | undefined): Promise<void> => {
      for (;;) {
        calls += 1;
        await ctx?.step("again", () => 1).catch(() => {});
      }
    };
    void repeat(contexts[0]);
    await expect.poll(() => calls).toBe(101);
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(101);
  });
});
