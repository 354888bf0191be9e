/** A workflow whose steps take longer than their owner lives: one is tried again, one says how far it is, and many run a few at a time. */
import { setTimeout as pause } from "node:timers/promises";
import { workflow } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

/** Items that are loaded, how many of them at once, and how many the first owner loads. */
export const LOADS = 40;
export const LOADED_FIRST = 20;
const AT_ONCE = 4;
/** How deep is dug, how deep the first owner gets, and what a metre takes. */
export const DEPTH = 10;
export const ROCK = 5;
const METRE_MS = 20;

export const labor = workflow("labor", { version: 1 }, async (ctx) => {
  const haul = ctx.step(
    "haul",
    async ({ attempt }) => {
      if (attempt === 2) await holdFirstOwner(ctx);
      if (attempt < 3) throw new Error(`attempt ${attempt} on node ${ctx.nodeId}`);
      return { attempt, node: ctx.nodeId };
    },
    { retry: { initialDelay: "1s", factor: 1, jitter: 0 } },
  );
  const dig = ctx.step(
    "dig",
    async (step) => {
      const from = typeof step.heartbeatDetails === "number" ? step.heartbeatDetails : 0;
      for (let metre = from + 1; metre <= DEPTH; metre++) {
        // The first owner's digging goes no deeper, and is heard of all the same.
        while (ctx.attempt === 1 && metre > ROCK && !step.signal.aborted) {
          step.heartbeat(ROCK);
          await pause(METRE_MS);
        }
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
        if (load >= LOADED_FIRST) await holdFirstOwner(ctx);
        return { load, node: ctx.nodeId };
      }),
    { concurrency: AT_ONCE },
  );
  const [hauled, dug, loaded] = await Promise.all([haul, dig, loads]);
  return { hauled, dug, loaded };
});
