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
  return world.state.list({ status: "running", limit: 1000 }).runs.map((run) => run.owner);
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
