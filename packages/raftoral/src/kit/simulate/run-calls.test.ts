// @module-tag slow
import { exclusive, object, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const till = object(
  "till",
  { version: 1, state: [] as readonly string[] },
  {
    pay: exclusive(async (ctx, payer: string) => {
      const paid = await ctx.step("count", () => ctx.state.value.length + 1);
      await ctx.state.update((payers) => [...payers, payer]);
      if (payer === "bad") throw new RangeError("It is false money.");
      return paid;
    }),
  },
);

test("a body's calls of an object are carried out once each, whatever happens to owners of either", async () => {
  const shopping = workflow("shopping", { version: 1 }, async (ctx) => {
    const own = ctx.object(till, "front");
    const first = await own.call("pay", "first");
    await ctx.step("between", () => "done");
    const both = await Promise.all([
      own.call("pay", "a"),
      ctx.scope("b", (b) => b.object(till, "front").call("pay", "b")),
    ]);
    const failure = await own.call("pay", "bad").catch((error: Error) => error.message);
    return { first, both: both.toSorted(), failure, last: await own.call("pay", "last") };
  });
  await simulate(shopping, {
    input: undefined,
    seeds: 40,
    workflows: [till],
    during: async (run, cluster) => {
      const ended = await run.wait();
      if (ended.status !== "completed") return;
      const payers = (await cluster.workflows.object(till, "front").state()) ?? [];
      expect(payers.toSorted()).toEqual(["a", "b", "bad", "first", "last"]);
    },
    check: ({ status, result, wasCancelled }) => {
      if (wasCancelled) return;
      expect(status).toBe("completed");
      expect(result).toMatchObject({ first: 1, both: [2, 3], last: 5 });
      expect(result?.failure).toContain("It is false money.");
    },
  });
});
