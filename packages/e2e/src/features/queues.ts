import { expect } from "vitest";
import { desk } from "../programs/desk.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

const NAME = "desks";
const HELD = ["desk-1", "desk-2", "desk-3"];
const WAITING = ["desk-4", "desk-5"];

export const queues = feature({
  title: "runs of a queue keep their place when their owner dies, and no node gets more of them than it may",
  begin: async ({ workflows }) => {
    await workflows.queues.define(NAME, { concurrency: 3, perNode: 1 });
    for (const runId of HELD) await workflows.start(desk, { isHeld: true }, { runId, queue: NAME, key: runId });
    for (const runId of WAITING) await workflows.start(desk, { isHeld: false }, { runId, queue: NAME, priority: 1 });
    const owners = await Promise.all(HELD.map(async (runId) => (await workflows.describe(runId)).owner));
    expect(owners.toSorted()).toEqual([1, 2, 3]);
    expect((await workflows.describe("desk-4")).queue).toMatchObject({ waitsFor: "concurrency", position: 1 });
    return owners;
  },
  end: async ({ workflows, killed }, owners) => {
    const moved = HELD[owners.indexOf(killed)] ?? "";
    // Both nodes that live have one run each already.
    await until("the run of the killed node to be on none", async () => (await workflows.describe(moved)).owner === 0);
    expect(await workflows.queues.get(NAME)).toMatchObject({ running: 3, waiting: 2, closedBy: "concurrency" });
    expect(await workflows.describe(moved)).toMatchObject({ status: "running" });
    await workflows.queues.define(NAME, { concurrency: 4, perNode: 2 });
    const node = await workflows.run<typeof desk>(moved).result({ timeoutMs: WAIT_MS });
    expect(node).not.toBe(killed);
    for (const runId of WAITING) {
      const run = workflows.run<typeof desk>(runId);
      expect(await run.result({ timeoutMs: WAIT_MS })).not.toBe(killed);
      expect((await run.describe()).takeovers).toBe(0);
    }
    for (const runId of HELD.filter((each) => each !== moved)) await workflows.terminate(runId);
    expect(await workflows.queues.get(NAME)).toMatchObject({ running: 0, waiting: 0, admitted: 5 });
    await workflows.queues.delete(NAME);
  },
});
