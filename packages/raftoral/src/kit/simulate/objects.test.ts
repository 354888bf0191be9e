// @module-tag slow
import { DELETE_UPDATE, exclusive, object, RENEW_UPDATE, SEND_UPDATE, shared } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { DISTURBANCE_KINDS } from "./disturbance.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 25;
const CALLERS = 3;
const CALLS = 3;
const TOTAL = CALLERS * CALLS;

interface Counted {
  readonly sum: number;
  readonly calls: readonly string[];
}

const counter = object(
  "counter",
  { version: 1, state: { sum: 0, calls: [] } as Counted },
  {
    // What it read before the step is what it changes after it: two at once would lose one of the two.
    add: exclusive(async (ctx, { by, call }: { readonly by: number; readonly call: string }) => {
      const { sum, calls } = ctx.state.value;
      const added = await ctx.step("add", () => sum + by);
      await ctx.state.set({ sum: added, calls: [...calls, call] });
      return added;
    }),
    read: shared((ctx) => ctx.state.value),
    readLater: shared(async (ctx) => {
      await ctx.sleep("10s");
      return ctx.state.value;
    }),
  },
);

test("an object carries out each call once and in turn, whatever happens to owners and leaders", async () => {
  let calls = 0;
  // The run is the object: what is disturbed is its owner, at each of its records.
  await simulate(counter, {
    input: undefined,
    seeds: SEEDS,
    disturbances: DISTURBANCE_KINDS.filter((kind) => kind !== "cancel"),
    during: async (run) => {
      const later = { name: "add", input: { by: 1000, call: "later" }, afterMs: 5000, id: "later" };
      const answers: unknown[] = [];
      const caller = async (number: number): Promise<void> => {
        for (let at = 0; at < CALLS; at++) {
          const call = `${number}-${at}`;
          const both = [1, 2].map(() => run.update("add", { by: 1, call }, { id: call }));
          const [first, second] = await Promise.all(both);
          expect(second).toBe(first);
          answers.push(first);
          if (number === 1 && at === 1) await run.update(RENEW_UPDATE);
        }
      };
      await run.update("add", { by: 0, call: "first" });
      await run.update(SEND_UPDATE, later, { id: "later" });
      await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)));
      // A generation that ends as this is accepted waits for it, and the next one begins the call for later.
      let { sum, calls: made } = (await run.update("readLater")) as Counted;
      if (sum === TOTAL) ({ sum, calls: made } = (await run.update("readLater")) as Counted);
      expect(sum).toBe(1000 + TOTAL);
      expect(new Set(made).size).toBe(made.length);
      expect(made).toHaveLength(TOTAL + 2);
      expect(new Set(answers).size).toBe(TOTAL);
      expect((await run.describe()).generation).toBe(2);
      calls += TOTAL;
      await run.update(DELETE_UPDATE);
    },
    check: ({ status }) => expect(status).toBe("completed"),
  });
  expect(calls).toBe((SEEDS + 1) * TOTAL);
});
