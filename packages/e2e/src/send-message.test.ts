// @module-tag slow

import { encodeRaftMessage, RaftClient } from "@raftoral/transport-grpc";
import { encodeCommand } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TALLY, TALLY_SUM } from "./cluster/load.ts";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";

const TEST_MS = 30_000;

describe("RaftService of a cluster of workflow nodes", () => {
  const cluster = useCluster(3);

  const start = (id: string, type: string, input = new TextEncoder().encode(JSON.stringify(TALLY))) =>
    encodeCommand({
      kind: "WorkflowStart",
      runId: id,
      workflowType: type,
      version: 0,
      input,
      owner: 0,
      seed: new Uint8Array(0),
      atMs: Date.now(),
    });

  test.each(["the leader", "a follower"])(
    "a WorkflowStart sent to %s is received, proposed and applied on every node, and the run is executed",
    async (who) => {
      const leader = await cluster().leader();
      const nodeId = who === "the leader" ? leader : (cluster().nodeIds.find((other) => other !== leader) ?? 0);
      const id = `sent-to-${nodeId}`;
      const client = await RaftClient.connect(cluster().address(nodeId));
      try {
        await client.sendCommand(start(id, "tally"));
      } finally {
        client.close();
      }
      for (const each of cluster().nodeIds) {
        const { workflows } = await cluster().client(each);
        expect(await workflows.result(id, { timeoutMs: TEST_MS / 3 })).toBe(TALLY_SUM);
        expect(await workflows.describe(id)).toMatchObject({ workflowType: "tally", status: "completed" });
        expect((await workflows.input(id)).value()).toEqual(TALLY);
      }
    },
    TEST_MS,
  );

  test("bytes that are no command are refused and harm no run", async () => {
    const client = await RaftClient.connect(cluster().address(1));
    try {
      await expect(client.sendCommand(new Uint8Array([255, 255, 255]))).rejects.toMatchObject({
        code: "TRANSPORT_REQUEST_FAILED",
      });
      await client.sendCommand(start("after-the-bytes", "tally"));
    } finally {
      client.close();
    }
    const run = (await cluster().client(2)).workflows.run("after-the-bytes");
    await expect(run.result({ timeoutMs: TEST_MS / 3 })).resolves.toBe(TALLY_SUM);
  });

  test(
    "an input that is no JSON fails its run, and one too deep to be recorded harms no other run",
    async () => {
      const deep = new TextEncoder().encode(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
      const inputs = [Uint8Array.of(0xff, 0xfe), new TextEncoder().encode("{"), deep];
      const client = await RaftClient.connect(cluster().address(2));
      try {
        for (const [at, input] of inputs.entries()) await client.sendCommand(start(`bad-input-${at}`, "tally", input));
        await client.sendCommand(start("after-bad-inputs", "tally"));
      } finally {
        client.close();
      }
      const asked = await cluster().client(3);
      await expect(asked.workflows.run("after-bad-inputs").result({ timeoutMs: TEST_MS / 3 })).resolves.toBe(TALLY_SUM);
      await eventually(TEST_MS / 3, "the runs with bad inputs to have ended", async () => {
        const states = new Map(
          (await Array.fromAsync(asked.workflows.list({ workflowType: "tally" }))).map(({ runId, status }) => [
            runId,
            status,
          ]),
        );
        const failed = ["bad-input-0", "bad-input-1"].every((id) => states.get(id) === "failed");
        return failed && states.get("bad-input-2") !== "running";
      });
      // What was recorded cannot be shown, and that is what is said.
      // Such a run is like any other; only its input has no value.
      const bad = asked.workflows.run("bad-input-0");
      expect(await bad.describe()).toMatchObject({ status: "failed" });
      const input = await bad.input();
      expect(input.bytes).toEqual(inputs[0]);
      expect(() => input.value()).toThrow(expect.objectContaining({ code: "VALUE_UNREADABLE" }));
    },
    TEST_MS,
  );

  test("Discover says who a node is, on all nodes alike", async () => {
    const leader = await cluster().leader();
    for (const nodeId of cluster().nodeIds) {
      const client = await RaftClient.connect(cluster().address(nodeId));
      try {
        await expect(client.discover()).resolves.toMatchObject({
          nodeId,
          address: cluster().address(nodeId),
          highestKnownNodeId: 3,
          role: nodeId === leader ? "LEADER" : "FOLLOWER",
        });
      } finally {
        client.close();
      }
    }
    expect(encodeRaftMessage({ command: new Uint8Array([1]) })).toEqual(new Uint8Array([0x12, 1, 1]));
  });
});
