import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import type { WorkflowCommand } from "../../commands/registry.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { type World, world } from "../../testing/workflow-world.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 1_700_000_000_000;
const began: string[] = [];
const noted = workflow("noted", { version: 1 }, async (ctx) => void began.push(ctx.runId));

async function started(clock: HandClock): Promise<World> {
  began.length = 0;
  const w = world([1, 2, 3]);
  await w.startAll([noted], { clock });
  return w;
}

function start(
  w: World,
  runId: string,
  atMs: number,
  when: { delayMs: number } | { startAtMs: number },
): Promise<unknown> {
  const facts = {
    runId,
    workflowType: "noted",
    version: 1,
    input: new Uint8Array(0),
    owner: 3,
    seed: new Uint8Array(0),
  };
  const command: WorkflowCommand = { kind: "WorkflowStart", ...facts, atMs, ...when };
  return w.cluster.node(2).engine.propose(command);
}

describe("a delayed run", () => {
  test("begins when it is due, to the millisecond, and not before", async () => {
    const clock = new HandClock(NOW_MS);
    const w = await started(clock);
    await start(w, "later", clock.wallMs(), { delayMs: HOUR_MS + 7 });
    await start(w, "sooner", clock.wallMs(), { startAtMs: clock.wallMs() + 300 });
    await clock.advance(299);
    expect(began).toEqual([]);
    await clock.advance(1);
    expect(began).toEqual(["sooner"]);
    await clock.advance(HOUR_MS + 7 - 301);
    expect(began).toEqual(["sooner"]);
    await clock.advance(1);
    expect(began).toEqual(["sooner", "later"]);
  });

  test("begins under the next leader, once", async () => {
    const clock = new HandClock(NOW_MS);
    const w = await started(clock);
    await start(w, "r", clock.wallMs(), { delayMs: 5000 });
    await clock.advance(2500);
    w.cluster.lead(2);
    await clock.advance(2499);
    expect(began).toEqual([]);
    await clock.advance(1);
    expect(began).toEqual(["r"]);
    w.cluster.lead(3);
    await clock.advance(HOUR_MS);
    expect(began).toEqual(["r"]);
  });

  test("of a delay is not put off by a clock that is set back, and of a time of day is", async () => {
    const clock = new HandClock(NOW_MS);
    const w = await started(clock);
    await start(w, "delay", clock.wallMs(), { delayMs: 30_000 });
    await start(w, "moment", clock.wallMs(), { startAtMs: clock.wallMs() + 30_000 });
    clock.setBack(HOUR_MS);
    await clock.advance(30_000);
    expect(began).toEqual(["delay"]);
    await clock.advance(HOUR_MS - 1000);
    expect(began).toEqual(["delay"]);
    await clock.advance(1000);
    expect(began).toEqual(["delay", "moment"]);
  });

  test("of a time of day does not begin early because a clock is ahead for a moment", async () => {
    const clock = new HandClock(NOW_MS);
    const w = await started(clock);
    await start(w, "moment", clock.wallMs(), { startAtMs: clock.wallMs() + HOUR_MS });
    clock.setBack(-2 * HOUR_MS);
    await clock.advance(5000);
    expect(began).toEqual([]);
    clock.setBack(2 * HOUR_MS);
    await clock.advance(60_000);
    expect(began).toEqual([]);
    clock.setBack(-2 * HOUR_MS);
    await clock.advance(12_000);
    expect(began).toEqual(["moment"]);
  });

  test("of which there are many begins in pieces", async () => {
    const clock = new HandClock(NOW_MS);
    const w = await started(clock);
    for (let run = 0; run < 600; run++) await start(w, `r${run}`, clock.wallMs(), { delayMs: 1000 });
    await clock.advance(1000);
    expect(new Set(began).size).toBe(600);
    expect(began).toHaveLength(600);
  });
});
