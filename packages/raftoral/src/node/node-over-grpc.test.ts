// @module-tag slow

import type { RaftoralError } from "@raftoral/raft-core";
import { Security } from "@raftoral/transport-grpc";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Connection } from "../client/connection.ts";
import { RaftoralClient } from "../client/raftoral-client.ts";
import { leaderOf, TestCluster, until } from "../testing/test-cluster.ts";
import { fromConnectError } from "../wire/connect-errors.ts";
import type { RaftoralNode } from "./raftoral-node.ts";

const greet = workflow("greet", { version: 1 }, async (ctx, name: string) => {
  const greeting = await ctx.step("choose", () => "hello");
  return ctx.step("join", () => `${greeting} ${name}`);
});

/** Times each step body ran, in this process, by run. */
const bodies = new Map<string, number>();
const gated = workflow("gated", { version: 1 }, async (ctx, _input: undefined) => {
  await ctx.step("before", () => bodies.set(ctx.runId, (bodies.get(ctx.runId) ?? 0) + 1).size);
  const word = await ctx.waitFor("gate");
  return `${word} on node`;
});

/** Of a node that takes little at once. */
const SMALL = { limits: { maxCommandBytes: 8192 }, blobLimits: { maxBytes: 6000 } };

describe("over gRPC alone", () => {
  test("limits of the transport reach it", async () => {
    const place = { ...cluster.place(), bootstrap: true };
    const tiny = cluster.start({ ...place, transportLimits: { maxFrameBytes: 1 } });
    await expect(tiny).rejects.toMatchObject({ code: "CONFIG_INVALID", details: { option: "maxFrameBytes" } });
    await cluster.start({ ...place, transportLimits: { compression: "zstd", keepaliveIntervalMs: 500 } });
  });

  test("what changes the cluster is in the audit, joining included", async () => {
    const first = await cluster.start({ ...cluster.place(), bootstrap: true });
    const second = await cluster.start({ ...cluster.place(), join: [first.address] });
    const areVoters = async () => (await first.cluster.members()).every(({ voter }) => voter);
    await until(first, areVoters, "both nodes vote");
    await first.cluster.transferLeadership(second.nodeId, { reason: "an upgrade" });
    await second.cluster.removeNode(first.nodeId, { reason: "too old" });
    const entries = await Array.fromAsync(second.workflows.audit());
    expect(entries.map(({ by, action, subject, detail, reason }) => [by, action, subject, detail, reason])).toEqual([
      ["local", "remove-node", "1", "", "too old"],
      ["local", "transfer-leadership", "2", "", "an upgrade"],
      ["unnamed", "add-node", "2", second.address, ""],
    ]);
  });

  test("what a client sends is checked before it is replicated", async () => {
    const node = await cluster.start({ ...cluster.place(), bootstrap: true, ...SMALL });
    const connection = new Connection(node.address, new Security(undefined));
    const failure = async (call: Promise<unknown>): Promise<RaftoralError> =>
      call.then(
        () => expect.unreachable(),
        (error: unknown) => fromConnectError(error, node.address),
      );
    try {
      const start = (input: Uint8Array, workflowType = "greet") =>
        failure(connection.workflows.startRun({ workflowType, input }));
      expect(await start(Buffer.from("1"), "")).toMatchObject({ code: "REQUEST_INVALID" });
      expect(await start(Buffer.from(JSON.stringify("x".repeat(8000))))).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
      expect(await start(Buffer.from(JSON.stringify("x".repeat(100_000))))).toMatchObject({
        code: "PAYLOAD_TOO_LARGE",
      });
      expect(await failure(connection.workflows.listRuns({ pageSize: 5000 }))).toMatchObject({
        code: "REQUEST_INVALID",
      });
      const stranger = { clusterId: "another", nodeId: 2n, address: "127.0.0.1:1" };
      expect(await failure(connection.cluster.announceNode(stranger))).toMatchObject({ code: "CLUSTER_MISMATCH" });
      expect(await failure(connection.cluster.joinCluster({ address: "x" }))).toMatchObject({
        code: "OPTIONS_INVALID",
      });
      expect(await Array.fromAsync(node.workflows.list())).toEqual([]);
      expect(await node.cluster.members()).toHaveLength(1);
    } finally {
      connection.close();
    }
  });

  test("a new type is known as soon as a restarted node is asked for it", async () => {
    const place = cluster.place();
    const first = await cluster.start({ ...place, bootstrap: true, workflows: [] });
    await first.stop();
    const second = await cluster.start({ ...place, listen: first.address });
    expect(await (await second.workflows.start(greet, "new")).result()).toBe("hello new");
  });

  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.create("grpc", [greet, gated]);
  });
  afterEach(() => cluster.dispose());

  test("a client works through any node, and goes on when that node stops", async () => {
    const { nodes } = await cluster.form(3);
    const [a, b, c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const client = await RaftoralClient.connect(c.address);
    try {
      expect((await client.cluster.members()).map((member) => member.nodeId)).toEqual([1, 2, 3]);
      const run = await client.workflows.start("greet", "client", { runId: "c1" });
      expect(await run.result({ timeoutMs: 10_000 })).toBe("hello client");
      expect((await Array.fromAsync(client.workflows.list())).map((each) => each.runId)).toEqual(["c1"]);
      const waiting = await client.workflows.start("gated", undefined, { runId: "c2" });
      const result = waiting.result({ timeoutMs: 15_000 });
      await c.stop();
      await client.workflows.signal("c2", "gate", "through");
      expect(await result).toBe("through on node");
      await expect(client.workflows.start("nobody_has_it")).rejects.toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
      await expect(client.workflows.describe("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await client.workflows
        .cancel("c2")
        .catch((error: unknown) => expect(error).toMatchObject({ code: "WORKFLOW_FINISHED" }));
      expect([a, b]).toContain(await leaderOf([a, b]));
    } finally {
      client.close();
    }
  });

  test("a client makes the node it asks leave", async () => {
    const { nodes } = await cluster.form(3);
    const [a, , c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const client = await RaftoralClient.connect(c.address, { pinned: true });
    try {
      expect(await client.cluster.removeNode(undefined, { timeoutMs: 10_000 })).toBe(3);
    } finally {
      client.close();
    }
    expect(await c.left).toBe("left");
    await until(a, async () => (await a.cluster.members()).length === 2, "two members");
  });
});
