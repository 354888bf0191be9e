import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { Latch, type World, world } from "../../testing/workflow-world.ts";

/** What steps under a lock have done, as an outside system saw it. */
class Outside {
  readonly seen: { readonly runId: string; readonly token: number }[] = [];
  now = 0;
  most = 0;

  async work(runId: string, token: number): Promise<void> {
    this.seen.push({ runId, token });
    this.now += 1;
    this.most = Math.max(this.most, this.now);
    await new Promise((resolve) => setImmediate(resolve));
    this.now -= 1;
  }

  get tokens(): readonly number[] {
    return this.seen.map(({ token }) => token);
  }
}

function lock(w: World, name = "account") {
  return w.cluster.node([...w.runtimes.keys()][0] ?? 1).executor.state.locks({ name, limit: 1, asks: 100 })[0];
}

async function kill(w: World, runId: string): Promise<void> {
  const owner = (await w.runtime([...w.runtimes.keys()][0] ?? 1).getStatus(runId))?.owner ?? 0;
  w.kill(owner);
  w.runtimes.delete(owner);
  w.cluster.reportLost(owner);
}

describe("ctx.lock", () => {
  test("lets one run at a time through, in the order of asking, with growing tokens, and leaves nothing behind", async () => {
    const w = world();
    const outside = new Outside();
    const body = workflow("transfer", { version: 1 }, async (ctx, input: number) => {
      return await ctx.lock("account", async (inner, { token, name }) => {
        await inner.step("work", () => outside.work(inner.runId, token));
        return `${name} ${input}`;
      });
    });
    await w.startAll([body]);
    const ids = Array.from({ length: 12 }, (_, run) => `run-${run}`);
    await Promise.all(ids.map((id, run) => w.runtime(1 + (run % 3)).startWorkflow(body, run, { id })));
    const results = await Promise.all(ids.map((id) => w.runtime(1).result(id)));
    expect(results).toEqual(ids.map((_, run) => `account ${run}`));
    expect(outside.most).toBe(1);
    expect(outside.tokens).toEqual([...new Set(outside.tokens)].sort((a, b) => a - b));
    await expect.poll(() => lock(w)).toBeUndefined();
    expect(w.cluster.node(1).executor.state.checkLocks()).toEqual([]);
  });

  test("stays the run's when its owner dies, and goes to the next one when the function has settled", async () => {
    const w = world();
    const outside = new Outside();
    const go = new Latch();
    const begun = new Latch();
    const body = workflow("transfer", { version: 1 }, async (ctx) =>
      ctx.lock("account", async (inner, { token }) => {
        await inner.step("work", () => outside.work(inner.runId, token));
        await inner.step("hold", async () => {
          begun.open();
          if (inner.attempt === 1 && inner.runId === "a") await go.opened;
        });
        return token;
      }),
    );
    await w.startAll([body]);
    await w.runtime(3).startWorkflow(body, undefined, { id: "a" });
    await begun.opened;
    const b = await w.runtime(1).startWorkflow(body, undefined, { id: "b" });
    await expect.poll(() => lock(w)?.waiters.map(({ runId }) => runId)).toEqual(["b"]);
    expect(await w.runtime(1).pending("b")).toMatchObject([{ kind: "lock", path: "account/lock" }]);
    await kill(w, "a");
    const [first, second] = [await w.runtime(1).result("a"), await b.result()];
    expect(outside.seen.map(({ runId }) => runId)).toEqual(["a", "b"]);
    expect([first, second]).toEqual(outside.tokens);
    expect(second).toBeGreaterThan(Number(first));
  });

  test.each([
    ["completes", async (_w: World, go: Latch) => go.open()],
    ["is cancelled", (w: World) => w.runtime(1).cancel("a")],
    ["is terminated", (w: World) => w.runtime(1).mend("a", { kind: "terminate" })],
  ])("is released when the run %s, in whatever state its function is", async (_, end) => {
    const w = world();
    const go = new Latch();
    const holder = workflow("holder", { version: 1 }, (ctx) =>
      ctx.lock("account", () => ctx.step("s", () => go.opened)),
    );
    const other = workflow("other", { version: 1 }, (ctx) => ctx.lock("account", (_ctx, { token }) => token));
    await w.startAll([holder, other]);
    await w.runtime(2).startWorkflow(holder, undefined, { id: "a" });
    await expect.poll(() => lock(w)?.held).toBe(1);
    const held = lock(w)?.holders[0]?.token ?? 0;
    const b = await w.runtime(3).startWorkflow(other, undefined, { id: "b" });
    await expect.poll(() => lock(w)?.waiting).toBe(1);
    await end(w, go);
    expect(await b.result()).toBeGreaterThan(held);
  });

  test("is given up by a wait that is out of time, aborted or cancelled, and consumes nothing", async () => {
    const clock = new HandClock();
    const w = world();
    const holder = workflow("holder", { version: 1 }, (ctx) => ctx.lock("account", () => ctx.waitFor("go")));
    const impatient = workflow("impatient", { version: 1 }, async (ctx) => {
      const codeOf = (error: { readonly code: string }) => error.code;
      const out = await ctx.lock("account", () => "held", { timeout: "5s" }).catch(codeOf);
      const controller = new AbortController();
      const aborted = ctx.lock("account", () => "held", { signal: controller.signal }).catch(codeOf);
      await ctx.sleep("1s");
      controller.abort("enough");
      const scoped = await ctx
        .scope("short", (inner) => inner.lock("account", () => "held"), { timeout: "2s" })
        .catch(codeOf);
      return [out, await aborted, scoped];
    });
    await w.startAll([holder, impatient], { clock });
    const a = await w.runtime(2).startWorkflow(holder, undefined, { id: "a" });
    await expect.poll(() => lock(w)?.held).toBe(1);
    const b = await w.runtime(3).startWorkflow(impatient, undefined, { id: "b" });
    await expect.poll(() => lock(w)?.waiting).toBe(1);
    for (let second = 0; second < 20; second++) {
      await clock.advance(1_000);
    }
    expect(await b.result()).toEqual(["LOCK_TIMEOUT", "BRANCH_CANCELLED", "SCOPE_TIMEOUT"]);
    expect(lock(w)).toMatchObject({ held: 1, waiting: 0 });
    await w.runtime(1).signal("a", "go", "gone");
    expect(await a.result()).toBe("gone");
    await expect.poll(() => lock(w)).toBeUndefined();
  });

  test("is refused within itself, and taken one after the other by branches of one body", async () => {
    const w = world();
    const outside = new Outside();
    const body = workflow("nested", { version: 1 }, async (ctx) => {
      const codes = await ctx.lock("account", async (inner) => {
        const [a, b] = [inner.lock("account", () => "in"), ctx.lock("account", () => "in")];
        const refused = [a, b].map((each) => each.catch((error: { readonly code: string }) => error.code));
        return await Promise.all([...refused, inner.lock("other", () => "other")]);
      });
      await ctx.map([1, 2, 3], (each) =>
        each.lock("account", (inner, { token }) => inner.step("work", () => outside.work(inner.runId, token))),
      );
      return codes;
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    expect(await run.result()).toEqual(["LOCK_NESTED", "LOCK_NESTED", "other"]);
    expect([outside.most, outside.seen.length]).toEqual([1, 3]);
  });

  test("is asked for again by a run that was retried in the middle, before it does anything new", async () => {
    const w = world();
    const outside = new Outside();
    let works = false;
    const body = workflow("transfer", { version: 1 }, (ctx) =>
      ctx.lock("account", async (inner, held) => {
        await inner.step("first", () => outside.work("first", held.token));
        await inner.step(
          "second",
          async () => {
            if (!works) throw new Error("declined");
            await outside.work("second", held.token);
          },
          { retry: false },
        );
        return held.token;
      }),
    );
    const other = workflow("other", { version: 1 }, (ctx) =>
      ctx.lock("account", async (inner, { token }) => {
        await inner.step("work", () => outside.work("other", token));
        await inner.waitFor("go");
      }),
    );
    await w.startAll([body, other]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("declined");
    const o = await w.runtime(1).startWorkflow(other, undefined, { id: "o" });
    await expect.poll(() => outside.seen.map(({ runId }) => runId)).toEqual(["first", "other"]);
    works = true;
    await w.runtime(1).mend("r", { kind: "retry", from: undefined });
    await expect.poll(() => lock(w)?.waiting).toBe(1);
    // Another owner finds what the one before had asked for again.
    await kill(w, "r");
    await w.runtime([...w.runtimes.keys()][0] ?? 1).signal("o", "go");
    const left = w.runtime([...w.runtimes.keys()][0] ?? 1);
    expect(await left.result("r")).toBe(outside.tokens.at(-1));
    await left.result("o");
    expect(outside.seen.map(({ runId }) => runId)).toEqual(["first", "other", "second"]);
    expect(outside.tokens).toEqual([...outside.tokens].sort((a, b) => a - b));
    await expect.poll(() => lock(w)).toBeUndefined();
    void o;
  });
});

describe("ctx.semaphore and ctx.limit", () => {
  test("let as many through as there are permits", async () => {
    const w = world();
    const outside = new Outside();
    const body = workflow("gpu", { version: 1 }, (ctx) =>
      ctx.semaphore("account", 3, (inner, { token }) => inner.step("work", () => outside.work(inner.runId, token))),
    );
    await w.startAll([body]);
    const ids = Array.from({ length: 15 }, (_, run) => `run-${run}`);
    for (const [run, id] of ids.entries()) await w.runtime(1 + (run % 3)).startWorkflow(body, undefined, { id });
    await Promise.all(ids.map((id) => w.runtime(1).result(id)));
    expect(outside.most).toBeLessThanOrEqual(3);
    expect(new Set(outside.tokens).size).toBe(15);
  });

  test("let a burst through at once, and the others as time passes", async () => {
    const clock = new HandClock();
    const w = world();
    const passed: number[] = [];
    const body = workflow("mail", { version: 1 }, async (ctx: WorkflowContext) => {
      await ctx.limit("account", { limit: 2, period: "1s" });
      await ctx.step("work", () => void passed.push(clock.monotonicMs()));
    });
    await w.startAll([body], { clock });
    const began = clock.monotonicMs();
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, run) =>
        w.runtime(1 + (run % 3)).startWorkflow(body, undefined, { id: `run-${run}` }),
      ),
    );
    for (let step = 0; step < 60; step++) await clock.advance(50);
    await Promise.all(runs.map((run) => run.result()));
    expect(passed.length).toBe(6);
    for (const [place, at] of passed.sort((a, b) => a - b).entries())
      expect(at - began).toBeGreaterThanOrEqual(Math.max(0, place - 1) * 500);
  });
});
