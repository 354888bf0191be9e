import { expect } from "vitest";
import {
  add,
  type adding,
  decided,
  flag,
  type limited,
  type racing,
  type sheltered,
  sum,
} from "../programs/branches.ts";
import { feature, stepsOf, until, WAIT_MS } from "./feature.ts";

export const race = feature({
  title:
    "a race goes on: those that are over stay decided, the open one is decided by a signal, and its losers are cancelled",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof racing>("racing", undefined, { runId: "racing" });
    await run.signal(flag, 1);
    await until("the first race to be over", async () => (await run.variable(decided))?.length === 1);
  },
  end: async ({ workflows }) => {
    const run = workflows.run<typeof racing>("racing");
    await run.signal(flag, 2);
    const { decided: races, aborted } = await run.result({ timeoutMs: WAIT_MS });
    expect(races).toEqual(["flag 1", "flag 2"]);
    expect(aborted).toEqual(["BranchCancelledError", "BranchCancelledError"]);
  },
});

export const scopeTimeout = feature({
  title: "a scope's time is over for the next owner when it would have been for the first",
  isTimed: true,
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof limited>("limited", undefined, { runId: "limited" });
    return await until("the first poll", async () => {
      const { owner } = await run.describe();
      return (await stepsOf(run)).length === 1 && { owner };
    });
  },
  end: async ({ workflows, killed }, { owner }) => {
    const { isOver, endedBy } = await workflows.run<typeof limited>("limited").result({ timeoutMs: WAIT_MS });
    expect({ isOver, owner }).toEqual({ isOver: true, owner: killed });
    expect(endedBy).not.toBe(killed);
    const steps = await stepsOf(workflows.run("limited"));
    expect(steps.map(({ path }) => path)).toEqual(["polls/poll#0", "after#0"]);
  },
});

export const shield = feature({
  title:
    "a shield of a cancelled run is carried on: what was done in it is not done again, the rest is, and the run is cancelled",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof sheltered>("sheltered", undefined, { runId: "sheltered" });
    await run.cancel({ reason: "closing time" });
    await until("the first step in the shield", async () => (await stepsOf(run)).length === 1);
  },
  end: async ({ workflows, killed }) => {
    const ended = await workflows.wait("sheltered", { timeoutMs: WAIT_MS });
    expect(ended).toMatchObject({ status: "cancelled", reason: "closing time" });
    const records = await stepsOf(workflows.run("sheltered"));
    expect(records.map(({ path }) => path)).toEqual(["shield/close#0", "shield/sweep#0"]);
    const [closed, swept] = records.map(({ value }) => value.value());
    expect(closed).toBe(killed);
    expect(swept).not.toBe(killed);
  },
});

export const condition = feature({
  title: "a condition over a variable holds for the next owner when the variable says so, and another's time passes",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof adding>("adding", undefined, { runId: "adding" });
    await run.signal(add, 3);
    await run.signal(add, 4);
    await until("both to be added", async () => (await run.variable(sum)) === 7);
  },
  end: async ({ workflows }) => {
    const run = workflows.run<typeof adding>("adding");
    await run.signal(add, 5);
    expect(await run.result({ timeoutMs: WAIT_MS })).toEqual({ seen: 12, never: false });
  },
});
