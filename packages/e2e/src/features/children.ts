import { expect } from "vitest";
import { BECALMED, type fleet, SHIPS, TRIPS, wind } from "../programs/fleet.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

export const children = feature({
  title: "a parent gets the end of each child once, each child is one run, and the parent continues as new",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof fleet>("fleet", { trip: 0, arrived: [] }, { runId: "fleet" });
    return await until("the ships of the second trip to lie becalmed", async () => {
      const { generation, children: out } = await run.describe();
      return generation === 2 && out.length === SHIPS - BECALMED && { out };
    });
  },
  end: async ({ workflows }, { out }) => {
    for (const { runId } of out) await workflows.signal(runId, wind, undefined, { timeoutMs: WAIT_MS });
    const result = await workflows.run<typeof fleet>("fleet").result({ timeoutMs: WAIT_MS });
    expect(result).toEqual({ trip: TRIPS, arrived: Array.from({ length: TRIPS }, () => SHIPS) });
    const described = await workflows.describe("fleet");
    expect(described).toMatchObject({ generation: TRIPS, children: [], status: "completed" });
    const voyages = await Array.fromAsync(workflows.list({ workflowType: "voyage" }));
    expect(voyages).toHaveLength(SHIPS * TRIPS);
    expect(voyages.every(({ status, parent }) => status === "completed" && parent?.runId === "fleet")).toBe(true);
  },
});

/** More than the kill takes; the next owner sees it pass. */
const RUN_MS = 6_000;

export const runTimeout = feature({
  title: "a run whose time is over after the kill is ended by the next owner",
  isTimed: true,
  begin: async ({ workflows }) => {
    await workflows.start("patient", undefined, { runId: "patient", runTimeoutMs: RUN_MS });
  },
  end: async ({ workflows, killed }) => {
    const ended = await workflows.wait("patient", { timeoutMs: WAIT_MS });
    expect(ended).toMatchObject({ status: "failed", error: { code: "RUN_TIMED_OUT" } });
    const { takeovers, owner } = await workflows.describe("patient");
    expect(takeovers).toBe(1);
    expect(owner).not.toBe(killed);
  },
});
