import { describe, expect, test } from "vitest";
import { RetryableError, StepFailedError, TerminalError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import { fast, world } from "../testing/workflow-world.ts";

describe("a step", () => {
  test("is retried as its policy says, and fails for good as a recorded error", async () => {
    const w = world([1]);
    const attempts: number[] = [];
    const flaky = workflow("flaky", { version: 1 }, async (ctx) => {
      const value = await ctx.step(
        "third time",
        ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error("not yet");
          return attempt;
        },
        { retry: fast },
      );
      const failed = await ctx
        .step(
          "never",
          () => {
            throw Object.assign(new Error("no"), { code: "NO" });
          },
          { retry: fast },
        )
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(StepFailedError);
      return { value, ...(failed as StepFailedError).details };
    });
    await w.startAll([flaky]);
    const run = await w.runtime(1).startWorkflow(flaky, undefined);
    expect(await run.result()).toMatchObject({
      value: 3,
      step: "never#0",
      attempts: 3,
      failure: { name: "Error", message: "no", code: "NO" },
    });
    expect(attempts).toEqual([1, 2, 3]);
    expect(w.events.filter((event) => event.type === "step-attempt-failed")).toHaveLength(5);
  });

  test("is not retried after a terminal error, and after the delay a retryable one names", async () => {
    const w = world([1]);
    const delays: (number | undefined)[] = [];
    let calls = 0;
    const picky = workflow("picky", { version: 1 }, async (ctx) => {
      await ctx.step(
        "later",
        ({ attempt }) => {
          if (attempt === 1) throw new RetryableError("busy", { delay: "3ms" });
        },
        { retry: { attempts: 2, initialDelay: "1h" } },
      );
      await ctx.step(
        "terminal",
        () => {
          calls += 1;
          throw new TerminalError("gone");
        },
        { retry: fast },
      );
    });
    await w.startAll([picky]);
    w.runtime(1).events.subscribe((event) => {
      if (event.type === "step-attempt-failed") delays.push(event.retryInMs);
    });
    const run = await w.runtime(1).startWorkflow(picky, undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { name: "StepFailedError", code: "TERMINAL" } });
    expect(delays).toEqual([3, undefined]);
    expect(calls).toBe(1);
  });

  test("that takes too long is aborted and counts as failed", async () => {
    const w = world([1]);
    const aborted: unknown[] = [];
    const slow = workflow("slow", { version: 1 }, async (ctx) =>
      ctx.step(
        "slow",
        ({ signal, attempt }) => {
          if (attempt === 2) return "done";
          signal.addEventListener("abort", () => aborted.push(signal.reason));
          return new Promise<string>(() => {});
        },
        { timeout: "5ms", retry: { ...fast } },
      ),
    );
    await w.startAll([slow]);
    expect(await (await w.runtime(1).startWorkflow(slow, undefined)).result()).toBe("done");
    expect(aborted).toEqual([expect.objectContaining({ code: "STEP_TIMEOUT" })]);
  });

  test("gives its recorded value on the first run too", async () => {
    const w = world([1]);
    const dates = workflow("dates", { version: 1 }, async (ctx) => {
      const value: unknown = await ctx.step("date", () => ({ at: new Date(0), gone: undefined }));
      const nothing = await ctx.step("nothing", () => undefined);
      return { value, nothing: nothing === undefined };
    });
    await w.startAll([dates]);
    expect(await (await w.runtime(1).startWorkflow(dates, undefined)).result()).toEqual({
      value: { at: "1970-01-01T00:00:00.000Z" },
      nothing: true,
    });
  });

  test.each<[string, unknown, string]>([
    ["a function", { f: () => 1 }, "at f there is a function"],
    ["a bigint", { a: [1n] }, "at a[0] there is a bigint"],
    ["undefined in an array", [undefined], "at [0] there is undefined"],
    ["NaN", Number.NaN, "it is NaN"],
    ["a Map", { m: new Map() }, "at m there is a Map"],
  ])("that returns %s fails, saying which and where", async (_, value, expected) => {
    const w = world([1]);
    const bad = workflow("bad", { version: 1 }, async (ctx) =>
      ctx.scope("outer", (outer) => outer.step("returns", () => value, { retry: fast })),
    );
    await w.startAll([bad]);
    const run = await w.runtime(1).startWorkflow(bad, undefined);
    const error = await run.result().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: { code: "VALUE_NOT_SERIALIZABLE" } });
    expect(String(error)).toContain("step outer/returns#0 cannot be recorded");
    expect(String(error)).toContain(expected);
  });

  test("whose value is over the limit fails, here and in the log", async () => {
    const w = world([1]);
    const large = workflow("large", { version: 1 }, async (ctx, size: number) =>
      ctx.step("large", () => "x".repeat(size)),
    );
    await w.startAll([large], { limits: { maxPayloadBytes: 1000 } });
    const run = await w.runtime(1).startWorkflow(large, 2000);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
    w.cluster.node(1).fault = (command) =>
      command.kind === "Checkpoint" && command.recordKind === "step" ? "refused" : "none";
    const second = await w.runtime(1).startWorkflow(large, 500);
    await expect(second.result()).rejects.toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
  });

  test("in parallel branches interleaves freely, and keeps its path", async () => {
    const w = world([1]);
    const parallel = workflow("parallel", { version: 1 }, async (ctx, items: string[]) =>
      Promise.all(
        items.map((item) =>
          ctx.scope("item", async (branch) => {
            const first = await branch.step("take", () => item);
            return await branch.step("pack", () => `${first}!`);
          }),
        ),
      ),
    );
    await w.startAll([parallel]);
    const run = await w.runtime(1).startWorkflow(parallel, ["a", "b"]);
    expect(await run.result()).toEqual(["a!", "b!"]);
    const view = await w.runtime(1).getRun(run.id);
    expect(view?.history.map(([key]) => key).toSorted()).toEqual([
      "item#1/pack#0",
      "item#1/take#0",
      "item/pack#0",
      "item/take#0",
    ]);
  });

  test("is recorded once although the outcome of a proposal was unknown", async () => {
    const w = world([1]);
    let calls = 0;
    const once = workflow("once", { version: 1 }, async (ctx) => {
      const counted = await ctx.step("count", () => ++calls);
      await ctx.step("other", () => undefined);
      return counted;
    });
    await w.startAll([once]);
    const faults = ["applied-but-unknown", "lost", "none"] as const;
    const seen = new Map<string, number>();
    w.cluster.node(1).fault = (command) => {
      const attempt = seen.get(command.kind) ?? 0;
      seen.set(command.kind, attempt + 1);
      return faults[attempt] ?? "none";
    };
    const run = await w.runtime(1).startWorkflow(once, undefined);
    expect(await run.result()).toBe(1);
    expect(calls).toBe(1);
    expect(Object.fromEntries(seen)).toMatchObject({ WorkflowStart: 3, Checkpoint: 3, Records: 1 });
  });
});

describe("variables, time and randomness", () => {
  const gathered = workflow("gathered", { version: 1 }, async (ctx) => {
    const status = await ctx.variable("status", "new");
    const computed = await ctx.variable("computed", () => Math.random());
    await status.set("busy");
    await status.update((value) => `${value}!`);
    const now = await ctx.now();
    const drawn = [ctx.random(), ctx.uuid(), await ctx.scope("s", async (s) => s.random())];
    if (await ctx.waitFor("crash?")) await ctx.step("done", () => undefined);
    return { status: status.get(), computed: computed.value, now, drawn };
  });

  test("are the same when another node goes on", async () => {
    const w = world();
    await w.startAll([gathered]);
    const waiting = w.next("record-committed", (event) => event.kind === "now");
    const run = await w.runtime(2).startWorkflow(gathered, undefined, { id: "v" });
    await waiting;
    const before = await w.runtime(1).getRun("v");
    w.kill(2);
    const taken = w.next("body-started");
    w.cluster.reportLost(2);
    const { nodeId, replayed } = await taken;
    expect([nodeId, replayed]).toEqual([1, 5]);
    await w.runtime(3).signal("v", "crash?", false);
    const result = (await w.runtime(3).result("v")) as {
      status: string;
      computed: number;
      now: number;
      drawn: unknown[];
    };
    const recorded = new Map(before?.history.map(([key, { value }]) => [key, Buffer.from(value).toString()]));
    expect(result.status).toBe("busy!");
    expect(result.computed).toBe(Number(recorded.get("computed#0")));
    expect(result.now).toBe(Number(recorded.get("now#0")));
    expect(recorded.get("status#0/set1")).toBe('"busy!"');
    expect(result.drawn[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(result.drawn).size).toBe(3);
    expect(run.id).toBe("v");
  });
});
