/** A module as `raftoral start --workflows` loads it. */
import { signal, workflow } from "raftoral";

interface Purchase {
  readonly item: string;
  readonly total: number;
}

const approval = signal<boolean>("approval");

/** Purchases of 100 and more wait for somebody's approval. */
export const purchase = workflow("purchase", { version: 1 }, async (ctx, { item, total }: Purchase) => {
  await ctx.step("reserve", () => item);
  const approved = total < 100 || (await ctx.waitFor(approval));
  return { item, approved };
});
