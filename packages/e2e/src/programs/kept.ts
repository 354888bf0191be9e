/** Runs that operators mend: one of a type that is paused, one whose variable is set, and some that are mended together. */
import { signal, variable, workflow } from "raftoral";

export const wake = signal("wake");

export const resting = workflow("kept-resting", { version: 1 }, async (ctx) => {
  await ctx.waitFor(wake);
  return "rested";
});

export const limit = variable<number>("limit");

/** Ends once its limit is 10, with all limits that it has seen. */
export const bounded = workflow("kept-bounded", { version: 1 }, async (ctx) => {
  const most = await ctx.variable(limit, 1);
  const seen: number[] = [];
  while (most.value < 10) {
    const before = most.value;
    await ctx.condition(() => most.value !== before);
    seen.push(await ctx.step("see", () => most.value));
  }
  return seen;
});
