import { describe, expect, test } from "vitest";
import { saga } from "../../author/saga.ts";
import { update } from "../../author/update.ts";
import { workflow } from "../../author/workflow.ts";
import { plain, type World, world } from "../../testing/workflow-world.ts";

const retry = { kind: "retry", from: undefined } as const;
const from = (step: string) => ({ kind: "retry", from: step }) as const;
const once = { retry: false } as const;

/** Kills the node that owns a run, and lets the others hear of it. */
async function killOwner(w: World, runId: string): Promise<void> {
  const owner = (await w.runtime(1).getStatus(runId))?.owner ?? 0;
  w.kill(owner);
  w.runtimes.delete(owner);
  w.cluster.reportLost(owner);
}

describe("a run that is retried", () => {
  test("goes on at the step that failed, under the same key, and nothing before it runs again", async () => {
    const w = world();
    const ran: string[] = [];
    let works = false;
    const body = workflow("order", { version: 1 }, async (ctx) => {
      const parcel = await ctx.step("pack", () => ran.push("pack"));
      const key = await ctx.step(
        "charge",
        ({ idempotencyKey }) => {
          ran.push(idempotencyKey);
          if (!works) throw new Error("declined");
          return idempotencyKey;
        },
        once,
      );
      return { parcel, key };
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("declined");
    const before = await w.runtime(1).getStatus("r");
    works = true;
    await w.runtime(1).mend("r", retry, "a");
    await w.runtime(3).mend("r", retry, "a");
    expect(await w.runtime(1).result("r")).toEqual({ parcel: 1, key: ran[1] });
    expect(ran).toEqual(["pack", ran[1], ran[1]]);
    expect((await w.runtime(1).getStatus("r"))?.epoch).toBeGreaterThan(before?.epoch ?? 0);
    const history = (await w.runtime(1).getRun("r"))?.history.map(([path, { kind }]) => `${path} ${kind}`);
    expect(history).toEqual(["pack#0 step", "charge#0 step"]);
    await expect(w.runtime(1).mend("r", retry)).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
  });

  test("may fail again, be retried again, and lose its owners in between", async () => {
    const w = world();
    let attempts = 0;
    const ran: string[] = [];
    const body = workflow("three", { version: 1 }, async (ctx) => {
      const seen = await ctx.variable("seen", 0);
      for (let i = 0; i < 4; i++) {
        await ctx.step(
          `s${i}`,
          () => {
            ran.push(`s${i}`);
            if (i === 2 && ++attempts < 3) throw new Error(`attempt ${attempts}`);
          },
          once,
        );
        await seen.update((before) => before + 1);
      }
      await ctx.waitFor("go");
      return seen.value;
    });
    await w.startAll([body]);
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("attempt 1");
    await w.runtime(1).mend("r", retry);
    await expect(w.runtime(1).result("r")).rejects.toThrow("attempt 2");
    await w.runtime(1).mend("r", retry);
    await expect.poll(async () => (await w.runtime(1).getStatus("r"))?.recordCount).toBe(9);
    if ((await w.runtime(1).getStatus("r"))?.owner !== 1) await killOwner(w, "r");
    await w.runtime(1).signal("r", "go");
    expect(await w.runtime(1).result("r")).toBe(4);
    expect(ran).toEqual(["s0", "s1", "s2", "s2", "s2", "s3"]);
  });

  test("goes back to a step that is named: variables, signals and later steps are as they were then", async () => {
    const w = world();
    const ran: string[] = [];
    let works = false;
    const body = workflow("back", { version: 1 }, async (ctx) => {
      const state = await ctx.variable("state", "new");
      await ctx.step("a", () => ran.push("a"));
      await state.set("after a");
      const said = await ctx.waitFor("word");
      await ctx.step("b", () => ran.push(`b ${String(said)}`));
      await state.set("after b");
      await ctx.step(
        "c",
        () => {
          ran.push(`c ${state.value}`);
          if (!works) throw new Error("not yet");
        },
        once,
      );
      await ctx.waitFor("end");
      return state.value;
    });
    await w.startAll([body]);
    await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await w.runtime(1).signal("r", "word", "hello");
    await expect(w.runtime(1).result("r")).rejects.toThrow("not yet");
    await expect(w.runtime(1).mend("r", from("none"))).rejects.toMatchObject({ code: "STEP_NOT_RECORDED" });
    works = true;
    const value = async () => {
      const { variables = [] } = (await w.cluster.node(1).engine.variables({ runId: "r", name: "state" })) ?? {};
      return Promise.all(variables.map(async (each) => JSON.parse(new TextDecoder().decode(await plain(each.value)))));
    };
    expect(await value()).toEqual(["after b"]);
    await w.runtime(1).mend("r", from("word"));
    await expect.poll(() => ran).toEqual(["a", "b hello", "c after b", "b hello", "c after b"]);
    expect(await value()).toEqual(["after b"]);
    await w.runtime(1).signal("r", "end");
    expect(await w.runtime(1).result("r")).toBe("after b");
  });

  test("that threw an error of its own goes on from all its record, with code that does not throw", async () => {
    const w = world();
    let isBroken = true;
    let steps = 0;
    const body = workflow("buggy", { version: 1 }, async (ctx) => {
      await ctx.step("a", () => ++steps);
      if (isBroken) throw new TypeError("x is not a function");
      return "fine";
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("x is not a function");
    isBroken = false;
    await w.runtime(1).mend("r", retry);
    expect(await w.runtime(1).result("r")).toBe("fine");
    expect(steps).toBe(1);
  });

  test("that was cancelled, or timed out by its operator's word, goes on from before it heard of that", async () => {
    const w = world();
    const ran: string[] = [];
    const body = workflow("waits", { version: 1 }, async (ctx) => {
      await ctx.step("a", () => ran.push("a"));
      try {
        return await ctx.waitFor("go");
      } catch (error) {
        ran.push("caught");
        throw error;
      }
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect.poll(async () => (await w.runtime(1).getStatus("r"))?.recordCount).toBe(1);
    await w.runtime(1).cancel("r");
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    await w.runtime(1).mend("r", retry);
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "running", cancelReason: undefined });
    await expect(w.runtime(1).mend("r", retry)).rejects.toMatchObject({ code: "WORKFLOW_RUNNING" });
    await w.runtime(1).mend("r", { kind: "terminate" });
    await w.runtime(1).mend("r", retry);
    await w.runtime(1).signal("r", "go", 5);
    expect(await w.runtime(1).result("r")).toBe(5);
    expect(ran).toEqual(["a", "caught"]);
  });

  test("keeps the answer that somebody outside has given to its token", async () => {
    const w = world();
    const tokens: string[] = [];
    let works = false;
    const body = workflow("asks", { version: 1 }, async (ctx) => {
      const token = await ctx.token<string>("approval");
      tokens.push(token.id);
      await ctx.step("a", () => {});
      const said = await token.answer();
      const fail = (): void => {
        if (!works) throw new Error("not yet");
      };
      await ctx.step("b", fail, once);
      return said;
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect.poll(async () => (await w.runtime(1).getStatus("r"))?.recordCount).toBe(2);
    await w.runtime(1).answer(tokens[0] ?? "", "yes");
    await expect(w.runtime(1).result("r")).rejects.toThrow("not yet");
    works = true;
    await w.runtime(1).mend("r", from("a"));
    expect(await w.runtime(1).result("r")).toBe("yes");
    expect(new Set(tokens).size).toBe(1);
  });

  test("that has undone its steps is not retried from the failure, and is from a step that somebody names", async () => {
    const w = world();
    const ran: string[] = [];
    let works = false;
    const body = workflow("trip", { version: 1 }, (ctx) =>
      saga(ctx, async (steps) => {
        await steps.step("hotel", () => ran.push("hotel"), { undo: () => ran.push("no hotel") });
        await steps.step(
          "flight",
          () => {
            if (!works) throw new Error("no seats");
            ran.push("flight");
          },
          { undo: () => {}, retry: false },
        );
        return "booked";
      }),
    );
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("no seats");
    works = true;
    await expect(w.runtime(1).mend("r", retry)).rejects.toMatchObject({ code: "RETRY_COMPENSATED" });
    await w.runtime(1).mend("r", from("saga/hotel"));
    expect(await w.runtime(1).result("r")).toBe("booked");
    expect(ran).toEqual(["hotel", "no hotel", "hotel", "flight"]);
  });

  test("has its failed child go on, and hears of the child's next end", async () => {
    const w = world();
    let works = false;
    const ran: string[] = [];
    const child = workflow("child", { version: 1 }, async (ctx) => {
      await ctx.step("a", () => ran.push("a"));
      return await ctx.step(
        "b",
        () => {
          if (!works) throw new Error("not yet");
          return "b";
        },
        once,
      );
    });
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      const [first, second] = await Promise.all([ctx.run(child), ctx.run("slow") as Promise<unknown>]);
      return [first, second];
    });
    const slow = workflow("slow", { version: 1 }, async (ctx) => await ctx.waitFor<string>("go"));
    await w.startAll([child, parent, slow]);
    await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await expect(w.runtime(1).result("p")).rejects.toThrow("not yet");
    await expect(w.runtime(1).result("p/slow#0")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    works = true;
    await w.runtime(1).mend("p", retry);
    await expect.poll(async () => (await w.runtime(1).getStatus("p/slow#0"))?.status).toBe("running");
    await w.runtime(1).signal("p/slow#0", "go", "now");
    expect(await w.runtime(1).result("p")).toEqual(["b", "now"]);
    expect(ran).toEqual(["a"]);
  });
});

describe("a run whose call of another run failed", () => {
  const add = update<string, number>("add");
  const shop = workflow("shop", { version: 1 }, (ctx) => ctx.update("till", add, 1));

  test("calls it again once it is there, when it was not", async () => {
    const w = world();
    const till = workflow("till", { version: 1 }, async (ctx) => {
      ctx.onUpdate(add, (_own, amount) => `added ${amount}`);
      await ctx.waitFor("close");
    });
    await w.startAll([shop, till]);
    await w.runtime(2).startWorkflow(shop, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ failure: { code: "WORKFLOW_NOT_FOUND" } });
    await w.runtime(1).startWorkflow(till, undefined, { id: "till" });
    await w.runtime(1).mend("r", retry);
    expect(await w.runtime(1).result("r")).toBe("added 1");
  });

  test("gets the answer that it had when it calls again, and the other run does it once", async () => {
    const w = world();
    const added: number[] = [];
    const till = workflow("till", { version: 1 }, async (ctx) => {
      ctx.onUpdate(add, (_own, amount) => {
        added.push(amount);
        throw new Error("full");
      });
      await ctx.waitFor("close");
    });
    await w.startAll([shop, till]);
    await w.runtime(1).startWorkflow(till, undefined, { id: "till" });
    await w.runtime(2).startWorkflow(shop, undefined, { id: "r" });
    await expect(w.runtime(1).result("r")).rejects.toThrow("full");
    await w.runtime(1).mend("r", retry);
    await expect(w.runtime(1).result("r")).rejects.toThrow("full");
    expect(added).toEqual([1]);
    expect((await w.runtime(1).getRun("r"))?.history.map(([path, { kind }]) => [path, kind])).toEqual([
      ["add#0", "answer-failed"],
    ]);
  });
});

describe("a step that somebody answers", () => {
  test("is aborted if it is under way, gives the value now and on every replay, and stays answered", async () => {
    const w = world();
    const aborted: string[] = [];
    const body = workflow("stubborn", { version: 1 }, async (ctx) => {
      const value = await ctx.step(
        "call",
        (step) =>
          new Promise<string>((_, reject) => {
            step.signal.addEventListener("abort", () => {
              aborted.push("call");
              reject(new Error("aborted"));
            });
          }),
      );
      const other = await ctx.step("later", () => "ran");
      const last = await ctx.waitFor("go");
      return { value, other, last };
    });
    await w.startAll([body]);
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    const complete = (path: string, value: string) =>
      ({ kind: "complete-step", path, value: new TextEncoder().encode(value) }) as const;
    // Before its time: no body is bound to ask for it.
    await w.runtime(1).mend("r", complete("later#0", '"skipped"'));
    await w.runtime(1).mend("r", complete("call#0", '"by hand"'));
    await w.runtime(2).mend("r", complete("call#0", '"by hand"'));
    await expect(w.runtime(1).mend("r", complete("call#0", "2"))).rejects.toMatchObject({ code: "STEP_RECORDED" });
    // Each answer makes the owner begin again, and nothing else does.
    await expect.poll(async () => (await w.runtime(1).pending("r")).map(({ path }) => path)).toEqual(["go#0"]);
    expect(aborted.length).toBe(2);
    if ((await w.runtime(1).getStatus("r"))?.owner !== 1) await killOwner(w, "r");
    await w.runtime(1).signal("r", "go", 1);
    expect(await w.runtime(1).result("r")).toEqual({ value: "by hand", other: "skipped", last: 1 });
    await expect(w.runtime(1).mend("r", complete("x#0", "2"))).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
  });
});
