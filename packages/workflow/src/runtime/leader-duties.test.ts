import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DutiesWorld } from "../testing/duties-world.ts";

const NOTHING = new Uint8Array(0);

function start(world: DutiesWorld, runId: string, owner: number): void {
  const type = { workflowType: "order", version: 1 };
  world.apply({ kind: "WorkflowStart", runId, ...type, input: NOTHING, owner, atMs: 1, seed: NOTHING });
}

async function begun(): Promise<DutiesWorld> {
  const world = new DutiesWorld([1, 2, 3]);
  await world.quiet(2);
  return world;
}

function owners(world: DutiesWorld): readonly number[] {
  return world.state.list({ statuses: ["running"], limit: 1000 }).runs.map((run) => run.owner);
}

describe("the loss of a node", () => {
  test("is not forgotten when its registration is applied after the loss was noticed (LD2)", async () => {
    const world = await begun();
    world.register(3);
    world.live(3);
    const late = { kind: "NodeRegister", nodeId: 3, incarnation: "late", types: [], atMs: 1 } as const;
    start(world, "a", 3);
    world.die(3);
    world.detect();
    // The process that died had proposed it before.
    world.apply({ ...late, types: [{ type: "order", version: 1 }] });
    expect(world.state.nodes().find((node) => node.nodeId === 3)).toMatchObject({ status: "live" });
    await world.quiet();
    expect(owners(world)).toEqual([1]);
  });

  test("is noticed by the next leader when the one before had no time to act", async () => {
    const world = await begun();
    start(world, "a", 3);
    world.die(3);
    world.detect();
    world.die(1);
    world.lead(2);
    await world.quiet();
    expect(owners(world)).toEqual([2]);
  });

  test("does not hit a process that registers before the detector has heard it, unless it stays silent", async () => {
    const world = await begun();
    world.die(3);
    world.detect();
    await world.turn();
    while (world.commit()) await world.turn();
    expect(world.state.nodes().find((node) => node.nodeId === 3)).toMatchObject({ status: "lost" });
    world.live(3);
    world.register(3);
    while (world.commit()) await world.turn();
    world.detect();
    const before = world.committed.length;
    await world.quiet(5);
    expect(world.committed.slice(before).filter(({ kind }) => kind === "NodeLost")).toEqual([]);
    expect(world.state.nodes().find((node) => node.nodeId === 3)).toMatchObject({ status: "live" });
  });

  test("moves many runs piece by piece, and the next leader goes on", async () => {
    const world = await begun();
    for (let run = 0; run < 2000; run++) start(world, `run-${run}`, 3);
    world.die(3);
    world.detect();
    await world.turn();
    // Two pieces, then the leader dies with the third under way.
    for (let piece = 0; piece < 2; piece++) {
      world.commit();
      await world.turn();
    }
    expect(world.state.size.toMove).toBe(2000 - 2 * 256);
    world.die(1);
    world.lead(2);
    await world.quiet(3);
    expect(new Set(owners(world))).toEqual(new Set([2]));
    expect(world.state.size).toMatchObject({ running: 2000, toMove: 0, orphaned: 0 });
  });
});

describe("finished runs", () => {
  const RETENTION = { retentionMs: 3_600_000, maxFinishedRuns: 1000 };
  const HOUR = 3_600_000;
  const MINUTE = 60_000;

  function end(world: DutiesWorld, runId: string): void {
    start(world, runId, 1);
    const epoch = world.state.summary(runId)?.epoch ?? 0;
    const outcome = { status: "completed", result: NOTHING } as const;
    const owner = world.state.summary(runId)?.owner ?? 0;
    const atMs = world.processes.get(world.leader)?.clock.wallMs() ?? 0;
    world.apply({ kind: "WorkflowEnd", runId, outcome, atMs, owner, epoch });
  }

  async function pass(world: DutiesWorld, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += MINUTE / 4) await world.quiet(1, MINUTE / 4);
  }

  test.each([
    ["ahead", 10 * 365 * 24 * HOUR],
    ["back", -10 * 365 * 24 * HOUR],
  ])("are kept for their time and no longer when every clock jumps %s", async (_, jumpMs) => {
    const world = new DutiesWorld([1, 2, 3], RETENTION);
    await world.quiet(2);
    end(world, "before");
    await pass(world, 10 * MINUTE);
    for (const { clock } of world.processes.values()) clock.wallOffsetMs += jumpMs;
    end(world, "after");
    await pass(world, 48 * MINUTE);
    expect(world.state.summary("before")).toBeDefined();
    await pass(world, 6 * MINUTE);
    expect(world.state.summary("before")).toBeUndefined();
    expect(world.state.summary("after")).toBeDefined();
    for (const { clock } of world.processes.values()) clock.wallOffsetMs -= jumpMs;
    await pass(world, 12 * MINUTE);
    expect(world.state.summary("after")).toBeUndefined();
    // And so it goes on.
    end(world, "later");
    await pass(world, 70 * MINUTE);
    expect(world.state.size.finished).toBe(0);
  });

  test("are kept when the cluster was idle, or had no leader, before or after their end", async () => {
    const world = new DutiesWorld([1, 2, 3], RETENTION);
    await pass(world, 5 * HOUR);
    end(world, "a");
    await pass(world, 55 * MINUTE);
    expect(world.state.summary("a")).toBeDefined();
    world.leader = 0;
    world.advance(9 * HOUR);
    world.lead(2);
    await pass(world, 2 * MINUTE);
    expect(world.state.summary("a")).toBeDefined();
    await pass(world, 10 * MINUTE);
    expect(world.state.summary("a")).toBeUndefined();
  });

  test("are kept for the time of their type and outcome, also when the leader dies", async () => {
    const failed = { workflowType: "order", outcome: "failed", retentionMs: 3 * HOUR } as const;
    const rules = [failed, { workflowType: "order", outcome: "any", retentionMs: HOUR / 2 } as const];
    const world = new DutiesWorld([1, 2, 3], { ...RETENTION, rules });
    await world.quiet(2);
    for (const runId of ["completed", "failed"]) start(world, runId, 1);
    for (const runId of ["completed", "failed"]) {
      const { epoch = 0, owner = 0 } = world.state.summary(runId) ?? {};
      const error = { name: "Error", message: "no" };
      const completed = { status: "completed", result: NOTHING } as const;
      const outcome = runId === "failed" ? ({ status: "failed", error } as const) : completed;
      world.apply({ kind: "WorkflowEnd", runId, outcome, atMs: 1, owner, epoch });
    }
    await pass(world, 29 * MINUTE);
    expect(world.state.summary("completed")).toBeDefined();
    world.die(1);
    world.lead(2);
    await pass(world, 6 * MINUTE);
    expect(world.state.summary("completed")).toBeUndefined();
    await pass(world, 140 * MINUTE);
    expect(world.state.summary("failed")).toBeDefined();
    await pass(world, 15 * MINUTE);
    expect(world.state.summary("failed")).toBeUndefined();
  });

  test("are pruned though leaders change every few minutes", async () => {
    const world = new DutiesWorld([1, 2, 3], RETENTION);
    await world.quiet(2);
    end(world, "a");
    for (let change = 0; change < 40 && world.state.size.finished > 0; change++) {
      world.lead(1 + (change % 3));
      await pass(world, 3 * MINUTE);
    }
    expect(world.state.size.finished).toBe(0);
  });

  test("beyond the number that is kept go at once, the oldest first", async () => {
    const world = new DutiesWorld([1, 2, 3], { ...RETENTION, maxFinishedRuns: 2 });
    await world.quiet(2);
    for (const runId of ["a", "b", "c"]) end(world, runId);
    await world.quiet(2);
    expect(world.state.list({ statuses: ["completed"] }).runs.map(({ runId }) => runId)).toEqual(["c", "b"]);
  });
});

describe("any order of registrations, noticed losses, lost proposals and leaders", () => {
  const nodeId = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), nodeId }) },
    // A process that dies with its registration under way.
    { weight: 3, arbitrary: fc.record({ do: fc.constant("register and die" as const), nodeId }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("live" as const), nodeId }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("register" as const), nodeId }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("lead" as const), nodeId }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("detect" as const) }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("commit" as const), at: fc.nat({ max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), at: fc.nat({ max: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.constantFrom(10, 400, 1000) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("start" as const), nodeId }) },
  );

  test("ends with every run on a living node", async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const world = await begun();
      let runs = 0;
      for (const each of steps) {
        if (each.do === "die" && world.alive.length > 1) world.die(each.nodeId);
        else if (each.do === "register and die" && world.alive.length > 1) {
          world.register(each.nodeId);
          world.die(each.nodeId);
        } else if (each.do === "live") world.live(each.nodeId);
        else if (each.do === "register") world.register(each.nodeId);
        else if (each.do === "lead") world.lead(each.nodeId);
        else if (each.do === "detect") world.detect();
        else if (each.do === "commit") world.commit(each.at);
        else if (each.do === "lose") world.lose(each.at);
        else if (each.do === "advance") world.advance(each.ms);
        else if (each.do === "start") start(world, `run-${runs++}`, each.nodeId);
        await world.turn();
      }
      await world.quiet();
      for (const owner of owners(world)) expect(world.alive).toContain(owner);
      expect(world.state.size).toMatchObject({ running: runs, toMove: 0, orphaned: 0 });
    });
    await fc.assert(property, { numRuns: 200 });
  });
});
