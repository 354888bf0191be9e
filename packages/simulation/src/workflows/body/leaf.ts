/** What programs start as their children. */
import { workflow } from "@raftoral/workflow";

/** The input of a child. */
export interface Leaf {
  /** Sleeps so long first. */
  readonly ms: number;
  /** What it gives. */
  readonly value: number;
  readonly fails: boolean;
}

/** A child: sleeps, runs a step, and gives a value or fails. */
export const leaf = workflow("leaf", { version: 1 }, async (ctx, { ms, value, fails }: Leaf): Promise<number> => {
  if (ms > 0) await ctx.sleep(ms);
  const gave = await ctx.step("leaf", () => value);
  if (fails) throw new Error("the leaf fails");
  return gave;
});
