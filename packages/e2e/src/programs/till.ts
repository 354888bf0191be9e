/** An object that counts what it was paid, and whose first owner is held up in the middle of a call. */
import { exclusive, object, shared } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

/** What a till has. */
export interface Takings {
  readonly sum: number;
  readonly payers: readonly string[];
}

export const till = object(
  "till",
  { version: 1, state: { sum: 0, payers: [] } as Takings },
  {
    pay: exclusive(async (ctx, { by, amount }: { readonly by: string; readonly amount: number }) => {
      const { sum, payers } = ctx.state.value;
      const node = await ctx.step("receipt", async () => {
        if (by === "slow") await holdFirstOwner(ctx);
        return ctx.nodeId;
      });
      await ctx.state.set({ sum: sum + amount, payers: [...payers, by] });
      return node;
    }),
    look: shared((ctx) => ctx.state.value.sum),
  },
);
