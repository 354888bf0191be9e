import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import type { WorkflowCommand } from "../commands/registry.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const hostile = new Proxy(new Error("hidden"), {
  get() {
    throw new Error("not even readable");
  },
});

describe("a body", () => {
  test.each<[string, () => unknown, object]>([
    ["a text", () => "plain", { name: "Error", message: "plain" }],
    ["nothing", () => undefined, { name: "Error", message: "undefined" }],
    [
      "what has no text form",
      () => Object.create(null),
      { name: "Error", message: expect.stringContaining("cannot be shown") },
    ],
    ["an error whose properties throw", () => hostile, { name: "Error", message: expect.any(String) }],
    ["an error whose message is no text", () => Object.assign(new Error("x"), { message: 5 }), { name: "Error" }],
    [
      "an error with an endless code",
      () => Object.assign(new Error("x"), { code: "c".repeat(9999) }),
      { code: "c".repeat(200) },
    ],
    ["an error of another realm", () => ({ name: "Foreign", message: "far" }), { name: "Foreign", message: "far" }],
  ])("that throws %s, at once or in a step, has failed with it", async (_, thrown, failure) => {
    const w = world([1]);
    const sync = workflow("sync", { version: 1 }, () => {
      throw thrown();
    });
    const inStep = workflow("step", { version: 1 }, (ctx) =>
      ctx.step(
        "s",
        () => {
          throw thrown();
        },
        { retry: false },
      ),
    );
    await w.startAll([sync, inStep]);
    const [first, second] = [
      await w.runtime(1).startWorkflow(sync, undefined),
      await w.runtime(1).startWorkflow(inStep, undefined),
    ];
    await expect(first.result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED", failure });
    await expect(second.result()).rejects.toMatchObject({ failure: { name: "StepFailedError" } });
  });

  test("that catches everything and tries again does not keep the event loop to itself when it is cancelled", async () => {
    const w = world([1]);
    let rounds = 0;
    const stubborn = workflow("stubborn", { version: 1 }, async (ctx) => {
      for (;;) {
        try {
          await ctx.step("poll", () => new Promise((resolve) => setTimeout(resolve, 1)));
        } catch {
          // A catch-all bound: without turns of the event loop in between, nothing else would ever end this test.
          if (++rounds > 1_000_000) return "starved";
        }
      }
    });
    await w.startAll([stubborn], { limits: { cancelGraceMs: 20 } });
    const run = await w.runtime(1).startWorkflow(stubborn, undefined);
    await run.cancel("enough");
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    const then = rounds;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([rounds - then, rounds < 1_000_000]).toEqual([0, true]);
  });

  test("that leaves calls behind begins nothing more once it has returned, and cannot use its context later", async () => {
    const w = world([1]);
    const node = w.cluster.node(1);
    const ending = new Latch();
    const first = new Latch();
    // The end is not committed at once, so that what was left behind has time to go on.
    let ends = 0;
    node.fault = (command: WorkflowCommand) => {
      if (command.kind !== "WorkflowEnd" || ends++ > 0) return "none";
      ending.open();
      first.open();
      return "lost";
    };
    const executed: string[] = [];
    const contexts: WorkflowContext[] = [];
    const careless = workflow("careless", { version: 1 }, async (ctx) => {
      contexts.push(ctx);
      void ctx.step("first", () => first.opened).then(() => ctx.step("second", () => executed.push("second")));
    });
    await w.startAll([careless]);
    const run = await w.runtime(1).startWorkflow(careless, undefined);
    await ending.opened;
    expect(await run.result()).toBeUndefined();
    const late = contexts[0]?.step("late", () => executed.push("late"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(executed).toEqual([]);
    await expect(late).rejects.toMatchObject({ code: "CONTEXT_ENDED" });
    // What it left behind was not recorded before the end, and is not after it.
    expect((await w.runtime(1).getRun(run.id))?.history).toEqual([]);
  });

  test("that awaits nothing, or what is not its context's, ends as it says", async () => {
    const w = world([1]);
    const quick = workflow("quick", { version: 1 }, () => undefined);
    const foreign = workflow("foreign", { version: 1 }, async (ctx) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return ctx.step("s", async () => "done");
    });
    await w.startAll([quick, foreign]);
    expect(await (await w.runtime(1).startWorkflow(quick, undefined)).result()).toBeUndefined();
    expect(await (await w.runtime(1).startWorkflow(foreign, undefined)).result()).toBe("done");
  });
});

describe("a start", () => {
  test("whose first attempt was applied without this node hearing of it has created the run", async () => {
    const w = world([1]);
    const node = w.cluster.node(1);
    let starts = 0;
    node.fault = (command) => (command.kind === "WorkflowStart" && starts++ === 0 ? "applied-but-unknown" : "none");
    const once = workflow("once", { version: 1 }, async () => 1);
    await w.startAll([once]);
    const run = await w.runtime(1).startWorkflow(once, undefined, { id: "o" });
    expect([run.created, starts]).toEqual([true, 2]);
    expect((await w.runtime(1).startWorkflow(once, undefined, { id: "o" })).created).toBe(false);
  });
});
