// @module-tag slow

// What probers are told of a real node, asked as they ask: by the protocol and nothing else.
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Health } from "../../../../transport-grpc/src/gen/grpc/health/v1/health_pb.ts";
import { TestCluster } from "../../testing/test-cluster.ts";
import type { RaftoralNode } from "../raftoral-node.ts";

/** By number. */
const STATUS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const WORKFLOWS = "raftoral.v1.WorkflowService";
const CLUSTER = "raftoral.v1.ClusterService";

const hold = Promise.withResolvers<void>();
const slow = workflow("slow", { version: 1 }, async (ctx) => ctx.step("wait", () => hold.promise));

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [slow]);
});
afterEach(() => cluster.dispose());

function prober(node: RaftoralNode): Client<typeof Health> {
  return createClient(Health, createGrpcTransport({ baseUrl: `http://${node.address}` }));
}

async function check(node: RaftoralNode, service = ""): Promise<string | undefined> {
  return STATUS[(await prober(node).check({ service })).status];
}

/** What is said of a service, as it changes, until the test has seen enough. */
async function* watch(node: RaftoralNode, service: string): AsyncGenerator<string | undefined> {
  for await (const { status } of prober(node).watch({ service })) yield STATUS[status];
}

async function until(said: AsyncGenerator<string | undefined>, wanted: string): Promise<void> {
  for (;;) {
    const next = await said.next();
    if (next.done === true) expect.unreachable(`the server never said ${wanted}`);
    if (next.value === wanted) return;
  }
}

test("a node serves while it knows a leader; without a quorum only what needs none", async () => {
  const { nodes } = await cluster.form(2);
  const [first, second] = nodes as [RaftoralNode, RaftoralNode];
  for (const service of ["", WORKFLOWS, CLUSTER, "raftoral.RaftService"])
    expect(await check(first, service)).toBe("SERVING");
  const said = watch(first, "");
  await until(said, "SERVING");
  await second.stop({ timeoutMs: 1 });
  await until(said, "NOT_SERVING");
  expect(await check(first, WORKFLOWS)).toBe("NOT_SERVING");
  // Who restarts what does not serve asks for this one.
  expect(await check(first, CLUSTER)).toBe("SERVING");
});

test("a node that stops says so before anything else, and answers meanwhile", async () => {
  const { nodes } = await cluster.form(3);
  const [first] = nodes as [RaftoralNode];
  // A body that takes its time holds up the hand-over.
  const run = await first.workflows.start(slow, undefined, { runId: "s" });
  const said = watch(first, "");
  await until(said, "SERVING");
  const stopping = first.stop({ timeoutMs: 3_000 });
  await until(said, "NOT_SERVING");
  expect(await check(first, CLUSTER)).toBe("NOT_SERVING");
  expect((await first.cluster.status()).members).toHaveLength(3);
  hold.resolve();
  await stopping;
  expect((await (nodes[1] as RaftoralNode).workflows.run(run.runId).result()) ?? null).toBe(null);
});
