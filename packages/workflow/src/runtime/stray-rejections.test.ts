/** A rejection that nothing handles is its run's affair: the test process would end, or fail the test, if it were anybody else's. */
import { EventEmitter } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { CancelledError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const later = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function fails(message: string): Promise<never> {
  await later();
  throw new RangeError(message);
}

/** What listeners of the process heard while a test ran: nothing, if all is well. */
const heard: unknown[] = [];
const listen = (reason: unknown): void => void heard.push(reason);
process.on("unhandledRejection", listen);
afterEach(() => {
  expect(heard.splice(0)).toEqual([]);
});

describe("a rejection in the code of a run that nothing handles", () => {
  const strays: readonly (readonly [string, (ctx: WorkflowContext, message: string) => unknown])[] = [
    ["in the body", (_, message) => void fails(message)],
    ["in a helper that is awaited too late", (ctx, message) => helper(ctx, message)],
    [
      "in a step's function",
      (ctx, message) =>
        ctx.step("s", async () => {
          void fails(message);
          await later(20);
        }),
    ],
    [
      "in a callback of a timer that a step set",
      (ctx, message) => ctx.step("s", () => void setTimeout(() => void fails(message), 1)),
    ],
    [
      "in a listener that a nested function of a step added",
      (ctx, message) =>
        ctx.step("s", async () => {
          const events = new EventEmitter();
          events.on("go", async () => {
            await later();
            await Promise.all([fails(message), later(30)]);
          });
          await later();
          events.emit("go");
        }),
    ],
    [
      "after a step that failed, in what follows from it",
      (ctx, message) => {
        void ctx
          .step(
            "s",
            () => {
              throw new RangeError(message);
            },
            { retry: false },
          )
          .then(() => {});
      },
    ],
    ["in a scope", (ctx, message) => ctx.scope("deep", (deep) => deep.scope("er", () => void fails(message)))],
    ["in the function of a variable", (ctx, message) => ctx.variable("v", () => void fails(message))],
  ];
  async function helper(ctx: WorkflowContext, message: string): Promise<void> {
    const pending = (async () => {
      await ctx.step("s", () => 1);
      throw new RangeError(message);
    })();
    await ctx.sleep(60_000);
    await pending;
  }

  test.each(strays)("fails that run and no other: %s", async (_, stray) => {
    const w = world([1]);
    const poisoned = workflow("poisoned", { version: 1 }, async (ctx, message: string) => {
      await stray(ctx, message);
      await ctx.waitFor("never");
    });
    const innocent = workflow("innocent", { version: 1 }, async (ctx) => {
      for (let at = 0; at < 20; at++) await ctx.step(`s${at}`, () => later());
      return "unharmed";
    });
    await w.startAll([poisoned, innocent]);
    const others = await Promise.all([1, 2, 3].map(() => w.runtime(1).startWorkflow(innocent, undefined)));
    const runs = await Promise.all(
      ["a", "b", "c"].map((id) => w.runtime(1).startWorkflow(poisoned, `fault of ${id}`, { id })),
    );
    for (const run of runs) {
      await expect(run.result()).rejects.toMatchObject({
        failure: {
          code: "REJECTION_UNHANDLED",
          message: expect.stringContaining(`fault of ${run.id}`),
        },
      });
    }
    expect(await Promise.all(others.map((run) => run.result()))).toEqual(["unharmed", "unharmed", "unharmed"]);
    expect(w.runtime(1).load).toEqual({ owned: 0, queued: 0 });
  });

  test("names the step, and keeps what it was rejected with as the cause", async () => {
    const w = world([1]);
    const body = workflow("poisoned", { version: 1 }, async (ctx) => {
      await ctx.step("charge", async () => {
        void fails("no funds");
        await later(50);
      });
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        message: expect.stringContaining("inside of charge#0"),
        cause: { name: "RangeError", message: "no funds", stack: expect.stringContaining("stray-rejections.test") },
      },
    });
  });

  test("of a new owner fails the run there, as it would have failed before", async () => {
    const w = world();
    const waiting = new Latch();
    const body = workflow("poisoned", { version: 1 }, async (ctx) => {
      await ctx.step("s", () => 1);
      if (ctx.attempt > 1) void fails("on replay");
      else waiting.open();
      await ctx.waitFor("never");
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    w.kill(2);
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ failure: { code: "REJECTION_UNHANDLED" } });
  });
});

describe("a dropped branch of a cancelled run", () => {
  test("is interrupted like the others, and its own failures are told", async () => {
    const lines: object[] = [];
    const warn = (fields: object, message: string): void => void lines.push({ ...fields, message });
    const w = world([1]);
    const waiting = new Latch();
    const body = workflow("dropping", { version: 1 }, async (ctx) => {
      void (async () => ctx.sleep(60_000))();
      void (async () => {
        try {
          await ctx.sleep(60_000);
        } catch {
          throw new RangeError("in a branch");
        }
      })();
      waiting.open();
      try {
        await ctx.waitFor("never");
      } catch (error) {
        // Time for what the branches do.
        await later(10);
        throw error;
      }
    });
    await w.startAll([body], { logger: { debug: () => {}, info: () => {}, warn, error: warn } });
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    await run.cancel("enough");
    await expect(run.result()).rejects.toBeInstanceOf(Error);
    expect((await run.status()).status).toBe("cancelled");
    expect(lines).toEqual([
      expect.objectContaining({ runId: "r", error: expect.objectContaining({ message: "in a branch" }) }),
    ]);
  });

  test("does nothing to a run that has ended", async () => {
    const lines: object[] = [];
    const warn = (fields: object, message: string): void => void lines.push({ ...fields, message });
    const told = new Latch();
    const ended = new Latch();
    const w = world([1]);
    const body = workflow("late", { version: 1 }, () => {
      void ended.opened.then(() => {
        throw new RangeError("long after");
      });
      return "done";
    });
    const logger = {
      debug: () => {},
      info: () => {},
      error: warn,
      warn: (fields: object, message: string) => {
        warn(fields, message);
        told.open();
      },
    };
    await w.startAll([body], { logger });
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    expect(await run.result()).toBe("done");
    ended.open();
    await told.opened;
    expect(lines).toEqual([expect.objectContaining({ runId: "r", workflowType: "late" })]);
    expect((await run.status()).status).toBe("completed");
  });
});

describe("a rejection outside of every run (stray-rejections.ts SR1)", () => {
  test("goes to the process, though a body runs, and though the body's request caused it", async () => {
    const w = world([1]);
    const node = w.cluster.node(1);
    const body = workflow("honest", { version: 1 }, async (ctx) => {
      await ctx.step("s", () => 1);
      await ctx.sleep(1);
      return "done";
    });
    // A fault of the node while it carries out what a body asked for.
    node.fault = (command) => {
      if ("runId" in command && command.kind !== "WorkflowStart")
        void Promise.reject(new TypeError("a fault of the node"));
      return "none";
    };
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    expect(await run.result()).toBe("done");
    await later();
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.splice(0).every((reason) => reason instanceof TypeError)).toBe(true);
  });

  test("a CancelledError that a body rejects with by itself is a failure like any other", async () => {
    const w = world([1]);
    const body = workflow("own", { version: 1 }, async (ctx) => {
      void Promise.reject(new CancelledError("made up"));
      await ctx.waitFor("never");
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "REJECTION_UNHANDLED" } });
  });
});
