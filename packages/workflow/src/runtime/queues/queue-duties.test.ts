import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_LIMITS, NO_RUN_QUEUE, type RunQueue } from "../../model/runs/run-queue.ts";
import { DutiesWorld } from "../../testing/duties-world.ts";

const NOTHING = new Uint8Array(0);

function enqueue(world: DutiesWorld, runId: string, more: Partial<RunQueue> = {}): void {
  const type = { workflowType: "order", version: 1, input: NOTHING, owner: 1, seed: NOTHING };
  const atMs = world.processes.get(world.leader)?.clock.wallMs() ?? 1;
  world.apply({ kind: "WorkflowStart", runId, ...type, atMs, queue: { ...NO_RUN_QUEUE, name: "q", ...more } });
}

function define(world: DutiesWorld, limits: Partial<typeof NO_LIMITS>): void {
  world.apply({ kind: "QueueDefine", name: "q", limits: { ...NO_LIMITS, ...limits }, isDeclared: false, atMs: 1 });
}

function admitted(world: DutiesWorld): number {
  return world.state.queues("q")[0]?.admitted ?? 0;
}

/** Real time: the clocks of all nodes run alike. */
function nowMs(world: DutiesWorld): number {
  return Math.max(0, ...[...world.processes.values()].map(({ clock }) => clock.now));
}

describe("a rate", () => {
  test("is kept in every window of real time, and used, whatever leaders and clocks do", async () => {
    const step = fc.record({
      kind: fc.constantFrom("wait", "wait", "wait", "wait", "jump", "lead", "lose", "enqueue"),
      ms: fc.integer({ min: 50, max: 700 }),
      pick: fc.nat({ max: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const world = new DutiesWorld([1, 2, 3]);
        await world.quiet(1);
        define(world, { rateLimit: 3, ratePeriodMs: 1_000 });
        let runs = 0;
        for (; runs < 40; runs++) enqueue(world, `run-${runs}`);
        const seen: { readonly atMs: number; readonly admitted: number }[] = [];
        for (const { kind, ms, pick } of steps) {
          if (kind === "jump")
            for (const { clock } of world.processes.values()) clock.wallOffsetMs += (pick - 50) * 1_000_000;
          else if (kind === "lead") world.lead(1 + (pick % 3));
          else if (kind === "lose") world.lose(pick);
          else if (kind === "enqueue") enqueue(world, `run-${runs++}`);
          else await world.quiet(1, ms);
          seen.push({ atMs: nowMs(world), admitted: admitted(world) });
        }
        for (const { atMs, admitted: now } of seen) {
          const before = seen.filter((other) => other.atMs <= atMs - 1_000).at(-1)?.admitted ?? 0;
          const windows = seen.filter((other) => other.atMs > atMs - 1_000 && other.atMs <= atMs);
          // Between two looks less than a window apart.
          for (const other of windows) expect(now - other.admitted).toBeLessThanOrEqual(3);
          expect(now - before).toBeLessThanOrEqual(6);
        }
        const then = admitted(world);
        await world.quiet(8, 1_000);
        if (world.state.size.queued > 0) expect(admitted(world)).toBeGreaterThan(then);
        await world.quiet(60, 1_000);
        expect(world.state.size.queued).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("costs no command while no run waits", async () => {
    const world = new DutiesWorld([1, 2, 3]);
    await world.quiet(1);
    define(world, { rateLimit: 3, ratePeriodMs: 1_000 });
    for (let run = 0; run < 2; run++) enqueue(world, `run-${run}`);
    const before = world.committed.length;
    await world.quiet(10);
    expect(world.committed.length).toBe(before);
    // What comes now is let through, for the windows are long over.
    for (let run = 2; run < 5; run++) enqueue(world, `run-${run}`);
    await world.quiet(1, 1);
    expect(admitted(world)).toBe(5);
  });
});

describe("many runs that may go at once", () => {
  test("go in pieces, and the next leader goes on", async () => {
    const world = new DutiesWorld([1, 2, 3]);
    await world.quiet(1);
    define(world, { concurrency: 1 });
    for (let run = 0; run < 1_500; run++) enqueue(world, `run-${run}`);
    define(world, {});
    await world.turn();
    world.commit();
    expect(admitted(world)).toBe(1 + 16 + 256 + 16);
    world.die(1);
    world.lead(2);
    await world.quiet(2);
    expect(world.state.queues("q")).toMatchObject([{ waiting: 0, running: 1_500 }]);
  });
});

describe("a run that is put off", () => {
  test.each([
    ["ahead", 10 * 3_600_000],
    ["back", -10 * 3_600_000],
  ])("goes in its time although every clock jumped %s", async (_, jumpMs) => {
    const world = new DutiesWorld([1, 2, 3]);
    await world.quiet(1);
    define(world, {});
    for (const { clock } of world.processes.values()) clock.wallOffsetMs += jumpMs;
    enqueue(world, "a", { dedupeKey: "d", debounceMs: 3_000, debounceMaxMs: 9_000 });
    for (const { clock } of world.processes.values()) clock.wallOffsetMs -= jumpMs;
    await world.quiet(2, 1_000);
    if (jumpMs > 0) expect(world.state.summary("a")?.status).toBe("queued");
    await world.quiet(3, 1_000);
    expect(world.state.summary("a")?.status).toBe("running");
  });
});
