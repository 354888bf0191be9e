import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { Latch, plain, type World, world } from "../testing/workflow-world.ts";
import { tokenId, tokenPlace } from "./calls/token-id.ts";

/** The id that a run has put into its variable `token`. */
async function tokenOf(w: World, node: number, runId: string): Promise<string> {
  const page = await w.cluster.node(node).engine.variables({ runId, name: "token" });
  return JSON.parse(new TextDecoder().decode(await plain(page?.variables[0]?.value))) as string;
}

const isVariable = ({ path }: { readonly path: string }): boolean => path === "token#0";

describe("a token", () => {
  test("is answered from any node, by the id that the run gave out", async () => {
    const w = world();
    const mailed: string[] = [];
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token<{ readonly by: string }>("approval");
      await ctx.step("mail", () => void mailed.push(token.id));
      const { by } = await token.answer();
      // As often as the body likes.
      return [by, (await token.answer()).by];
    });
    await w.startAll([ask]);
    const run = await w.runtime(2).startWorkflow(ask, undefined, { id: "r" });
    await w.next("record-committed", ({ path }) => path === "mail#0");
    const [id = ""] = mailed;
    expect(id).toMatch(/^rt_[\w.-]+$/);
    expect(encodeURIComponent(id)).toBe(id);
    await w.runtime(3).answer(id, { by: "somebody" });
    expect(await run.result()).toEqual(["somebody", "somebody"]);
    const { history = [] } = (await w.runtime(1).getRun("r")) ?? {};
    expect(history.map(([path, { kind }]) => [path, kind])).toEqual([
      ["approval#0", "token"],
      ["mail#0", "step"],
      ["approval#0/answer", "answer"],
    ]);
    // Who reads the history cannot answer.
    expect(new TextDecoder().decode(history[0]?.[1].value)).not.toContain(id.split(".")[1]);
  });

  test("that is failed rejects the wait with the failure", async () => {
    const w = world([1]);
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      await token.answer();
    });
    await w.startAll([ask]);
    const known = w.next("record-committed", isVariable);
    const run = await w.runtime(1).startWorkflow(ask, undefined, { id: "r" });
    await known;
    await w.runtime(1).fail(await tokenOf(w, 1, "r"), { name: "Declined", message: "no money", code: "POOR" });
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        code: "TOKEN_FAILED",
        message: expect.stringContaining("no money"),
        cause: { name: "Declined", code: "POOR" },
      },
    });
  });

  test("expires, and says so to the body and to those who answer then", async () => {
    const w = world([1]);
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval", { timeout: "10ms" });
      await ctx.variable("token", token.id);
      const errors: string[] = [];
      for (let time = 0; time < 2; time++) await token.answer().catch((error: Error) => errors.push(error.name));
      await ctx.waitFor("go");
      return errors;
    });
    await w.startAll([ask]);
    const expired = w.next("record-committed", ({ kind }) => kind === "answer-timeout");
    const run = await w.runtime(1).startWorkflow(ask, undefined, { id: "r" });
    await expired;
    await expect(w.runtime(1).answer(await tokenOf(w, 1, "r"), 1)).rejects.toMatchObject({ code: "TOKEN_EXPIRED" });
    await run.signal("go");
    expect(await run.result()).toEqual(["TokenExpiredError", "TokenExpiredError"]);
  });

  test("whose wait is aborted takes nothing: the next wait gets the answer", async () => {
    const w = world([1]);
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      const stop = new AbortController();
      const waits = Promise.allSettled([token.answer({ signal: stop.signal }), token.answer()]);
      stop.abort(new Error("enough"));
      await ctx.variable("token", token.id);
      const [aborted, other] = await waits;
      return [aborted.status, other.status === "fulfilled" && other.value, await token.answer()];
    });
    await w.startAll([ask]);
    const known = w.next("record-committed", isVariable);
    const run = await w.runtime(1).startWorkflow(ask, undefined, { id: "r" });
    await known;
    await w.runtime(1).answer(await tokenOf(w, 1, "r"), "yes");
    expect(await run.result()).toEqual(["rejected", "yes", "yes"]);
  });

  test("that waits holds no slot", async () => {
    const w = world([1]);
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      return await token.answer();
    });
    const quick = workflow("quick", { version: 1 }, async (ctx) => ctx.step("s", () => "done"));
    await w.startAll([ask, quick], { limits: { maxRunningBodies: 1 } });
    const known = w.next("record-committed", isVariable);
    const run = await w.runtime(1).startWorkflow(ask, undefined, { id: "r" });
    await known;
    expect(await (await w.runtime(1).startWorkflow(quick, undefined)).result()).toBe("done");
    await w.runtime(1).answer(await tokenOf(w, 1, "r"), "yes");
    expect(await run.result()).toBe("yes");
  });
});

describe("an answer that comes while the owner is dead", () => {
  test("before the body's wait holds up nothing that the body does first, and is given where the body waits", async () => {
    const w = world();
    const order: string[] = [];
    const entered = new Latch();
    const latch = new Latch();
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      // Under way on the owner that dies, and recorded by none.
      await ctx.step("count", async () => {
        order.push(`count on ${ctx.nodeId}`);
        entered.open();
        if (ctx.nodeId === 2) await latch.opened;
      });
      await ctx.step("pack", () => void order.push(`pack on ${ctx.nodeId}`));
      const answer = await token.answer();
      order.push(`answered on ${ctx.nodeId}`);
      return answer;
    });
    await w.startAll([ask]);
    await w.runtime(2).startWorkflow(ask, undefined, { id: "r" });
    await entered.opened;
    w.kill(2);
    await w.runtime(3).answer(await tokenOf(w, 1, "r"), "yes");
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("r")).toBe("yes");
    const next = order.at(-1)?.at(-1);
    expect(order).toEqual(["count on 2", `count on ${next}`, `pack on ${next}`, `answered on ${next}`]);
    expect(w.events.filter(({ type }) => type === "records-unused")).toEqual([]);
  });

  test("and that the body never asks for is no difference between the code and the history", async () => {
    const w = world();
    const entered = new Latch();
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      return await ctx.step("hold", () => {
        entered.open();
        return ctx.nodeId === 2 ? new Promise<string>(() => {}) : "done";
      });
    });
    await w.startAll([ask]);
    await w.runtime(2).startWorkflow(ask, undefined, { id: "r" });
    await entered.opened;
    w.kill(2);
    await w.runtime(3).answer(await tokenOf(w, 1, "r"), "yes");
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("r")).toBe("done");
    expect(w.events.filter(({ type }) => type === "records-unused")).toEqual([]);
  });
});

describe("the turn of an answer", () => {
  test("is its place in the log: what raced it on the first run has the same winner on every replay", async () => {
    for (const first of ["answer", "step"]) {
      const w = world();
      const latch = new Latch();
      const courses: string[] = [];
      const race = workflow("race", { version: 1 }, async (ctx) => {
        const token = await ctx.token("approval");
        await ctx.variable("token", token.id);
        const won = await Promise.race([
          ctx.step("slow", () => latch.opened.then(() => "step")),
          token.answer().then(() => "answer"),
        ]);
        await ctx.step(`after ${won}`, () => undefined);
        courses.push(won);
        await ctx.waitFor("go");
        return won;
      });
      await w.startAll([race]);
      const known = w.next("record-committed", isVariable);
      await w.runtime(2).startWorkflow(race, undefined, { id: "r" });
      await known;
      const token = await tokenOf(w, 2, "r");
      const after = w.next("record-committed", ({ path }) => path === `after ${first}#0`);
      if (first === "step") latch.open();
      else await w.runtime(1).answer(token, 1);
      await after;
      const recorded = w.next("record-committed", ({ path }) => path === "slow#0" || path === "approval#0/answer");
      if (first === "step") await w.runtime(1).answer(token, 1);
      else latch.open();
      await recorded;
      w.kill(2);
      w.cluster.reportLost(2);
      await w.runtime(1).signal("r", "go");
      expect(await w.runtime(1).result("r")).toBe(first);
      expect(new Set(courses)).toEqual(new Set([first]));
    }
  });

  test("comes before a cancellation that the log has after it, on the first run and on a replay", async () => {
    const w = world();
    const node = w.cluster.node(2);
    const courses: string[] = [];
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      const course: string[] = [];
      await token.answer().then(
        () => course.push("answered"),
        () => course.push("cancelled"),
      );
      await ctx.shield(async (own) => {
        courses.push(`${ctx.nodeId}: ${course}`);
        await own.step(`undo ${course}`, () => undefined);
        await own.waitFor("go");
      });
    });
    await w.startAll([ask]);
    const known = w.next("record-committed", isVariable);
    await w.runtime(2).startWorkflow(ask, undefined, { id: "r" });
    await known;
    const token = await tokenOf(w, 2, "r");
    // The answer gets into the log right before the moment in which the body hears of the cancellation.
    let answered: Promise<void> | undefined;
    node.fault = (command) => {
      if (command.kind === "Checkpoint" && command.recordKind === "cancellation")
        answered ??= w.runtime(1).answer(token, 1);
      return "none";
    };
    const undone = w.next("record-committed", ({ path }) => path.startsWith("shield/undo"));
    await w.runtime(1).cancel("r");
    await undone;
    await answered;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal("r", "go");
    // The body returns in spite of its cancellation.
    expect(await w.runtime(1).result("r")).toBeUndefined();
    expect(courses).toEqual(["2: answered", expect.stringMatching(/: answered$/)]);
  });

  test("is kept by a node that hears of it by a snapshot", async () => {
    const w = world();
    const ask = workflow("ask", { version: 1 }, async (ctx) => {
      const token = await ctx.token("approval");
      await ctx.variable("token", token.id);
      return await token.answer();
    });
    await w.startAll([ask]);
    const known = w.next("record-committed", isVariable);
    const run = await w.runtime(2).startWorkflow(ask, undefined, { id: "r" });
    await known;
    w.cluster.node(2).connected = false;
    await w.runtime(1).answer(await tokenOf(w, 1, "r"), "yes");
    await w.cluster.installSnapshot(2, 1);
    w.cluster.reconnect(2);
    expect(await run.result()).toBe("yes");
  });
});

describe("the id of a token", () => {
  const run = { runId: "größe/17", seed: Uint8Array.from({ length: 16 }, (_, at) => at) };

  test("names run and path, and is the same on every owner", () => {
    const id = tokenId(run, "ship/approval#0");
    expect(tokenId({ ...run }, "ship/approval#0")).toBe(id);
    expect(tokenPlace(id)).toMatchObject({
      runId: run.runId,
      path: "ship/approval#0",
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const others = [
      tokenId(run, "ship/approval#1"),
      tokenId({ ...run, seed: new Uint8Array(16) }, "ship/approval#0"),
      tokenId({ ...run, runId: "a" }, "ship/approval#0"),
    ];
    expect(new Set([id, ...others].map((each) => each.split(".")[1])).size).toBe(4);
  });

  test.each([
    "",
    "rt_",
    "rt_.",
    "rt_.x",
    "rt_W10.x",
    "rt_WzFd.x",
    "rt_e30.x",
    "rt_WyJhIiwiYiJd",
    "rt_WyJhIiwiYiJd.x.y",
    "sr_WyJhIiwiYiJd.x",
  ])("is not %j", (text) => {
    expect(tokenPlace(text)).toBeUndefined();
  });
});
