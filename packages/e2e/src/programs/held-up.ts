/** Keeps a run in its middle until its owner is killed: for the programs of features/. */
import type { WorkflowContext } from "raftoral";

/** Never settles in the process of a run's first owner. Every later owner passes. */
export async function holdFirstOwner(ctx: Pick<WorkflowContext, "attempt">): Promise<void> {
  if (ctx.attempt === 1) await new Promise<never>(() => {});
}
