import { afterEach, describe, expect, test } from "vitest";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import { Counter, network, stopAll, trio } from "../../testing/internal/groups/manual-group.ts";
import { RaftCluster } from "../raft-cluster.ts";
import { recoverQuorum } from "./recover-quorum.ts";

afterEach(stopAll);

/** A group of three with three commands applied, all its nodes stopped. */
async function stoppedTrio() {
  const { clock, first, second, third } = await trio();
  for (let i = 0; i < 3; i++) await Promise.all([first.cluster.propose("x"), clock.settle()]);
  clock.tick();
  await clock.settle();
  await stopAll();
  return { first, second, third };
}

/** Node 2 on `storage`, alone, its clock ticking. */
async function startAlone(storage: MemoryStorage) {
  const shared = network();
  const executor = new Counter();
  const cluster = await RaftCluster.start<string, number>({
    nodeId: 2,
    transport: shared.wires.transport(2),
    storage,
    executor,
    clock: shared.clock,
  });
  for (let i = 0; i < 60 && cluster.leader !== 2; i++) {
    shared.clock.tick();
    await shared.clock.settle();
  }
  return { cluster, executor, clock: shared.clock };
}

describe("a group that has lost its majority for good", () => {
  test("goes on with the one node that is left, with everything that was in its log (RQ1)", async () => {
    const { second } = await stoppedTrio();
    const { lastIndex, before, after, removed } = await recoverQuorum(second.storage, { nodeId: 2 });
    expect([before.voters, after.voters, removed]).toEqual([[1, 2, 3], [2], [1, 3]]);
    const { cluster, executor, clock } = await startAlone(second.storage);
    expect(cluster.leader).toBe(2);
    expect(executor.count).toBe(3);
    const [result] = await Promise.all([cluster.propose("y"), clock.settle(), clock.settle()]);
    expect(result).toBe(4);
    expect(cluster.status().confState).toMatchObject({ voters: [2], votersOutgoing: [] });
    expect(cluster.status().commit).toBeGreaterThan(lastIndex + 2);
    await cluster.stop();
  });

  test("does not go on without", async () => {
    const { second } = await stoppedTrio();
    const { cluster } = await startAlone(second.storage);
    expect(cluster.leader).toBe(0);
    await cluster.stop();
  });

  test("can look before it leaps", async () => {
    const { second } = await stoppedTrio();
    const lastIndex = second.storage.lastIndex();
    const { term } = await recoverQuorum(second.storage, { nodeId: 2, dryRun: true });
    expect(second.storage.lastIndex()).toBe(lastIndex);
    expect(second.storage.initialState().hardState.term).toBe(term - 1);
  });

  test("learns the new address of the one that is left", async () => {
    const { second } = await stoppedTrio();
    await recoverQuorum(second.storage, { nodeId: 2, address: "elsewhere:7" });
    const { cluster } = await startAlone(second.storage);
    expect(cluster.members()).toEqual([{ nodeId: 2, address: "elsewhere:7" }]);
    await cluster.stop();
  });

  for (const [what, confState] of [
    ["in a joint configuration", { voters: [2, 4], votersOutgoing: [1, 2, 3], learners: [], learnersNext: [] }],
    ["as a learner", { voters: [1], votersOutgoing: [], learners: [2, 3], learnersNext: [] }],
    ["as one of two", { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [] }],
    [
      "joint without it as a voter any more",
      { voters: [1, 3], votersOutgoing: [1, 2], learners: [], learnersNext: [2] },
    ],
  ] as const) {
    test(`is made of a node ${what}`, async () => {
      const stored = new MemoryStorage({ confState: { ...confState, autoLeave: false }, entries: [] });
      const { after } = await recoverQuorum(stored, { nodeId: 2 });
      expect(after).toEqual({ voters: [2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false });
    });
  }

  test("is not made of a node that left it, or that is alone already", async () => {
    const of = (voters: number[]) =>
      new MemoryStorage({
        confState: { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
        entries: [],
      });
    const refused = { code: "CONF_CHANGE_INVALID" };
    await expect(recoverQuorum(of([1, 3]), { nodeId: 2 })).rejects.toMatchObject(refused);
    await expect(recoverQuorum(of([2]), { nodeId: 2 })).rejects.toMatchObject(refused);
  });
});
