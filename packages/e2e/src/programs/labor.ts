/** A workflow whose steps take longer than their owner lives: one is tried again, one says how far it is, and many run a few at a time. */
import { setTimeout as pause } from "node:timers/promises";
import { workflow } from "raftoral";

/** Items that are loaded, and how many of them at once. */
export const LOADS = 60;
const AT_ONCE = 4;
/** How deep is dug, and what a metre takes. */
export const DEPTH = 60;
const METRE_MS = 100;

export const labor = workflow("labor", { version: 1 }, async (ctx) => {
  const haul = ctx.step(
    "haul",
    ({ attempt }) => {
      if (attempt < 3) throw new Error(`attempt ${attempt} on node ${ctx.nodeId}`);
      return { attempt, node: ctx.nodeId };
    },
    { retry: { initialDelay: "4s", factor: 1, jitter: 0 } },
  );
  const dig = ctx.step(
    "dig",
    async (step) => {
      const from = typeof step.heartbeatDetails === "number" ? step.heartbeatDetails : 0;
      for (let metre = from + 1; metre <= DEPTH; metre++) {
        await pause(METRE_MS);
        step.heartbeat(metre);
      }
      return { from, attempt: step.attempt, node: ctx.nodeId };
    },
    { heartbeatTimeout: "5s" },
  );
  const loads = ctx.map(
    Array.from({ length: LOADS }, (_, at) => at),
    (item, load) =>
      item.step("load", async () => {
        await pause(METRE_MS);
        return { load, node: ctx.nodeId };
      }),
    { concurrency: AT_ONCE },
  );
  const [hauled, dug, loaded] = await Promise.all([haul, dig, loads]);
  return { hauled, dug, loaded };
});
