// @module-tag slow
import { update, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const deposit = update<number, number>("deposit");

test("updates survive disturbances: each is executed once, whatever the order and the delays", {
  timeout: 60_000,
}, async () => {
  const account = workflow("account", { version: 1 }, async (ctx) => {
    let [sum, count] = [0, 0];
    ctx.onUpdate(deposit, async (own, amount) => {
      const booked = await own.step("book", () => amount);
      sum += booked;
      count += 1;
      return sum;
    });
    await ctx.condition(() => count === 3);
    return sum;
  });
  const updates = [1, 10, 100].map((input, at) => ({ update: deposit, input, when: at * 500 }));
  const simulated = await simulate(account, { input: undefined, seeds: 12, updates, signalOrder: "any" });
  expect(simulated).toBeDefined();
});
