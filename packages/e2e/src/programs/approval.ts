/** A workflow that somebody outside approves: it says how far it is in a variable and to a query, and hands out a token. */
import { query, variable, workflow } from "raftoral";

/** How far the run is. */
export const stage = variable<"begun" | "asked" | "approved">("stage");

/** What the body has done. */
export const course = query<readonly string[]>("course");

export const approval = workflow("approval", { version: 1 }, async (ctx) => {
  const done: string[] = [];
  ctx.onQuery(course, () => done);
  const at = await ctx.variable(stage, "begun");
  const token = await ctx.token<{ readonly by: string }>("approval");
  await ctx.variable("token", token.id);
  const asked = await ctx.step("ask", () => ({ node: ctx.nodeId, token: token.id }));
  done.push("asked");
  await at.set("asked");
  const answer = await token.answer();
  done.push(`approved by ${answer.by}`);
  await at.set("approved");
  const packed = await ctx.step("pack", () => ({ node: ctx.nodeId }));
  // The id is the same on every owner.
  return { asked, answer, packed, isSame: asked.token === token.id };
});
