// @module-tag slow

import { RaftClient } from "@raftoral/transport-grpc";
import { encodeCommand } from "@raftoral/workflow";
import type { RunDescription } from "raftoral";
import { describe, expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { endedCopyOf, eventually, type RecordCopy, type RunCopy } from "./harness/index.ts";
import type { HoldInput, StepRecord } from "./programs/workflows.ts";

const TEST_MS = 60_000;
const TAKEOVER_MS = 20_000;

describe("an owner that was silent and comes back", () => {
  const cluster = useCluster(3);

  /** Starts a run of `hold` on a node and waits until its body is in its only step there. */
  async function inItsStep(owner: number, id: string, input: HoldInput): Promise<void> {
    await (await cluster().client(owner)).workflows.start("hold", input, { runId: id });
    await eventually(TAKEOVER_MS, `${id} to begin its step`, () => executions(id).length > 0);
    expect(executions(id)[0]).toMatchObject({ node: owner });
  }

  const executions = (id: string) =>
    cluster()
      .workLog.executions()
      .filter((execution) => execution.run === id);

  /** The run as soon as it belongs to another node, as another node sees it. */
  async function movedFrom(owner: number, id: string): Promise<RunDescription> {
    const other = cluster().nodeIds.find((nodeId) => nodeId !== owner) ?? 0;
    const client = await cluster().client(other);
    return eventually(TAKEOVER_MS, `${id} to move away from node ${owner}`, async () => {
      const run = await client.workflows.describe(id);
      return run.owner !== owner && run;
    });
  }

  /** The run as every node holds it, once it has ended; the same everywhere. */
  async function ended(id: string): Promise<RunCopy> {
    const runs: RunCopy[] = [];
    for (const nodeId of cluster().nodeIds) {
      await cluster().caughtUp(nodeId);
      runs.push(await endedCopyOf((await cluster().client(nodeId)).workflows, id, TAKEOVER_MS));
    }
    const [first, ...others] = runs;
    for (const run of others) expect(run).toEqual(first);
    return first as RunCopy;
  }

  /** One recorded result, the new owner's; the old owner's body ended later, for nothing. */
  async function expectFenced(id: string, owner: number): Promise<void> {
    await eventually(TAKEOVER_MS, "the old owner's body to end", () =>
      executions(id).every((execution) => execution.ended),
    );
    const run = await ended(id);
    expect(run).toMatchObject({ status: "completed", takeovers: 1, recordCount: 1 });
    expect(run.result).not.toBe(owner);
    const recorded = run.history[0] as RecordCopy;
    const [old, heir] = executions(id);
    // Its body may have gone on with an answer that was never recorded, and nothing came of it (ADR 36).
    expect(old).toMatchObject({ node: owner });
    expect(heir).toMatchObject({ node: run.result, acknowledged: true });
    expect((recorded.value as StepRecord).execution).toBe(heir?.id);
    expect(old?.epoch).toBeLessThan(recorded.epoch);
  }

  const follower = async (): Promise<number> => {
    const leader = await cluster().leader();
    return cluster().nodeIds.find((nodeId) => nodeId !== leader) ?? 0;
  };

  test.each([
    ["the leader", () => cluster().leader()],
    ["a follower", follower],
  ])(
    "records nothing more when %s was stopped with SIGSTOP",
    async (who, choose) => {
      const owner = await choose();
      const id = `stopped-${who.replace(" ", "-")}`;
      await inItsStep(owner, id, { firstMs: 400, laterMs: 2_000, blocks: false });
      cluster().process(owner).pause();
      try {
        await movedFrom(owner, id);
      } finally {
        // Its body's time is over by now: it wants to record its result before it can hear of anything. The heir's is not.
        cluster().process(owner).resume();
      }
      await expectFenced(id, owner);
    },
    TEST_MS,
  );

  test(
    "records nothing more when a body of its own blocked its event loop",
    async () => {
      const owner = await follower();
      await inItsStep(owner, "blocked", { firstMs: 2_500, laterMs: 4_000, blocks: true });
      await expectFenced("blocked", owner);
    },
    TEST_MS,
  );

  test(
    "is refused when a command of its lost ownership arrives late",
    async () => {
      const owner = await follower();
      await inItsStep(owner, "late", { firstMs: 60_000, laterMs: 3_000, blocks: false });
      const [old] = executions("late");
      await cluster().kill(owner);
      const leader = await cluster().leader();
      const client = await cluster().client(leader);
      const moved = await movedFrom(owner, "late");
      // What the killed process would have sent, had it lived a moment longer.
      const raft = await RaftClient.connect(cluster().address(leader));
      try {
        const stale = { runId: "late", owner, epoch: old?.epoch ?? 0, atMs: Date.now() };
        const value = new TextEncoder().encode('{"stale":true}');
        await raft.sendCommand(
          encodeCommand({ kind: "Checkpoint", ...stale, path: "stale#0", value, recordKind: "step" }),
        );
        await raft.sendCommand(
          encodeCommand({ kind: "WorkflowEnd", ...stale, outcome: { status: "completed", result: value } }),
        );
      } finally {
        raft.close();
      }
      expect(moved.epoch).toBeGreaterThan(old?.epoch ?? 0);
      // They came while the run was open to its owner's commands.
      expect(await client.workflows.describe("late")).toMatchObject({
        status: "running",
        epoch: moved.epoch,
        recordCount: 0,
      });
      await cluster().startNode(owner);
      const run = await ended("late");
      expect(run.result).toBe(moved.owner);
      expect(run.history.map(({ path }) => path)).toEqual(["hold#0"]);
    },
    TEST_MS,
  );
});
