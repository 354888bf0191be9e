import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AS_KNOWN, type LockLimits, MUTEX } from "../../model/lock.ts";
import { DutiesWorld } from "../../testing/duties-world.ts";

function acquire(world: DutiesWorld, requestId: string, limits: LockLimits = MUTEX, leaseMs = 3_000): void {
  const more = { value: "", leaseMs, onlyNow: false, atMs: 1 };
  world.apply({ kind: "LockAcquire", name: "l", limits, requestId, ...more });
}

function lock(world: DutiesWorld) {
  return world.state.locks({ name: "l", limit: 1, asks: 100 })[0];
}

/** Real time: the clocks of all nodes run alike. */
function nowMs(world: DutiesWorld): number {
  return Math.max(0, ...[...world.processes.values()].map(({ clock }) => clock.now));
}

const step = fc.record({
  kind: fc.constantFrom("wait", "wait", "wait", "wait", "jump", "lead", "lose", "ask", "renew"),
  ms: fc.integer({ min: 50, max: 700 }),
  pick: fc.nat({ max: 100 }),
});

/** What no limiter and no lease cares for. */
async function disturb(
  world: DutiesWorld,
  { kind, ms, pick }: typeof step extends fc.Arbitrary<infer One> ? One : never,
) {
  if (kind === "jump") for (const { clock } of world.processes.values()) clock.wallOffsetMs += (pick - 50) * 1_000_000;
  else if (kind === "lead") world.lead(1 + (pick % 3));
  else if (kind === "lose") world.lose(pick);
  else if (kind === "wait") await world.quiet(1, ms);
}

describe("a lease", () => {
  test("lasts as long as it says, and ends in the end, whatever leaders and clocks do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const world = new DutiesWorld([1, 2, 3]);
        await world.quiet(1);
        /** When each request was asked or renewed last. */
        const renewed = new Map<string, number>();
        let asked = 0;
        for (const each of steps) {
          await disturb(world, each);
          if (each.kind === "ask") {
            const requestId = `request-${asked++}`;
            acquire(world, requestId);
            renewed.set(requestId, nowMs(world));
          }
          const open = new Set(
            [...(lock(world)?.holders ?? []), ...(lock(world)?.waiters ?? [])].map((ask) => ask.requestId),
          );
          if (each.kind === "renew") {
            const [requestId] = [...open].slice(each.pick % Math.max(1, open.size));
            if (requestId === undefined) continue;
            acquire(world, requestId);
            renewed.set(requestId, nowMs(world));
          }
          for (const [requestId, atMs] of renewed) {
            if (open.has(requestId)) continue;
            expect(nowMs(world) - atMs).toBeGreaterThanOrEqual(3_000);
            renewed.delete(requestId);
          }
        }
        await world.quiet(10, 1_000);
        expect(lock(world)).toBeUndefined();
        expect(world.state.checkLocks()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("of 500 that end at once, ends in pieces, and the next leader goes on", async () => {
    const world = new DutiesWorld([1, 2, 3]);
    await world.quiet(1);
    for (let request = 0; request < 500; request++) acquire(world, `r-${request}`, { ...AS_KNOWN, permits: 1_000 });
    expect(lock(world)).toMatchObject({ held: 500 });
    await world.quiet(2, 1_000);
    world.die(1);
    world.lead(2);
    await world.quiet(2, 1_000);
    expect(lock(world)).toMatchObject({ held: 500 });
    await world.quiet(2, 1_600);
    expect(lock(world)).toBeUndefined();
  });
});

describe("a limiter", () => {
  test("grants at most its burst and its rate in any time, and grants in the end, whatever leaders and clocks do", async () => {
    const limits = { permits: 0, rateLimit: 4, ratePeriodMs: 1_000, burst: 3 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const world = new DutiesWorld([1, 2, 3]);
        await world.quiet(1);
        let asked = 0;
        for (; asked < 40; asked++) acquire(world, `request-${asked}`, limits, 3_600_000);
        const seen: { readonly atMs: number; readonly taken: number }[] = [{ atMs: nowMs(world), taken: 0 }];
        const look = (): void => void seen.push({ atMs: nowMs(world), taken: lock(world)?.taken ?? 0 });
        look();
        for (const each of steps) {
          await disturb(world, each);
          if (each.kind === "ask") acquire(world, `request-${asked++}`, limits, 3_600_000);
          look();
        }
        for (const [at, later] of seen.entries()) {
          for (const earlier of seen.slice(0, at)) {
            const inTime = 3 + ((later.atMs - earlier.atMs) * 4) / 1_000;
            expect(later.taken - earlier.taken).toBeLessThanOrEqual(inTime);
          }
        }
        await world.quiet(80, 500);
        expect(lock(world)).toMatchObject({ waiting: 0, taken: asked });
      }),
      { numRuns: 60 },
    );
  });

  test("costs no command while no one waits, is full after a pause, and is forgotten when no one uses it", async () => {
    const limits = { permits: 0, rateLimit: 4, ratePeriodMs: 1_000, burst: 4 };
    const world = new DutiesWorld([1, 2, 3]);
    await world.quiet(1);
    for (let request = 0; request < 4; request++) acquire(world, `a-${request}`, limits, 60_000);
    const before = world.committed.length;
    await world.quiet(3, 1_000);
    expect(world.committed.length).toBe(before);
    for (let request = 0; request < 4; request++) acquire(world, `b-${request}`, limits, 60_000);
    await world.quiet(1, 1);
    expect(lock(world)).toMatchObject({ waiting: 0, taken: 8 });
    await world.quiet(80, 1_000);
    expect(lock(world)).toBeUndefined();
  });
});
