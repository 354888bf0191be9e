/** What a node says of the runs that it executes: each thing once, where it happened, and nothing on a replay. */
import { describe, expect, test } from "vitest";
import { RetryableError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { HandClock } from "../testing/hand-clock.ts";
import { fast, Latch, type World, world } from "../testing/workflow-world.ts";

interface Line {
  readonly message: string;
  readonly runId?: string;
  readonly [field: string]: unknown;
}

function lines() {
  const said: Line[] = [];
  const note = (fields: object, message: string): void => void said.push({ ...fields, message });
  return { said, logger: { debug: () => {}, info: () => {}, warn: note, error: note } };
}

const RELEASE = "release";

/** Runs a body up to its wait for `release` on node 2, which then dies; another owner goes on. The record at `path` is the last one before. */
async function movedRun(w: World, type: string, waiting: Latch, path: string): Promise<void> {
  const recorded = w.next("record-committed", (event) => event.path === path);
  await w.runtime(2).startWorkflow(type, undefined, { id: "r" });
  await Promise.all([waiting.opened, recorded]);
  w.kill(2);
  w.cluster.reportLost(2);
  await w.runtime(1).signal("r", RELEASE);
  await w
    .runtime(1)
    .result("r")
    .catch(() => {});
}

describe("failures in the log", () => {
  test("each failed attempt and each failed run is one line with all that is needed to find it", async () => {
    const { said, logger } = lines();
    const w = world([1]);
    let attempts = 0;
    const body = workflow("failing", { version: 1 }, async (ctx) => {
      await ctx.step(
        "charge",
        () => {
          attempts += 1;
          if (attempts === 1) throw new RetryableError("busy", { delay: 3 });
          throw Object.assign(new Error("refused", { cause: new RangeError("port") }), { code: 111 });
        },
        { retry: fast },
      );
    });
    await w.startAll([body], { logger });
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await expect(run.result()).rejects.toThrow();
    const attempt = { runId: "r", workflowType: "failing", path: "charge#0" };
    const refused = { message: "refused", code: "111", cause: expect.objectContaining({ message: "port" }) };
    expect(said).toEqual([
      { ...attempt, attempt: 1, retryInMs: 3, error: expect.objectContaining({ message: "busy" }), message: anyText },
      { ...attempt, attempt: 2, retryInMs: 2, error: expect.objectContaining(refused), message: anyText },
      { ...attempt, attempt: 3, error: expect.objectContaining(refused), message: anyText },
      {
        runId: "r",
        workflowType: "failing",
        error: expect.objectContaining({ name: "StepFailedError", code: "111" }),
        message: "A run has failed.",
      },
    ]);
  });
  const anyText = expect.any(String);

  test("are said by the node where they happened, and not by the next owner", async () => {
    const { said, logger } = lines();
    const waiting = new Latch();
    const body = workflow("moved", { version: 1 }, async (ctx) => {
      await ctx.step("fails", () => Promise.reject(new Error("no")), { retry: false }).catch(() => {});
      waiting.open();
      await ctx.waitFor(RELEASE);
      throw new Error("at last");
    });
    const w = world();
    await w.startAll([body], { logger });
    await movedRun(w, "moved", waiting, "fails#0");
    expect(
      said.filter(({ runId }) => runId === "r").map(({ path, error }) => [path, (error as Error).message]),
    ).toEqual([
      ["fails#0", "no"],
      [undefined, "at last"],
    ]);
    const failed = w.events.filter(({ type }) => type === "step-attempt-failed");
    expect(failed).toEqual([
      expect.objectContaining({ runId: "r", workflowType: "moved", path: "fails#0", attempt: 1 }),
    ]);
  });

  test("a logger or an observer that throws a rejection away fails no run", async () => {
    const w = world([1]);
    const body = workflow("unharmed", { version: 1 }, async (ctx) => {
      await ctx.step("fails", () => Promise.reject(new Error("no")), { retry: false }).catch(() => {});
      await ctx.sleep(5);
      return "unharmed";
    });
    const heard: unknown[] = [];
    const listen = (reason: unknown): void => void heard.push(reason);
    process.on("unhandledRejection", listen);
    try {
      const warn = (): void => void Promise.reject(new TypeError("the logger's own"));
      await w.startAll([body], { logger: { debug: () => {}, info: () => {}, error: () => {}, warn } });
      w.runtime(1).events.subscribe(({ type }) => {
        if (type === "step-attempt-failed") void Promise.reject(new TypeError("the observer's own"));
      });
      const run = await w.runtime(1).startWorkflow(body, undefined);
      expect(await run.result()).toBe("unharmed");
      await expect.poll(() => heard.length).toBe(2);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });
});

describe("records that a body does not ask for", () => {
  test("are reported when it is cancelled while it continues elsewhere", async () => {
    const waiting = new Latch();
    const body = workflow("changed", { version: 1 }, async (ctx) => {
      if (ctx.attempt === 1) await ctx.step("gone", () => 1);
      waiting.open();
      await ctx.waitFor(RELEASE);
    });
    const [w, clock] = [world(), new HandClock()];
    await w.startAll([body], { clock });
    const recorded = w.next("record-committed", ({ path }) => path === "gone#0");
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await Promise.all([waiting.opened, recorded]);
    const unused = w.next("records-unused");
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).cancel("r", "enough");
    await expect(clock.until(w.runtime(1).result("r"), 10_000)).rejects.toThrow("enough");
    expect(await unused).toMatchObject({ runId: "r", paths: ["gone#0"] });
  });

  const honest: readonly (readonly [string, (ctx: WorkflowContext) => Promise<unknown>])[] = [
    [
      "a race that a step won",
      (ctx) => Promise.race([ctx.step("s", () => 1), ctx.sleep(60_000), ctx.waitFor("never")]),
    ],
    ["a race that a sleep won", (ctx) => Promise.race([ctx.sleep(1), ctx.waitFor("never", { timeout: 60_000 })])],
    ["a wait whose time was over", (ctx) => ctx.waitFor("never", { timeout: 1 })],
    [
      "a step that failed beside others",
      (ctx) =>
        Promise.all([
          ctx.step("a", () => 1),
          ctx.step("b", () => Promise.reject(new Error("no")), { retry: false }),
          ctx.sleep(1),
        ]).catch(() => {}),
    ],
    [
      "variables in branches",
      async (ctx) => {
        const v = await ctx.variable("v", 0);
        await Promise.all([v.set(1), v.update((value) => value + 1), ctx.now()]);
      },
    ],
  ];
  const outcomes = ["completed", "failed", "cancelled"] as const;
  test.each(honest.flatMap(([name, call]) => outcomes.map((outcome) => [name, outcome, call] as const)))(
    "are none after %s, in a run that is then %s",
    async (_, outcome, call) => {
      const waiting = new Latch();
      const body = workflow("honest", { version: 1 }, async (ctx) => {
        await call(ctx);
        waiting.open();
        await ctx.waitFor(RELEASE);
        if (outcome === "failed") throw new Error("no");
      });
      const w = world();
      await w.startAll([body]);
      await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
      await waiting.opened;
      w.kill(2);
      if (outcome === "cancelled") await w.runtime(1).cancel("r", "enough");
      w.cluster.reportLost(2);
      if (outcome !== "cancelled") await w.runtime(1).signal("r", RELEASE);
      await w
        .runtime(1)
        .result("r")
        .catch(() => {});
      expect((await w.runtime(1).getStatus("r"))?.status).toBe(outcome);
      expect(w.events.filter(({ type }) => type === "records-unused")).toEqual([]);
    },
  );

  test("are none in a cancelled run whose body looks at its signal: it is aborted after the recorded answers (interruption.ts IR1)", async () => {
    const waiting = new Latch();
    const course: string[] = [];
    const body = workflow("looks", { version: 1 }, async (ctx) => {
      const say = (text: string): void => void course.push(`${ctx.nodeId} ${text}`);
      for (const name of ["a", "b", "c"]) {
        if (ctx.signal.aborted) say(`skips ${name}`);
        else await ctx.step(name, () => 1);
      }
      waiting.open();
      ctx.signal.addEventListener("abort", () => say("aborted"));
      await ctx.waitFor(RELEASE);
    });
    const w = world();
    await w.startAll([body]);
    const recorded = w.next("record-committed", ({ path }) => path === "c#0");
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await Promise.all([waiting.opened, recorded]);
    w.kill(2);
    await w.runtime(1).cancel("r", "enough");
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("r")).rejects.toThrow("enough");
    expect(course.filter((line) => !line.startsWith("2")).map((line) => line.slice(2))).toEqual(["aborted"]);
    expect(w.events.filter(({ type }) => type === "records-unused")).toEqual([]);
  });
});

describe("steps that are under way when a body returns", () => {
  test("are reported by name, once", async () => {
    const { said, logger } = lines();
    const w = world([1]);
    const never = new Promise(() => {});
    const body = workflow("careless", { version: 1 }, async (ctx) => {
      void ctx.step("forgotten", () => never);
      void ctx.scope("deep", (deep) => deep.step("too", () => never));
      void ctx.sleep(60_000);
      void ctx.waitFor("never");
      await ctx.step("awaited", () => 1);
      return "done";
    });
    await w.startAll([body], { logger });
    const reported = w.next("steps-unfinished");
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    expect(await run.result()).toBe("done");
    const paths = ["forgotten#0", "deep/too#0"];
    expect(await reported).toEqual({ type: "steps-unfinished", runId: "r", workflowType: "careless", paths });
    expect(said).toEqual([expect.objectContaining({ runId: "r", workflowType: "careless", paths, count: 2 })]);
  });

  test("are none where every step is awaited, fails, or was answered", async () => {
    const w = world([1]);
    const body = workflow("careful", { version: 1 }, async (ctx) => {
      await Promise.allSettled([
        ctx.step("a", () => 1),
        ctx.step("b", () => Promise.reject(new Error("no")), { retry: false }),
      ]);
      void ctx.sleep(60_000);
      return await Promise.race([ctx.step("c", () => 3), ctx.waitFor("never")]);
    });
    await w.startAll([body]);
    expect(await (await w.runtime(1).startWorkflow(body, undefined)).result()).toBe(3);
    expect(w.events.filter(({ type }) => type === "steps-unfinished")).toEqual([]);
  });
});
