import { describe, expect, test } from "vitest";
import { attributeValues, storedAttributes } from "../author/attributes.ts";
import { workflow } from "../author/workflow.ts";
import { encodeAttributes } from "../model/attributes.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const DUE = new Date("2026-01-02T03:04:05.006Z");
const given = encodeAttributes(storedAttributes("a", { customer: "ada", due: DUE, total: 1 }));

describe("attributes of a body", () => {
  test("are what the run began with and what the body has set, before and after a takeover", async () => {
    const w = world();
    const seen: unknown[] = [];
    const [waits, goes] = [new Latch(), new Latch()];
    const order = workflow("order", { version: 1 }, async (ctx) => {
      seen.push(ctx.attributes);
      await ctx.setAttributes({ total: 2, tags: ["new"], due: null });
      seen.push(ctx.attributes);
      await ctx.step("wait", async () => {
        waits.open();
        if (ctx.attempt === 1) await new Promise(() => {});
      });
      await ctx.scope("inner", (inner) => inner.setAttributes({ total: 3 }));
      await goes.opened;
      return ctx.attributes;
    });
    await w.startAll([order]);
    const run = await w.runtime(2).startWorkflow(order, undefined, { id: "a", attributes: given });
    await waits.opened;
    await expect.poll(async () => (await w.runtime(1).getStatus("a"))?.attributes.get("total")).toBe(2);
    w.kill(2);
    w.cluster.reportLost(2);
    goes.open();
    const after = { customer: "ada", total: 3, tags: ["new"] };
    expect(await w.runtime(1).result(run.id)).toEqual(after);
    const before = { customer: "ada", due: DUE, total: 1 };
    const set = { customer: "ada", total: 2, tags: ["new"] };
    expect(seen).toEqual([before, set, before, set]);
    const summary = await w.runtime(3).getStatus("a");
    expect(attributeValues(summary?.attributes ?? new Map())).toEqual(after);
    const { engine } = w.cluster.node(3);
    const found = await engine.list({ attributes: [{ name: "total", in: [3] }] });
    expect(found.runs.map(({ runId }) => runId)).toEqual(["a"]);
  });

  test("cost no round: a change travels with the next record", async () => {
    const w = world([1]);
    const kinds: string[] = [];
    w.cluster.node(1).fault = (command) => {
      if ("runId" in command) kinds.push(command.kind);
      return "none";
    };
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.setAttributes({ state: "begun" });
      await ctx.step("one", () => 1);
      await ctx.setAttributes({ state: "done" });
    });
    await w.startAll([order]);
    await (await w.runtime(1).startWorkflow(order, undefined, { id: "a" })).result();
    expect(kinds).toEqual(["WorkflowStart", "Records"]);
    expect((await w.runtime(1).getStatus("a"))?.attributes.get("state")).toBe("done");
  });

  test("are set in the order of the calls, also when several are open", async () => {
    const w = world([1]);
    const order = workflow("order", { version: 1 }, async (ctx) => {
      const sets = Array.from({ length: 10 }, (_, at) => ctx.setAttributes({ last: at }));
      await Promise.all([...sets, ctx.step("beside", () => 1)]);
      return ctx.attributes;
    });
    await w.startAll([order]);
    expect(await (await w.runtime(1).startWorkflow(order, undefined, { id: "a" })).result()).toEqual({ last: 9 });
    expect((await w.runtime(1).getStatus("a"))?.attributes.get("last")).toBe(9);
  });

  test("that a run cannot have reject, and the body goes on", async () => {
    const w = world([1]);
    const order = workflow("order", { version: 1 }, async (ctx) => {
      const wrong = [{ "no name": 1 }, { a: {} }, { a: Number.NaN }, { a: new Date(Number.NaN) }, 5];
      const codes: unknown[] = [];
      for (const changes of wrong) {
        await ctx.setAttributes(changes as never).catch((error: { readonly code: string }) => codes.push(error.code));
      }
      const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`n${at}`, at]));
      await ctx.setAttributes(many).catch((error: Error) => codes.push(error.message));
      await ctx.setAttributes({ fine: true });
      return codes;
    });
    await w.startAll([order]);
    expect(await (await w.runtime(1).startWorkflow(order, undefined, { id: "a" })).result()).toEqual([
      ...Array.from({ length: 5 }, () => "ATTRIBUTES_INVALID"),
      expect.stringMatching(/run would have 33 attributes, and may have 32/),
    ]);
  });

  test("stay the run's in its next generation, and of a child begin with its start", async () => {
    const w = world([1]);
    const child = workflow("child", { version: 1 }, async (ctx) => ctx.attributes);
    const parent = workflow("parent", { version: 1 }, async (ctx, round: number) => {
      if (round === 1) {
        await ctx.setAttributes({ round, customer: "ada" });
        return await ctx.continueAsNew(2);
      }
      const own = ctx.attributes;
      return [own, await ctx.run(child, undefined, { attributes: { of: ctx.runId } })];
    });
    await w.startAll([parent, child]);
    const run = await w.runtime(1).startWorkflow(parent, 1, { id: "a" });
    expect(await run.result()).toEqual([{ customer: "ada", round: 1 }, { of: "a" }]);
  });
});
