import { afterEach, describe, expect, test } from "vitest";
import { CancelledError, RetryableError, StepFailedError, TerminalError } from "../author/errors.ts";
import { type WorkflowDefinition, workflow } from "../author/workflow.ts";
import { InProcessCluster } from "../testing/in-process-cluster.ts";
import type { RuntimeEvent } from "./runtime-event.ts";
import type { WorkflowRuntimeOptions } from "./runtime-options.ts";
import { WorkflowRuntime } from "./workflow-runtime.ts";

/** A promise that the test settles, for bodies to wait on. */
class Latch {
  readonly #opened = Promise.withResolvers<void>();
  open(): void {
    this.#opened.resolve();
  }
  get opened(): Promise<void> {
    return this.#opened.promise;
  }
}

class World {
  readonly cluster: InProcessCluster;
  readonly runtimes = new Map<number, WorkflowRuntime>();
  readonly events: RuntimeEvent[] = [];
  #watchers: { matches: (event: RuntimeEvent) => boolean; resolve: (event: RuntimeEvent) => void }[] = [];

  constructor(nodeIds?: readonly number[]) {
    this.cluster = new InProcessCluster(nodeIds);
  }

  start(nodeId: number, workflows: Iterable<WorkflowDefinition>, options: Partial<WorkflowRuntimeOptions> = {}) {
    const { engine } = this.cluster.node(nodeId);
    const runtime = WorkflowRuntime.start({ engine, registry: workflows, ...options });
    this.runtimes.set(nodeId, runtime);
    runtime.events.subscribe((event) => this.#heard(nodeId, event));
    return runtime;
  }

  #heard(nodeId: number, event: RuntimeEvent): void {
    // Replicated events are heard on every node; those of the highest id suffice.
    const local =
      event.type === "body-started" || event.type === "step-attempt-failed" || event.type === "checkpoints-unused";
    if (!local && nodeId !== Math.max(...this.runtimes.keys())) return;
    this.events.push(event);
    const matching = this.#watchers.filter((watcher) => watcher.matches(event));
    this.#watchers = this.#watchers.filter((watcher) => !matching.includes(watcher));
    for (const watcher of matching) watcher.resolve(event);
  }

  /** The next event of a kind; the test's time limit is the bound. */
  next<T extends RuntimeEvent["type"]>(
    type: T,
    where: (event: Extract<RuntimeEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<RuntimeEvent, { type: T }>> {
    const matches = (event: RuntimeEvent): boolean =>
      event.type === type && where(event as Extract<RuntimeEvent, { type: T }>);
    return new Promise((resolve) => {
      this.#watchers.push({ matches, resolve: (event) => resolve(event as Extract<RuntimeEvent, { type: T }>) });
    });
  }

  async startAll(
    workflows: Iterable<WorkflowDefinition>,
    options: Partial<WorkflowRuntimeOptions> = {},
  ): Promise<void> {
    const list = [...workflows];
    for (const nodeId of this.cluster.nodes.keys()) this.start(nodeId, list, options);
    await Promise.all([...this.runtimes.values()].map((runtime) => runtime.registered));
    this.cluster.lead(1);
  }

  runtime(nodeId: number): WorkflowRuntime {
    const runtime = this.runtimes.get(nodeId);
    if (runtime === undefined) throw new Error(`no runtime ${nodeId}`);
    return runtime;
  }

  kill(nodeId: number): void {
    this.cluster.kill(nodeId);
    this.runtime(nodeId).stop();
  }

  stop(): void {
    for (const runtime of this.runtimes.values()) runtime.stop();
  }
}

const worlds: World[] = [];
function world(nodeIds?: readonly number[]): World {
  const made = new World(nodeIds);
  worlds.push(made);
  return made;
}
afterEach(() => {
  for (const made of worlds.splice(0)) made.stop();
});

const fast = { attempts: 3, initialDelay: 1, jitter: 0 } as const;

describe("a run", () => {
  test("gives its result on every node", async () => {
    const w = world();
    const greet = workflow("greet", { version: 1 }, async (ctx, name: string) => {
      const greeting = await ctx.step("compose", () => `hello ${name}`);
      return { greeting, at: ctx.runId };
    });
    await w.startAll([greet]);
    const run = await w.runtime(2).startWorkflow(greet, "ada", { id: "g1" });
    expect(await run.result()).toEqual({ greeting: "hello ada", at: "g1" });
    expect(await w.runtime(3).result("g1")).toEqual({ greeting: "hello ada", at: "g1" });
    expect(await w.runtime(1).handle("g1").status()).toMatchObject({ status: "Completed", owner: 2 });
  });

  test("starts once however often it is asked for", async () => {
    const w = world();
    let bodies = 0;
    const count = workflow("count", { version: 1 }, async () => ++bodies);
    await w.startAll([count]);
    const [first, second] = await Promise.all([
      w.runtime(1).startWorkflow(count, 1, { id: "same" }),
      w.runtime(2).startWorkflow(count, 1, { id: "same" }),
    ]);
    expect([first.created, second.created].toSorted()).toEqual([false, true]);
    expect([await first.result(), await second.result()]).toEqual([1, 1]);
    await expect(w.runtime(3).startWorkflow(count, 2, { id: "same" })).rejects.toMatchObject({
      code: "WORKFLOW_ID_CONFLICT",
    });
  });

  test("is executed by a node that has its type, when the one that starts it has not", async () => {
    const w = world([1, 2]);
    const there = workflow("there", { version: 1 }, async (ctx) => ctx.nodeId);
    w.start(1, []);
    w.start(2, [there]);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    const run = await w.runtime(1).startWorkflow("there", undefined);
    expect(await run.result()).toBe(2);
    await expect(w.runtime(1).startWorkflow("nowhere", undefined)).rejects.toMatchObject({
      code: "WORKFLOW_TYPE_UNKNOWN",
      details: { known: ["there@1"] },
    });
  });

  test("fails with what its body threw, on every node", async () => {
    const w = world();
    const broken = workflow("broken", { version: 1 }, async () => {
      throw new TerminalError("card refused", { code: "CARD_REFUSED" });
    });
    await w.startAll([broken]);
    const run = await w.runtime(1).startWorkflow(broken, undefined);
    await expect(w.runtime(2).result(run.id)).rejects.toMatchObject({
      code: "WORKFLOW_FAILED",
      failure: { name: "TerminalError", message: "card refused", code: "CARD_REFUSED" },
    });
  });

  test("is executed by the version it began with", async () => {
    const w = world([1]);
    const v1 = workflow("v", { version: 1 }, async () => "one");
    const v2 = workflow("v", { version: 2 }, async () => "two");
    await w.startAll([v1, v2]);
    expect(await (await w.runtime(1).startWorkflow("v", undefined)).result()).toBe("two");
    expect(await (await w.runtime(1).startWorkflow(v1, undefined)).result()).toBe("one");
  });

  test("is refused when its input is not what its schema takes", async () => {
    const w = world([1]);
    const schema = {
      "~standard": {
        validate: (value: unknown) =>
          typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "not a number", path: ["n"] }] },
      },
    };
    const double = workflow("double", { version: 1, input: schema }, async (_, n: number) => n);
    await w.startAll([double]);
    await expect(w.runtime(1).startWorkflow("double", "x")).rejects.toThrow("n: not a number");
    expect(await (await w.runtime(1).startWorkflow(double, 4)).result()).toBe(8);
  });

  test("is not found when nobody started it", async () => {
    const w = world([1]);
    await w.startAll([]);
    await expect(w.runtime(1).result("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).signal("nothing", "go")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).cancel("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(w.runtime(1).handle("nothing").status()).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  });

  test("runs beyond the bound wait, and sleeping ones do not count", async () => {
    const w = world([1]);
    const gate = new Latch();
    let running = 0;
    let most = 0;
    const busy = workflow("busy", { version: 1 }, async (ctx) => {
      await ctx.step("work", async () => {
        running += 1;
        most = Math.max(most, running);
        await gate.opened;
        running -= 1;
      });
    });
    const lazy = workflow("lazy", { version: 1 }, async (ctx) => ctx.waitFor("go"));
    await w.startAll([busy, lazy], { limits: { maxRunningBodies: 2 } });
    const waiting = await Promise.all([1, 2, 3].map(() => w.runtime(1).startWorkflow(lazy, undefined)));
    const runs = await Promise.all([1, 2, 3, 4, 5].map(() => w.runtime(1).startWorkflow(busy, undefined)));
    expect(running).toBe(2);
    gate.open();
    await Promise.all(runs.map((run) => run.result()));
    expect(most).toBe(2);
    await Promise.all(waiting.map((run) => run.signal("go", 1)));
    expect(await Promise.all(waiting.map((run) => run.result()))).toEqual([1, 1, 1]);
  });
});

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
    ["a function", { f: () => 1 }, "at f there is function"],
    ["a bigint", { a: [1n] }, "at a[0] there is bigint"],
    ["undefined in an array", [undefined], "at [0] there is undefined"],
    ["NaN", Number.NaN, "it is NaN"],
    ["a Map", { m: new Map() }, "at m there is Map"],
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
      command.kind === "Checkpoint" && command.record === "STEP" ? "refused" : "none";
    const second = await w.runtime(1).startWorkflow(large, 500);
    await expect(second.result()).rejects.toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
    await expect(w.runtime(1).startWorkflow("large", "x".repeat(2000))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
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
    expect(view?.checkpoints.map(([key]) => key).toSorted()).toEqual([
      "item#1/pack#0",
      "item#1/take#0",
      "item/pack#0",
      "item/take#0",
    ]);
  });

  test("is recorded once although the outcome of a proposal was unknown", async () => {
    const w = world([1]);
    let calls = 0;
    const once = workflow("once", { version: 1 }, async (ctx) => ctx.step("count", () => ++calls));
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
    expect(Object.fromEntries(seen)).toMatchObject({ WorkflowStart: 3, Checkpoint: 3 });
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
    if (await ctx.waitFor<boolean>("crash?")) await ctx.step("done", () => undefined);
    return { status: status.get(), computed: computed.value, now, drawn };
  });

  test("are the same when another node goes on", async () => {
    const w = world();
    await w.startAll([gathered]);
    const waiting = w.next("checkpoint-committed", (event) => event.record === "NOW");
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
    const recorded = new Map(
      before?.checkpoints.map(([key, { value, at }]) => [key, { value: Buffer.from(value).toString(), at }]),
    );
    expect(result.status).toBe("busy!");
    expect(result.computed).toBe(Number(recorded.get("computed#0")?.value));
    expect(result.now).toBe(recorded.get("now#0")?.at);
    expect(recorded.get("status#0/set#1")?.value).toBe('"busy!"');
    expect(result.drawn[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(result.drawn).size).toBe(3);
    expect(run.id).toBe("v");
  });
});

describe("waiting", () => {
  test("a signal sent before the wait is kept; each is delivered once, in order", async () => {
    const w = world([1]);
    const hold = new Latch();
    const reader = workflow("reader", { version: 1 }, async (ctx) => {
      await ctx.step("hold", () => hold.opened);
      const first = await ctx.waitFor<number>("n");
      const rest = await Promise.all([ctx.waitFor<number>("n"), ctx.waitFor<number>("n")]);
      return [first, ...rest];
    });
    await w.startAll([reader]);
    const run = await w.runtime(1).startWorkflow(reader, undefined);
    await run.signal("n", 1);
    await run.signal("n", 2);
    hold.open();
    await w.next("checkpoint-committed", (event) => event.key === "n#1");
    await run.signal("n", 3);
    expect(await run.result()).toEqual([1, 2, 3]);
  });

  test("a wait with a timeout gives undefined when nothing came in time", async () => {
    const w = world([1]);
    const patient = workflow("patient", { version: 1 }, async (ctx) => {
      const got = await ctx.waitFor<string>("never", { timeout: "10ms" });
      return got === undefined ? "timed out" : got;
    });
    await w.startAll([patient]);
    expect(await (await w.runtime(1).startWorkflow(patient, undefined)).result()).toBe("timed out");
  });

  test("a sleep goes on where it was when another node takes over", async () => {
    const w = world();
    const sleeper = workflow("sleeper", { version: 1 }, async (ctx) => {
      const before = await ctx.now();
      await ctx.sleep("60ms");
      return before;
    });
    await w.startAll([sleeper]);
    const asleep = w.next("checkpoint-committed", (event) => event.record === "SLEEP");
    await w.runtime(3).startWorkflow(sleeper, undefined, { id: "s" });
    await asleep;
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    const before = (await w.runtime(1).result("s")) as number;
    expect(Date.now() - before).toBeGreaterThanOrEqual(58);
    const run = await w.runtime(1).getRun("s");
    expect(run?.checkpoints.map(([key]) => key)).toEqual(["now#0", "sleep#0"]);
  });
});

describe("cancelling", () => {
  test("interrupts steps, sleeps and waits with CancelledError and ends the run", async () => {
    const w = world();
    const caught: unknown[] = [];
    const stuck = workflow("stuck", { version: 1 }, async (ctx, where: string) => {
      try {
        if (where === "step") await ctx.step("s", () => new Promise(() => {}));
        if (where === "sleep") await ctx.sleep("1h");
        if (where === "wait") await ctx.waitFor("x", { timeout: "1h" });
      } catch (error) {
        caught.push(error);
        await ctx.step("after", () => 1);
      }
    });
    await w.startAll([stuck]);
    for (const where of ["step", "sleep", "wait"]) {
      const begun =
        where === "step"
          ? w.next("body-started")
          : w.next("checkpoint-committed", (event) => event.record === "SLEEP" || event.record === "WAIT_DEADLINE");
      const run = await w.runtime(1).startWorkflow(stuck, where);
      await begun;
      await w.runtime(2).cancel(run.id, "enough");
      await expect(w.runtime(3).result(run.id)).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED", reason: "enough" });
      await expect(w.runtime(2).cancel(run.id)).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
    }
    expect(caught).toHaveLength(3);
    for (const error of caught) expect(error).toBeInstanceOf(CancelledError);
  });

  test("ends a body that does not listen, after the grace", async () => {
    const w = world([1]);
    const deaf = workflow("deaf", { version: 1 }, async () => new Promise(() => {}));
    await w.startAll([deaf], { limits: { cancelGraceMs: 5 } });
    const run = await w.runtime(1).startWorkflow(deaf, undefined);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
  });

  test("survives the owner's death: the new owner's body is cancelled at the first new call", async () => {
    const w = world();
    const held = new Latch();
    const seen: string[] = [];
    const work = workflow("work", { version: 1 }, async (ctx) => {
      await ctx.step("first", () => 1);
      seen.push(`first on ${ctx.nodeId}`);
      if (ctx.nodeId === 2) await held.opened;
      await ctx.step("second", () => seen.push("second"));
    });
    await w.startAll([work]);
    const committed = w.next("checkpoint-committed");
    await w.runtime(2).startWorkflow(work, undefined, { id: "c" });
    await committed;
    await w.runtime(1).cancel("c", "stop");
    w.kill(2);
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("c")).rejects.toMatchObject({ reason: "stop" });
    expect(seen).toEqual(["first on 2", "first on 1"]);
  });
});

describe("takeover", () => {
  test("goes on from the last committed step; committed steps do not run again", async () => {
    const w = world();
    const executed: string[] = [];
    const stuck = new Latch();
    const begun = new Latch();
    const steps = workflow("steps", { version: 1 }, async (ctx) => {
      for (const name of ["a", "b", "c"]) {
        await ctx.step(name, async () => {
          executed.push(`${name} on ${ctx.nodeId}`);
          if (name !== "c" || ctx.nodeId !== 3) return;
          begun.open();
          await stuck.opened;
        });
      }
      return ctx.attempt;
    });
    await w.startAll([steps]);
    await w.runtime(3).startWorkflow(steps, undefined, { id: "t" });
    await begun.opened;
    const changed = w.next("owner-changed");
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    expect(await w.runtime(1).result("t")).toBe(2);
    expect(executed).toEqual(["a on 3", "b on 3", "c on 3", "c on 1"]);
    expect(await changed).toMatchObject({ from: 3, to: 1, reason: "NODE_FAILURE" });
  });

  test("fences an owner that is only cut off: nothing it does is recorded, and its body goes nowhere", async () => {
    const w = world();
    const release = new Latch();
    const log: string[] = [];
    const tokens: number[] = [];
    const signals: AbortSignal[] = [];
    const guarded = workflow("guarded", { version: 1 }, async (ctx) => {
      tokens.push(ctx.fencingToken);
      signals.push(ctx.signal);
      try {
        const value = await ctx.step("write", async () => {
          if (ctx.nodeId === 2) await release.opened;
          return `by ${ctx.nodeId}`;
        });
        log.push(`${ctx.nodeId} got ${value}`);
        return value;
      } catch (error) {
        log.push(`${ctx.nodeId} caught ${String(error)}`);
        throw error;
      }
    });
    await w.startAll([guarded]);
    await w.runtime(2).startWorkflow(guarded, undefined, { id: "f" });
    w.cluster.node(2).connected = false;
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("f")).toBe("by 1");
    release.open();
    const back = w.next("node-changed", (event) => event.nodeId === 2 && event.status === "Live");
    w.cluster.reportReturned(2);
    w.cluster.reconnect(2);
    await back;
    expect(await w.runtime(2).result("f")).toBe("by 1");
    expect(log).toEqual(["1 got by 1"]);
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.NaN);
    expect(signals[0]?.aborted).toBe(true);
  });

  test("a restarted node resumes what it still owns, from the log or from a snapshot", async () => {
    for (const fromSnapshot of [false, true]) {
      const w = world();
      const executed: string[] = [];
      const resume = workflow("resume", { version: 1 }, async (ctx) => {
        await ctx.step("before", () => executed.push("before"));
        const go = await ctx.waitFor<string>("go");
        await ctx.step("after", () => executed.push("after"));
        return go;
      });
      await w.startAll([resume]);
      const before = w.next("checkpoint-committed");
      await w.runtime(2).startWorkflow(resume, undefined, { id: "r" });
      await before;
      w.kill(2);
      await w.cluster.restart(2, fromSnapshot ? { fromSnapshotOf: 1 } : {});
      const started = w.next("body-started");
      w.start(2, [resume]);
      expect(await started).toMatchObject({ nodeId: 2, attempt: 2, replayed: 1 });
      await w.runtime(1).signal("r", "go", "on");
      expect(await w.runtime(2).result("r")).toBe("on");
      expect(executed).toEqual(["before", "after"]);
    }
  });

  test("follows a snapshot that replaces the state under a running node", async () => {
    const w = world();
    const gate = new Latch();
    const bodies: number[] = [];
    const work = workflow("work", { version: 1 }, async (ctx) => {
      bodies.push(ctx.nodeId);
      await ctx.step("gate", () => gate.opened);
      return ctx.nodeId;
    });
    await w.startAll([work]);
    await w.runtime(2).startWorkflow(work, undefined, { id: "x" });
    w.cluster.node(2).connected = false;
    const waiting = w.runtime(2).result("x");
    w.cluster.reportLost(2);
    await w.next("body-started", (event) => event.nodeId === 1);
    const back = w.next("node-changed", (event) => event.nodeId === 2 && event.status === "Live");
    await w.cluster.installSnapshot(2, 1);
    w.cluster.reportReturned(2);
    w.cluster.reconnect(2);
    gate.open();
    expect(await waiting).toBe(1);
    await back;
    expect(bodies).toEqual([2, 1]);
  });

  test("leaves a run that nobody can take until a node that can registers", async () => {
    const w = world([1, 2]);
    const rare = workflow("rare", { version: 1 }, async (ctx) => {
      await ctx.waitFor("go");
      return ctx.nodeId;
    });
    w.start(1, []);
    w.start(2, [rare]);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    w.cluster.lead(1);
    await w.runtime(2).startWorkflow(rare, undefined, { id: "o" });
    w.kill(2);
    w.runtimes.delete(2);
    const orphaned = w.next("owner-changed", (event) => event.to === 0);
    w.cluster.reportLost(2);
    await orphaned;
    await w.cluster.restart(2);
    w.start(2, [rare]);
    await w.runtime(2).registered;
    await w.runtime(1).signal("o", "go");
    expect(await w.runtime(1).result("o")).toBe(2);
  });
});

describe("draining", () => {
  test("lets steps under way finish, then hands all runs over with one command", async () => {
    const w = world();
    const slow = new Latch();
    const executed: string[] = [];
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.step("one", async () => {
        executed.push(`one on ${ctx.nodeId}`);
        await slow.opened;
      });
      await ctx.step("two", () => executed.push(`two on ${ctx.nodeId}`));
      return ctx.nodeId;
    });
    await w.startAll([order]);
    await w.runtime(3).startWorkflow(order, undefined, { id: "d" });
    const drained = w.runtime(3).drain();
    slow.open();
    expect(await drained).toEqual({ moved: 1, orphaned: 0 });
    expect(await w.runtime(1).result("d")).toBe(1);
    expect(executed).toEqual(["one on 3", "two on 1"]);
    const run = await w.runtime(3).startWorkflow(order, undefined);
    expect(await run.result()).not.toBe(3);
  });

  test("does not wait longer than its grace", async () => {
    const w = world();
    const forever = workflow("forever", { version: 1 }, async (ctx) => {
      await ctx.step("long", () => (ctx.nodeId === 3 ? new Promise(() => {}) : undefined));
      return ctx.nodeId;
    });
    await w.startAll([forever], { limits: { drainGraceMs: 5 } });
    await w.runtime(3).startWorkflow(forever, undefined, { id: "g" });
    expect(await w.runtime(3).drain()).toEqual({ moved: 1, orphaned: 0 });
    expect(await w.runtime(1).result("g")).toBe(1);
  });
});

describe("code that does not fit the record", () => {
  test("is told so when a path holds another kind, and reported when recorded steps are not asked for", async () => {
    const w = world();
    const first = workflow("changed", { version: 1 }, async (ctx, mode: string) => {
      await ctx.step("a", () => 1);
      await ctx.step("b", () => 2);
      await ctx.waitFor("go");
      return mode;
    });
    const second = workflow("changed", { version: 1 }, async (ctx, mode: string) => {
      if (mode === "kind") await ctx.sleep(1, "a");
      await ctx.step("b", () => 2);
      return mode;
    });
    w.start(1, [second]);
    w.start(2, [first]);
    w.start(3, []);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    w.cluster.lead(1);
    const committed = w.next("checkpoint-committed", (event) => event.runId === "less" && event.key === "b#0");
    await w.runtime(2).startWorkflow(first, "kind", { id: "kind" });
    await w.runtime(2).startWorkflow(first, "less", { id: "less" });
    await committed;
    const unused = w.next("checkpoints-unused");
    w.kill(2);
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("kind")).rejects.toMatchObject({ failure: { code: "NON_DETERMINISM" } });
    expect(await w.runtime(1).result("less")).toBe("less");
    expect(await unused).toMatchObject({ runId: "less", keys: ["a#0"] });
  });
});

describe("retention", () => {
  test("the leader prunes what is over the number", async () => {
    const w = world([1]);
    const quick = workflow("quick", { version: 1 }, async () => 1);
    await w.startAll([quick], { limits: { maxFinishedRuns: 3 } });
    const runs = await Promise.all(Array.from({ length: 8 }, () => w.runtime(1).startWorkflow(quick, undefined)));
    await Promise.all(runs.map((run) => run.result()));
    expect(await w.next("runs-pruned")).toMatchObject({ runIds: { length: 5 } });
    expect((await w.runtime(1).listRuns()).runs).toHaveLength(3);
  });
});

describe("a stopped runtime", () => {
  test("says so to everyone who waits or asks", async () => {
    const w = world([1]);
    const idle = workflow("idle", { version: 1 }, async (ctx) => ctx.waitFor("never"));
    await w.startAll([idle]);
    const run = await w.runtime(1).startWorkflow(idle, undefined);
    const waiting = run.result();
    waiting.catch(() => {});
    await w.runtime(1).getRun(run.id);
    w.runtime(1).stop();
    await expect(waiting).rejects.toMatchObject({ code: "RUNTIME_STOPPED" });
    await expect(run.result()).rejects.toMatchObject({ code: "RUNTIME_STOPPED" });
    await expect(w.runtime(1).startWorkflow(idle, undefined)).rejects.toMatchObject({ code: "RUNTIME_STOPPED" });
  });
});
