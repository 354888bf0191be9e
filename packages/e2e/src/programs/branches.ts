/** Workflows with branches: each is brought to its middle, and ends only when its owner was killed there and somebody outside acts. */
import { CancelledError, ScopeTimeoutError, signal, variable, workflow } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

/** Decides a race. */
export const flag = signal<number>("flag");

/** Races that are over, by what has decided them. */
export const decided = variable<readonly string[]>("decided");

/** Two races, one after the other, each of a signal, a step that does not end, and an hour. */
export const racing = workflow("racing", { version: 1 }, async (ctx) => {
  const races = await ctx.variable(decided, []);
  const aborted: string[] = [];
  for (let round = 0; round < 2; round++) {
    const { winner, value } = await ctx.race({
      flag: (own) => own.waitFor(flag),
      work: (own) =>
        own
          .step("work", () => new Promise<never>(() => {}))
          .catch((error: Error) => {
            aborted.push(error.name);
            throw error;
          }),
      hour: (own) => own.sleep("1h"),
    });
    await races.update((before) => [...before, `${winner} ${String(value)}`]);
  }
  return { decided: races.value, aborted };
});

/** How long {@link limited} goes on. It has to be more than its owner's life, and the next owner ends it. */
export const LIMIT_MS = 6_000;

/** Polls until the time of its scope is over. */
export const limited = workflow("limited", { version: 1 }, async (ctx) => {
  const isOver = await ctx
    .scope(
      "polls",
      async (own) => {
        for (;;) {
          await own.step("poll", () => "nothing yet");
          await own.sleep("1h");
        }
      },
      { timeout: LIMIT_MS },
    )
    .catch((error: unknown) => error instanceof ScopeTimeoutError);
  return { isOver, endedBy: await ctx.step("after", () => ctx.nodeId) };
});

/** Cleans up in a shield when it is cancelled: the first owner dies between the two steps of that. */
export const sheltered = workflow("sheltered", { version: 1 }, async (ctx) => {
  try {
    await ctx.waitFor("never");
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    await ctx.shield(async (safe) => {
      await safe.step("close", () => ctx.nodeId);
      await safe.step("sweep", async () => {
        await holdFirstOwner(ctx);
        return ctx.nodeId;
      });
    });
    throw error;
  }
});

/** Adds to a sum. */
export const add = signal<number>("add");

/** What was added up so far. */
export const sum = variable<number>("sum");

/** Waits until what others send adds up to ten. */
export const adding = workflow("adding", { version: 1 }, async (ctx) => {
  const total = await ctx.variable(sum, 0);
  const received = (async () => {
    while (total.value < 10) {
      const more = await ctx.waitFor(add);
      await total.update((before) => before + more);
      await ctx.step("note", () => total.value);
    }
  })();
  await ctx.condition(() => total.value >= 10);
  const seen = total.value;
  await received;
  return { seen, never: await ctx.condition(() => total.value > 100, { timeout: 1, name: "never" }) };
});
