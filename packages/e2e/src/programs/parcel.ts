/** A workflow whose code is not the same on every node, as in the middle of a bad deployment. */
import { signal, workflow } from "raftoral";

/** The node with the code that runs begin with. */
export const OLD_CODE = 1;

export const sent = signal<string>("sent");

/** Packs in a step, and waits. On other nodes the call of that name is a sleep: they cannot go on with what the first one recorded. */
export const parcel = workflow("parcel", { version: 1 }, async (ctx) => {
  if (ctx.nodeId === OLD_CODE) await ctx.step("pack", () => "packed");
  else await ctx.sleep(1, { name: "pack" });
  return `${await ctx.waitFor(sent)} on node ${ctx.nodeId}`;
});
