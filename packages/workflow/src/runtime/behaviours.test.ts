/** Behaviours of the engine on nodes of several releases (behaviours.ts). */
import { describe, expect, test } from "vitest";
import { query } from "../author/query.ts";
import { signal } from "../author/signal.ts";
import type { StandardSchemaV1 } from "../author/values/schema.ts";
import { workflow } from "../author/workflow.ts";
import { type World, world } from "../testing/workflow-world.ts";
import { BEHAVIOUR_LEVEL, BEHAVIOURS, behaves } from "./behaviours.ts";
import { fingerprintOf } from "./calls/fingerprint.ts";

/** Gives a regular expression, which JSON does not carry and only the full form of fingerprints knows. */
const pattern: StandardSchemaV1<string, RegExp> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: new RegExp(String(value), "u") }) },
};
const wanted = signal("wanted", pattern);

/** Takes a pattern, and says on which nodes its steps ran. */
const searching = workflow("searching", { version: 1 }, async (ctx) => {
  ctx.onQuery(query<string>("where"), () => `on ${ctx.nodeId}`);
  const { source } = await ctx.waitFor(wanted);
  const first = await ctx.step("first", () => ctx.nodeId);
  await ctx.waitFor("go");
  const second = await ctx.step("second", () => ctx.nodeId);
  return [source, first, second];
});

async function startRelease(w: World, nodeId: number, behaviourLevel: number): Promise<void> {
  await w.start(nodeId, [searching], { behaviourLevel }).registered;
}

/** The run `r` on node `on`, with its first step recorded. */
async function underWay(w: World, on: number) {
  const recorded = w.next("record-committed", ({ path }) => path === "first#0");
  const run = await w.runtime(on).startWorkflow(searching, undefined, { id: "r" });
  await w.runtime(on).signal("r", "wanted", "^tea");
  await recorded;
  return run;
}

async function fingerprint(w: World, on: number): Promise<string | undefined> {
  const run = await w.runtime(on).getRun("r");
  const bytes = run?.history.find(([path]) => path === "wanted#0/parsed")?.[1].value;
  return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly fingerprint?: string }).fingerprint;
}

describe("the list of behaviours", () => {
  test("gives out each number once, in order and without gaps (BV1)", () => {
    const numbers = Object.values(BEHAVIOURS).map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
    expect(BEHAVIOUR_LEVEL).toBe(numbers.length);
    // Only appended to: runs of users have these numbers.
    expect(Object.keys(BEHAVIOURS)).toEqual(["fullFingerprints", "settableVariables"]);
    expect([0, 1, 2].map((level) => behaves(level, BEHAVIOURS.fullFingerprints))).toEqual([false, true, true]);
  });
});

describe("a run", () => {
  test("that began while a node of an earlier release was there keeps the old form, on new nodes too (BV2)", async () => {
    const w = world([1, 2, 3]);
    await startRelease(w, 1, 0);
    await startRelease(w, 2, BEHAVIOUR_LEVEL);
    await startRelease(w, 3, BEHAVIOUR_LEVEL);
    w.cluster.lead(3);
    await underWay(w, 2);
    expect(await fingerprint(w, 3)).toBe(fingerprintOf(/^tea/u, "first"));
    w.kill(2);
    w.kill(1);
    w.cluster.reportLost(1);
    w.cluster.reportLost(2);
    await w.runtime(3).signal("r", "go");
    expect(await w.runtime(3).result("r")).toEqual(["^tea", 2, 3]);
    expect(await w.cluster.node(3).engine.summary("r")).toMatchObject({ behaviourLevel: 0 });
  });

  test("that began on nodes of this release has the new form, also after a takeover", async () => {
    const w = world([1, 2]);
    await startRelease(w, 1, BEHAVIOUR_LEVEL);
    await startRelease(w, 2, BEHAVIOUR_LEVEL);
    w.cluster.lead(2);
    await underWay(w, 1);
    expect(await fingerprint(w, 2)).toBe(fingerprintOf(/^tea/u, "full"));
    w.kill(1);
    w.cluster.reportLost(1);
    await w.runtime(2).signal("r", "go");
    expect(await w.runtime(2).result("r")).toEqual(["^tea", 1, 2]);
  });

  test("that needs more than its node has is not executed there, whatever the state says (BV3)", async () => {
    const w = world([1]);
    const { engine } = w.cluster.node(1);
    const propose = engine.propose.bind(engine);
    engine.propose = (command, options) =>
      propose(command.kind === "NodeRegister" ? { ...command, behaviourLevel: BEHAVIOUR_LEVEL + 1 } : command, options);
    const said: [unknown, string][] = [];
    const nothing = (): void => {};
    const error = (fields: unknown, message: string): void => void said.push([fields, message]);
    const logger = { debug: nothing, info: nothing, warn: nothing, error };
    const runtime = w.start(1, [searching], { logger });
    await runtime.registered;
    w.cluster.lead(1);
    await runtime.startWorkflow(searching, undefined, { id: "r" });
    const facts = { runId: "r", type: "searching", version: 1, behaviourLevel: BEHAVIOUR_LEVEL + 1 };
    const text = "A run that needs what this node never registered is its own. It is not executed here.";
    expect(said).toEqual([[facts, text]]);
    expect(w.events.filter(({ type }) => type === "body-started")).toEqual([]);
  });

  test("waits when only nodes of an earlier release are left, which say so, and goes on with a node of its own (BV3)", async () => {
    const w = world([1, 2, 3]);
    await startRelease(w, 1, BEHAVIOUR_LEVEL);
    w.cluster.lead(1);
    await underWay(w, 1);
    // A node of an earlier release joins, and does not get the run.
    await startRelease(w, 2, 0);
    const moved = w.next("owner-changed");
    w.cluster.lead(2);
    w.kill(1);
    w.cluster.reportLost(1);
    expect(await moved).toMatchObject({ runId: "r", to: 0 });
    const asked = w.runtime(2).query("r", "where");
    await expect(asked).rejects.toMatchObject({
      code: "QUERY_UNAVAILABLE",
      message: expect.stringContaining("newer release"),
    });
    w.runtime(2).stop();
    const said = w.next("behaviours-missing");
    await startRelease(w, 2, 0);
    const facts = { workflowType: "searching", version: 1, runs: 1, needed: BEHAVIOUR_LEVEL, registered: 0 };
    expect(await said).toEqual({ type: "behaviours-missing", ...facts });
    await startRelease(w, 3, BEHAVIOUR_LEVEL);
    await w.runtime(3).signal("r", "go");
    expect(await w.runtime(3).result("r")).toEqual(["^tea", 1, 3]);
  });
});
