import { expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { MAX_FORKED_RECORDS } from "../../commands/mending/fork.ts";
import { plain, world } from "../../testing/workflow-world.ts";

test("a fork takes the course of the other run up to a step, and goes on under keys and randomness of its own course", async () => {
  const w = world();
  const ran: string[] = [];
  const body = workflow("order", { version: 1 }, async (ctx, input: string) => {
    const state = await ctx.variable("state", "new");
    const drawn = ctx.random();
    const key = await ctx.step("pack", ({ idempotencyKey }) => {
      ran.push(`pack ${input}`);
      return idempotencyKey;
    });
    await state.set("packed");
    const charged = await ctx.step("charge", ({ idempotencyKey }) => {
      ran.push(`charge ${input} ${state.value}`);
      return idempotencyKey;
    });
    await state.set("charged");
    return { drawn, key, charged };
  });
  await w.startAll([body]);
  await w.runtime(1).startWorkflow(body, "tea", { id: "r" });
  const first = (await w.runtime(1).result("r")) as Record<string, unknown>;
  await w.runtime(2).fork("r", "f", "charge", "ink");
  const second = (await w.runtime(1).result("f")) as Record<string, unknown>;
  expect(ran).toEqual(["pack tea", "charge tea packed", "charge ink packed"]);
  expect(second).toMatchObject({ drawn: first.drawn, key: first.key });
  expect(second.charged).not.toBe(first.charged);
  expect(await w.runtime(1).getStatus("f")).toMatchObject({ status: "completed", attempt: 1, parent: undefined });
  const { variables = [] } = (await w.cluster.node(1).engine.variables({ runId: "f" })) ?? {};
  const [charged] = variables;
  expect(variables).toHaveLength(1);
  expect(new TextDecoder().decode(await plain(charged?.value))).toBe('"charged"');
  await w.runtime(3).fork("f", "g", "pack");
  await w.runtime(1).result("g");
  expect(ran.slice(3)).toEqual(["pack ink", "charge ink packed"]);
});

test("a fork of a history that one command does not copy is refused", async () => {
  const w = world();
  const body = workflow("long", { version: 1 }, async (ctx) => {
    const count = await ctx.variable("count", 0);
    for (let i = 0; i <= MAX_FORKED_RECORDS; i++) await count.set(i);
    await ctx.waitFor("end");
  });
  await w.startAll([body]);
  await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
  await expect
    .poll(async () => (await w.runtime(1).getStatus("r"))?.recordCount, { timeout: 10_000 })
    .toBeGreaterThan(MAX_FORKED_RECORDS);
  await expect(w.runtime(1).fork("r", "f")).rejects.toMatchObject({ code: "FORK_TOO_LARGE" });
  expect(await w.runtime(1).getStatus("f")).toBeUndefined();
});
