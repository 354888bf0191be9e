/** A workflow for a queue, which may be held up on its first owner. */
import { workflow } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

export const desk = workflow("desk", { version: 1 }, async (ctx, { isHeld }: { readonly isHeld: boolean }) =>
  ctx.step("serve", async () => {
    if (isHeld) await holdFirstOwner(ctx);
    return ctx.nodeId;
  }),
);
