import { describe, expect, test } from "vitest";
import { query } from "../../author/query.ts";
import { update } from "../../author/update.ts";
import type { StandardSchemaV1 } from "../../author/values/schema.ts";
import { workflow } from "../../author/workflow.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

const setLimit = update<number, number>("set-limit");

/** Waits for updates until one has set the limit to 0. */
const limited = workflow("limited", { version: 1 }, async (ctx) => {
  let limit = 10;
  let isDone = false;
  const seen: number[] = [];
  ctx.onUpdate(
    setLimit,
    async (own, next) => {
      const before = limit;
      limit = next;
      seen.push(await own.step("store", () => next));
      if (next === 0) isDone = true;
      return before;
    },
    {
      validate: (next) => {
        if (next > 100) throw new RangeError(`at most 100, not ${next}`);
        if (next === limit) throw new RangeError("it is that already");
      },
    },
  );
  await ctx.condition(() => isDone);
  return seen;
});

describe("an update", () => {
  test("is validated, executed by the body and answered, on any node", async () => {
    const w = world();
    await w.startAll([limited]);
    const run = await w.runtime(2).startWorkflow(limited, undefined, { id: "r" });
    expect(await w.runtime(1).update("r", "set-limit", 20)).toBe(10);
    expect(await w.runtime(3).update("r", "set-limit", 30)).toBe(20);
    await expect(w.runtime(3).update("r", "set-limit", 101)).rejects.toMatchObject({
      code: "UPDATE_REJECTED",
      message: "at most 100, not 101",
    });
    // The validator sees what the updates before have done.
    await expect(run.update("set-limit", 30)).rejects.toMatchObject({ code: "UPDATE_REJECTED" });
    expect(await run.update("set-limit", 0)).toBe(30);
    expect(await run.result()).toEqual([20, 30, 0]);
    const { history = [] } = (await w.runtime(1).getRun("r")) ?? {};
    expect(history.map(([path, { kind }]) => [path, kind])).toEqual([
      ["set-limit#u1", "update"],
      ["set-limit#u1/store#0", "step"],
      ["set-limit#u2", "update"],
      ["set-limit#u2/store#0", "step"],
      ["set-limit#u5", "update"],
      ["set-limit#u5/store#0", "step"],
    ]);
  });

  test("of the same id is executed once, and answered alike, also after the end of the run", async () => {
    const w = world();
    await w.startAll([limited]);
    const run = await w.runtime(1).startWorkflow(limited, undefined, { id: "r" });
    const both = [w.runtime(1).update("r", "set-limit", 7, "u"), w.runtime(2).update("r", "set-limit", 7, "u")];
    expect(await Promise.all(both)).toEqual([10, 10]);
    expect(await run.update("set-limit", 9, "u")).toBe(10);
    await run.update("set-limit", 0);
    expect(await run.result()).toEqual([7, 0]);
    expect(await run.update("set-limit", 7, "u")).toBe(10);
    await expect(run.update("set-limit", 7, "another")).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
    await expect(w.runtime(1).update("none", "set-limit", 7)).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  });

  test("whose handler throws has failed, and the run goes on", async () => {
    const w = world([1]);
    const flaky = workflow("flaky", { version: 1 }, async (ctx) => {
      ctx.onUpdate(update("fail"), () => {
        throw new RangeError("too much");
      });
      ctx.onUpdate(update("step"), async (own) => {
        await own.step(
          "s",
          () => {
            throw new TypeError("no");
          },
          { retry: false },
        );
      });
      await ctx.waitFor("stop");
      return "fine";
    });
    await w.startAll([flaky]);
    const run = await w.runtime(1).startWorkflow(flaky, undefined, { id: "r" });
    const failed = { code: "UPDATE_FAILED", update: "fail", failure: { name: "RangeError", message: "too much" } };
    await expect(run.update("fail", undefined, "u")).rejects.toMatchObject(failed);
    await expect(run.update("fail", undefined, "u")).rejects.toMatchObject(failed);
    await expect(run.update("step")).rejects.toMatchObject({ failure: { name: "StepFailedError" } });
    await run.signal("stop");
    expect(await run.result()).toBe("fine");
  });

  test("of a name without a handler is refused once the body rests, and says which there are", async () => {
    const w = world([1]);
    await w.startAll([limited]);
    const run = await w.runtime(1).startWorkflow(limited, undefined, { id: "r" });
    await expect(run.update("set-limt", 1)).rejects.toMatchObject({
      code: "UPDATE_UNKNOWN",
      message: expect.stringContaining("It has these: set-limit."),
    });
    expect(await w.runtime(1).getRun("r")).toMatchObject({ history: [], updates: [] });
  });

  test("that is under way when the body returns is answered before the run ends", async () => {
    const w = world([1]);
    const latch = new Latch();
    const hasty = workflow("hasty", { version: 1 }, async (ctx) => {
      let isCalled = false;
      ctx.onUpdate(update<string>("slow"), async (own) => {
        isCalled = true;
        await own.step("wait", () => latch.opened);
        await own.sleep(1);
        return "answered";
      });
      await ctx.condition(() => isCalled);
      return "returned";
    });
    await w.startAll([hasty]);
    const run = await w.runtime(1).startWorkflow(hasty, undefined, { id: "r" });
    const answer = run.update("slow");
    await w.next("record-committed", ({ kind }) => kind === "update");
    latch.open();
    expect(await answer).toBe("answered");
    expect(await run.result()).toBe("returned");
  });

  test("that is accepted is executed by the next owner, and its caller hears the answer", async () => {
    const w = world();
    const latch = new Latch();
    let attempts = 0;
    const owned = workflow("owned", { version: 1 }, async (ctx) => {
      const done: string[] = [];
      ctx.onUpdate(update<number, string>("add"), async (own, item) => {
        await own.step("first", () => item);
        if (item === "b") {
          await own.step("second", () => {
            attempts += 1;
            return own.nodeId === 2 ? new Promise<never>(() => {}) : latch.opened;
          });
        }
        return done.push(item);
      });
      await ctx.waitFor("stop");
      return done;
    });
    await w.startAll([owned]);
    await w.runtime(2).startWorkflow(owned, undefined, { id: "r" });
    expect(await w.runtime(3).update("r", "add", "a", "ua")).toBe(1);
    const answer = w.runtime(3).update("r", "add", "b", "ub");
    await w.next("record-committed", ({ path }) => path === "add#u2/first#0");
    await expect.poll(() => attempts).toBe(1);
    w.kill(2);
    w.cluster.reportLost(2);
    latch.open();
    expect(await answer).toBe(2);
    expect(attempts).toBe(2);
    expect(await w.runtime(1).update("r", "add", "a", "ua")).toBe(1);
    await w.runtime(1).signal("r", "stop");
    expect(await w.runtime(1).result("r")).toEqual(["a", "b"]);
  });

  test("that is not accepted goes to the next generation, and what was answered is remembered there", async () => {
    const w = world([1]);
    const latch = new Latch();
    let begun = 0;
    const entity = workflow("entity", { version: 1 }, async (ctx, generation: number) => {
      begun += 1;
      ctx.onUpdate(update<number, string>("visit"), (_own, by) => {
        if (by === "continue") return ctx.continueAsNew(generation + 1);
        return generation;
      });
      ctx.onUpdate(update<number>("next"), async (own) => {
        await own.continueAsNew(generation + 1);
        return 0;
      });
      await ctx.step("begin", () => (generation === 1 ? undefined : latch.opened));
      await ctx.waitFor("next");
      if (generation < 3) return await ctx.continueAsNew(generation + 1);
      return generation;
    });
    await w.startAll([entity]);
    const run = await w.runtime(1).startWorkflow(entity, 1, { id: "r" });
    expect(await run.update("visit", "a", "ua")).toBe(1);
    // A handler does not end its own run: the run would wait for it.
    await expect(run.update("next")).rejects.toMatchObject({ failure: { code: "CONTEXT_IN_HANDLER" } });
    const continued = w.next("run-continued");
    await run.signal("next");
    await continued;
    const visited = run.update("visit", "b", "ub");
    expect(await visited).toBe(2);
    expect(await run.update("visit", "a", "ua")).toBe(1);
    latch.open();
    await run.signal("next");
    await run.signal("next");
    expect(await run.result()).toBe(3);
    expect(begun).toBe(3);
    expect(await run.update("visit", "b", "ub")).toBe(2);
  });

  test("under way when its run is cancelled hears of it, and so does its caller", async () => {
    const w = world([1]);
    const cancelled = workflow("cancelled", { version: 1 }, async (ctx) => {
      ctx.onUpdate(update("wait"), async (own) => {
        await own.waitFor("never");
      });
      await ctx.waitFor("never");
    });
    await w.startAll([cancelled]);
    const run = await w.runtime(1).startWorkflow(cancelled, undefined, { id: "r" });
    const answer = run.update("wait");
    answer.catch(() => {});
    await w.next("record-committed", ({ kind }) => kind === "update");
    await run.cancel("enough");
    await expect(answer).rejects.toMatchObject({ failure: { code: "WORKFLOW_CANCELLED" } });
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
  });
});

describe("an update that its run's end leaves without an answer", () => {
  test("is refused when it was pending, and has failed when it was accepted", async () => {
    const w = world([1]);
    const failing = workflow("failing", { version: 1 }, async (ctx) => {
      ctx.onUpdate(update("wait"), async (own) => {
        await own.waitFor("never");
      });
      await ctx.waitFor("stop");
      throw new Error("over");
    });
    await w.startAll([failing]);
    const run = await w.runtime(1).startWorkflow(failing, undefined, { id: "r" });
    const answer = run.update("wait");
    answer.catch(() => {});
    await w.next("record-committed", ({ kind }) => kind === "update");
    await run.signal("stop");
    await expect(run.result()).rejects.toThrow("over");
    await expect(answer).rejects.toMatchObject({ code: "UPDATE_FAILED", failure: { code: "WORKFLOW_FINISHED" } });
  });
});

describe("many updates at once", () => {
  test("are accepted in the order of the log, and under way side by side", async () => {
    const w = world([1]);
    const latch = new Latch();
    const many = workflow("many", { version: 1 }, async (ctx) => {
      const begun: number[] = [];
      ctx.onUpdate(update<number, number>("note"), async (own, n) => {
        begun.push(n);
        await own.step("wait", () => latch.opened);
        return begun.indexOf(n);
      });
      await ctx.condition(() => begun.length === 20);
      await ctx.step("open", () => latch.open());
      return begun;
    });
    await w.startAll([many]);
    const run = await w.runtime(1).startWorkflow(many, undefined, { id: "r" });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => run.update("note", n)));
    const begun = (await run.result()) as readonly number[];
    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => begun.indexOf(n)));
    expect(new Set(begun).size).toBe(20);
  });

  test("that one would take too much for are refused by a validator that sees those before", async () => {
    const w = world([1]);
    const account = workflow("account", { version: 1 }, async (ctx) => {
      let sum = 10;
      ctx.onUpdate(
        update<number, number>("take"),
        (_own, amount) => {
          sum -= amount;
          return sum;
        },
        {
          validate: (amount) => {
            if (amount > sum) throw new RangeError(`There are ${sum}.`);
          },
        },
      );
      await ctx.waitFor("stop");
      return sum;
    });
    await w.startAll([account]);
    const run = await w.runtime(1).startWorkflow(account, undefined, { id: "r" });
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => run.update("take", 3)));
    expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    await run.signal("stop");
    expect(await run.result()).toBe(1);
  });
});

describe("an update with schemas", () => {
  const moment: StandardSchemaV1<string, Date> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => {
        const at = new Date(String(value));
        return Number.isNaN(at.getTime()) ? { issues: [{ message: "no moment" }] } : { value: at };
      },
    },
  };
  const year: StandardSchemaV1<number, string> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value: `year ${value}` } : { issues: [{ message: "no year" }] },
    },
  };
  const when = update("when", { input: moment, output: year });

  test("gives the handler what the schema makes of the input, on a replay too, and the caller what it makes of the answer", async () => {
    const w = world();
    const dated = workflow("dated", { version: 1 }, async (ctx) => {
      const seen: number[] = [];
      ctx.onUpdate(
        when,
        async (own, at) => {
          seen.push(at.getTime());
          await own.step("look", () => undefined);
          return at.getUTCFullYear() === 1999 ? ("none" as unknown as number) : at.getUTCFullYear();
        },
        { validate: (at) => void at.getTime() },
      );
      ctx.onQuery(query<readonly number[]>("seen"), () => seen);
      await ctx.waitFor("stop");
    });
    await w.startAll([dated]);
    const run = await w.runtime(1).startWorkflow(dated, undefined, { id: "r" });
    expect(await run.update("when", "2026-01-02T00:00:00Z")).toBe("year 2026");
    await expect(run.update("when", "never")).rejects.toMatchObject({ code: "UPDATE_REJECTED" });
    await expect(run.update("when", "1999-01-02T00:00:00Z")).rejects.toMatchObject({
      failure: { code: "OUTPUT_INVALID" },
    });
    // Another node runs the body again, with the handlers of its updates.
    const times = [Date.UTC(2026, 0, 2), Date.UTC(1999, 0, 2)];
    expect(await w.runtime(2).query("r", "seen")).toEqual(times);
    w.kill(1);
    w.cluster.lead(2);
    w.cluster.reportLost(1);
    await w.next("body-started");
    expect(await w.runtime(3).update("r", "when", "2027-01-02T00:00:00Z")).toBe("year 2027");
    expect(await w.runtime(3).query("r", "seen")).toEqual([...times, Date.UTC(2027, 0, 2)]);
  });
});

describe("code that does not fit the updates of a run", () => {
  test("holds the run when it has no handler for one that was accepted", async () => {
    const w = world([1, 2, 3]);
    const code = (handles: boolean) =>
      workflow("changed", { version: 1 }, async (ctx) => {
        if (!handles) return;
        ctx.onUpdate(update<string>("add"), (own) => own.step("s", () => "added"));
        await ctx.waitFor("stop");
      });
    w.start(1, [code(true)]);
    await w.runtime(1).registered;
    w.cluster.lead(1);
    await w.runtime(1).startWorkflow(code(true), undefined, { id: "r" });
    expect(await w.runtime(1).update("r", "add")).toBe("added");
    w.start(2, [code(false)]);
    await w.runtime(2).registered;
    const stuck = w.next("run-stuck");
    w.kill(1);
    w.cluster.lead(2);
    w.cluster.reportLost(1);
    expect(await stuck).toMatchObject({ reason: "code-mismatch", mismatch: { recorded: "update add#u1" } });
  });
});
