/** Bodies that leave memory while they rest, and run again when something happens to their runs (run-execution.ts B8, executions.ts O5). */
import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { type World, world } from "../../testing/workflow-world.ts";

/** What a body leaves to be seen: how often it ran, and what each of its runs saw. */
interface Seen {
  readonly bodies: number[];
}

interface Case {
  readonly body: (ctx: WorkflowContext) => Promise<unknown>;
  /** What wakes the run. */
  readonly wake: (w: World, clock: HandClock) => Promise<unknown>;
  readonly result: unknown;
}

const signal = (name: string, payload?: unknown) => (w: World) => w.runtime(1).signal("r", name, payload);
const advance = (ms: number) => (_: World, clock: HandClock) => clock.advance(ms);
let tokens: string[] = [];

const child = workflow("child", { version: 1 }, async (ctx) => (await ctx.waitFor("end")) as string);

const CASES: Readonly<Record<string, Case>> = {
  "a sleep": { body: (ctx) => ctx.sleep("10s").then(() => "slept"), wake: advance(10_000), result: "slept" },
  "a sleep of several": {
    body: (ctx) => Promise.all([ctx.sleep("20s").then(() => 2), ctx.sleep("10s").then(() => ctx.step("s", () => 1))]),
    wake: advance(20_000),
    result: [2, 1],
  },
  "a wait for a signal": { body: (ctx) => ctx.waitFor("go"), wake: signal("go", "gone"), result: "gone" },
  "a wait with a timeout, that a signal ends": {
    body: (ctx) => ctx.waitFor("go", { timeout: "10s" }),
    wake: signal("go", 1),
    result: { timedOut: false, payload: 1 },
  },
  "a wait with a timeout, that time ends": {
    body: (ctx) => ctx.waitFor("go", { timeout: "10s" }),
    wake: advance(10_000),
    result: { timedOut: true },
  },
  "a token that is answered": {
    body: async (ctx) => {
      const token = await ctx.token<string>("t");
      await ctx.step("send", () => void tokens.push(token.id));
      return await token.answer();
    },
    wake: (w) => w.runtime(1).answer(tokens.at(-1) ?? "", "yes"),
    result: "yes",
  },
  "a token that expires": {
    body: async (ctx) => {
      const token = await ctx.token("t", { timeout: "10s" });
      return await token.answer().catch((error: Error) => error.name);
    },
    wake: advance(10_000),
    result: "TokenExpiredError",
  },
  "a child": {
    body: (ctx) => ctx.run(child, undefined, { id: "c" }),
    wake: (w) => w.runtime(1).signal("c", "end", "ended"),
    result: "ended",
  },
  "a condition, that a branch makes true": {
    body: async (ctx) => {
      let got = 0;
      const taking = ctx.waitFor("go").then(() => {
        got = 1;
      });
      await ctx.condition(() => got > 0);
      await taking;
      return got;
    },
    wake: signal("go"),
    result: 1,
  },
  "a condition whose time is over": {
    body: (ctx) => ctx.condition(() => false, { timeout: "10s" }),
    wake: advance(10_000),
    result: false,
  },
  "a scope whose time is over": {
    body: (ctx) =>
      ctx.scope("s", (own) => own.waitFor("never"), { timeout: "10s" }).catch((error: Error) => error.name),
    wake: advance(10_000),
    result: "ScopeTimeoutError",
  },
  "a race": {
    body: (ctx) => ctx.race({ paid: (own) => own.waitFor("paid"), late: (own) => own.sleep("2d") }),
    wake: signal("paid", 5),
    result: { winner: "paid", value: 5 },
  },
  "a delay between two attempts of a step": {
    body: (ctx) =>
      ctx.step(
        "s",
        ({ attempt }) => {
          if (attempt === 1) throw new Error("not yet");
          return attempt;
        },
        { retry: { attempts: 2, initialDelay: "10s", jitter: 0 } },
      ),
    wake: advance(10_000),
    result: 2,
  },
};

/** A run of a body on one node, at rest. */
async function started(body: (ctx: WorkflowContext) => Promise<unknown>, options: object = {}) {
  const [w, clock] = [world([1]), new HandClock()];
  const seen: Seen = { bodies: [] };
  const definition = workflow("body", { version: 1 }, async (ctx) => {
    seen.bodies.push(ctx.attempt);
    return (await body(ctx)) ?? null;
  });
  await w.startAll([definition, child], { clock, ...options });
  const run = await w.runtime(1).startWorkflow(definition, undefined, { id: "r" });
  await clock.advance(0);
  return { w, clock, seen, run };
}

describe("a body that was taken out of memory", () => {
  test.each(Object.entries(CASES))("goes on from %s as if nothing had been", async (_, { body, wake, result }) => {
    tokens = [];
    const { w, clock, seen, run } = await started(body);
    const evicting = w.runtime(1).evict("r");
    await clock.advance(100);
    expect(await evicting).toBe(true);
    expect(w.runtime(1).residency).toMatchObject({ evicted: 1, evictions: 1 });
    await wake(w, clock);
    await clock.advance(0);
    expect(await run.result()).toEqual(result);
    expect(seen.bodies).toEqual([1, 1]);
    expect(w.events.filter(({ type }) => type === "body-started")).toHaveLength(
      w.runtime(1).residency.evictions + (_ === "a child" ? 1 : 0),
    );
    expect(w.runtime(1).residency).toMatchObject({ resident: 0, evicted: 0 });
  });

  test("as often as it rests: with every wait of its life", async () => {
    const { w, clock, seen, run } = await started(async (ctx) => {
      const got: unknown[] = [];
      for (let at = 0; at < 3; at++) {
        got.push(await ctx.waitFor("go"), await ctx.step("s", () => at));
        await ctx.sleep("10s");
      }
      return got;
    });
    for (let at = 0; at < 3; at++) {
      const first = w.runtime(1).evict("r");
      await clock.advance(100);
      await run.signal("go", `go ${at}`);
      await clock.advance(0);
      const second = w.runtime(1).evict("r");
      await clock.advance(100);
      await clock.advance(10_000);
      expect([await first, await second]).toEqual([true, true]);
    }
    expect(await run.result()).toEqual(["go 0", 0, "go 1", 1, "go 2", 2]);
    expect(seen.bodies).toHaveLength(7);
  });

  test("does not run again for what it does not wait for, and finds it when it asks", async () => {
    const { w, clock, seen, run } = await started(async (ctx) => [
      await ctx.waitFor("first"),
      await ctx.waitFor("second"),
    ]);
    await clock.advance(0);
    const evicting = w.runtime(1).evict("r");
    await clock.advance(0);
    await evicting;
    await run.signal("second", 2);
    await clock.advance(10);
    expect(seen.bodies).toHaveLength(1);
    await run.signal("first", 1);
    await clock.advance(0);
    expect(await run.result()).toEqual([1, 2]);
    expect(seen.bodies).toHaveLength(2);
  });

  test("hears of a cancellation, also on a full node and without a record", async () => {
    const cleaned: string[] = [];
    const { w, clock, run } = await started(
      async (ctx) => {
        if (ctx.runId === "busy") return ctx.step("hold", () => new Promise<never>(() => {}));
        try {
          return await ctx.waitFor("never");
        } finally {
          await ctx.shield((own) => own.step("clean", () => void cleaned.push(ctx.runId)));
        }
      },
      { limits: { maxRunningBodies: 1 } },
    );
    const evicting = w.runtime(1).evict("r");
    await clock.advance(0);
    expect(await evicting).toBe(true);
    await w.runtime(1).startWorkflow("body", undefined, { id: "busy" });
    await clock.advance(0);
    await run.cancel("enough");
    await clock.advance(100);
    await expect(run.result()).rejects.toMatchObject({ reason: "enough" });
    expect(cleaned).toEqual(["r"]);
  });

  test("hears of a cancellation where it rested, and not in a sleep that had ended before (body-cancellation.ts CN2)", async () => {
    const seen: string[] = [];
    const { w, clock, run } = await started(async (ctx) => {
      const at = async (place: string, call: Promise<unknown>): Promise<void> => {
        await call.catch((error: unknown) => {
          seen.push(`cancelled in ${place}`);
          throw error;
        });
      };
      await at("the sleep", ctx.sleep("10s"));
      await at("the wait", ctx.waitFor("never"));
    });
    await clock.advance(10_000);
    const evicting = w.runtime(1).evict("r");
    await clock.advance(100);
    expect(await evicting).toBe(true);
    await run.cancel("enough");
    await clock.advance(100);
    await expect(run.result()).rejects.toMatchObject({ reason: "enough" });
    expect(seen).toEqual(["cancelled in the wait"]);
  });

  test("writes no line and no chunk again", async () => {
    const lines: string[] = [];
    const info = (_: object, message: string): void => void lines.push(message);
    const nothing = (): void => {};
    const { w, clock, run } = await started(
      async (ctx) => {
        ctx.log.info("begins");
        const out = ctx.stream<number>("out");
        await out.write(1);
        await ctx.sleep("10s");
        ctx.log.info("has slept");
        await out.write(2);
        await ctx.waitFor("go");
        ctx.log.info("goes on");
        await out.write(3);
      },
      { logger: { debug: nothing, info, warn: nothing, error: nothing } },
    );
    for (const ms of [10_000, 0]) {
      const evicting = w.runtime(1).evict("r");
      await clock.advance(100);
      expect(await evicting).toBe(true);
      await clock.advance(ms);
    }
    await run.signal("go");
    await clock.advance(100);
    await run.result();
    expect(lines.filter((line) => /begins|slept|goes on/.test(line))).toEqual(["begins", "has slept", "goes on"]);
    const page = await w.cluster.node(1).engine.stream({ runId: "r", stream: "out" });
    expect(page?.chunks.map(({ value }) => new TextDecoder().decode(value))).toEqual(["1", "2", "3"]);
  });

  test("sleeps no second time when the wall clock was set back (run-time.ts T3)", async () => {
    const { w, clock, run, seen } = await started(async (ctx) => {
      await ctx.sleep("10s");
      seen.bodies.push(0);
      await ctx.waitFor("go");
    });
    await clock.advance(10_000);
    const evicting = w.runtime(1).evict("r");
    await clock.advance(100);
    expect(await evicting).toBe(true);
    clock.setBack(9_000);
    await run.signal("go");
    await clock.advance(100);
    await run.result();
    expect(seen.bodies).toEqual([1, 0, 1, 0]);
  });

  test("aborts its signal with BODY_EVICTED, and answers a query without coming back", async () => {
    const reasons: unknown[] = [];
    const { w, clock, seen } = await started(async (ctx) => {
      ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
      ctx.onQuery({ name: "where" } as never, () => "waiting");
      await ctx.waitFor("never");
    });
    const evicting = w.runtime(1).evict("r");
    await clock.advance(0);
    await evicting;
    expect(reasons).toMatchObject([{ code: "BODY_EVICTED" }]);
    const answer = w.runtime(1).query("r", "where");
    await clock.advance(0);
    expect(await answer).toBe("waiting");
    expect(w.runtime(1).residency).toMatchObject({ resident: 0, evicted: 1 });
    expect(seen.bodies).toHaveLength(2);
  });
});

describe("a body stays in memory", () => {
  test.each<[string, (ctx: WorkflowContext) => Promise<unknown>]>([
    [
      "while a step is under way beside its wait",
      (ctx) => Promise.all([ctx.sleep("10s"), ctx.step("s", () => new Promise<never>(() => {}))]),
    ],
    ["while it awaits something that is not its context's and no call is open", () => new Promise<never>(() => {})],
  ])("%s", async (_, body) => {
    const { w, clock } = await started(body);
    void w.runtime(1).evict("r");
    await clock.advance(1_000);
    expect(w.runtime(1).residency).toMatchObject({ resident: 1, evicted: 0 });
  });

  test("while what it was answered with is not committed, and leaves then", async () => {
    const { w, clock } = await started((ctx) => ctx.sleep("10s"));
    const other = await w.runtime(1).startWorkflow("body", undefined, { id: "lost" });
    expect(other.created).toBe(true);
    await clock.advance(10);
    const node = w.cluster.node(1);
    let isLost = true;
    node.fault = (command) => (isLost && command.kind === "Checkpoint" ? "lost" : "none");
    await w.runtime(1).startWorkflow("body", undefined, { id: "slow" });
    const evicting = w.runtime(1).evict("slow");
    await clock.advance(1_000);
    expect(w.runtime(1).residency).toMatchObject({ resident: 3, evicted: 0 });
    isLost = false;
    await clock.advance(10_000);
    expect(await evicting).toBe(true);
    expect((await w.runtime(1).getRun("slow"))?.history).toHaveLength(1);
  });

  test("when it is cancelled and cleans up", async () => {
    const { w, clock, run } = await started(async (ctx) => {
      try {
        await ctx.waitFor("never");
      } finally {
        await ctx.shield((own) => own.sleep("5s"));
      }
    });
    await run.cancel("enough");
    await clock.advance(100);
    const evicting = w.runtime(1).evict("r");
    await clock.advance(4_000);
    expect(w.runtime(1).residency).toMatchObject({ resident: 1 });
    await clock.advance(2_000);
    expect(await evicting).toBe(false);
  });
});
