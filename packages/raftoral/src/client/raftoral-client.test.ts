// @module-tag slow

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { platformClock, RaftError } from "@raftoral/raft-core";
import { Security } from "@raftoral/transport-grpc";
import { afterEach, expect, test } from "vitest";
import { Payload } from "../api/payloads/payload.ts";
import { FakeNode } from "../testing/fake-node.ts";
import { failed, run } from "../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../testing/fake-server.ts";
import { Failover } from "./failover.ts";
import { type ClientOptions, RaftoralClient } from "./raftoral-client.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function served(node = new FakeNode()): Promise<{ node: FakeNode; server: FakeServer }> {
  const server = await serveFake(node);
  open.push(server);
  return { node, server };
}

async function connected(addresses: string | string[], options?: ClientOptions): Promise<RaftoralClient> {
  const client = await RaftoralClient.connect(addresses, options);
  open.push(client);
  return client;
}

/** An address where no process listens: a port that was just free. */
async function nowhere(): Promise<string> {
  const server = await serveFake(new FakeNode());
  await server.close();
  return server.address;
}

test("a run crosses the wire with everything known of it", async () => {
  const { node, server } = await served();
  const cause = failed("Error", "connection refused", { code: "ECONNREFUSED" });
  const full = run("A17", {
    status: "failed",
    owner: 3,
    takeovers: 2,
    input: { item: "tea" },
    error: failed("TypeError", "no", {
      code: "E1",
      stack: "TypeError: no\n    at x.ts:1:1",
      cause,
      errors: [cause, cause],
    }),
    endedAtMs: 1_700_000_005_000,
    cancelReason: "ordered twice",
    pendingSignals: ["approval", "approval"],
    parent: { runId: "P1", path: "process_order#0" },
    generation: 3,
    children: [{ runId: "A17/ship#0", workflowType: "ship", path: "ship#0" }],
    recordCount: 1,
    history: [
      { path: "inventory#1", kind: "step", value: null, recordedAtMs: 1_700_000_000_100, epoch: 7, position: "12" },
    ],
  });
  node.runs.set("A17", full);
  const { workflows } = await connected(server.address);
  const { input, result: _, history, ...description } = full;
  expect(await workflows.describe("A17")).toEqual(description);
  expect((await workflows.input("A17")).value()).toEqual(input);
  const records = await Array.fromAsync(workflows.history("A17"));
  expect(records.map((record) => ({ ...record, value: record.value.value() }))).toEqual(history);
  expect(await workflows.wait("A17")).toEqual({
    runId: "A17",
    workflowType: "process_order",
    endedAtMs: 1_700_000_005_000,
    status: "failed",
    error: full.error,
  });
});

test("a start with an id is idempotent, and says so", async () => {
  const { node, server } = await served();
  const { workflows } = await connected(server.address);
  const first = await workflows.start({ type: "process_order", version: 2 }, { total: 40 }, { runId: "A17" });
  const second = await workflows.start("process_order", { total: 40 }, { runId: "A17" });
  expect([first.created, second.created]).toEqual([true, false]);
  expect(node.runs.get("A17")).toMatchObject({ workflowType: "process_order", version: 2, input: { total: 40 } });
});

test("a list and a history are fetched in pages", async () => {
  const { node, server } = await served();
  const record = { kind: "step", value: 1, recordedAtMs: 1, epoch: 1 };
  const history = Array.from({ length: 2_500 }, (_, i) => ({ ...record, path: `p#${i}`, position: String(i) }));
  for (let i = 0; i < 1_201; i++) node.runs.set(`r${i}`, run(`r${i}`, { history }));
  const { workflows } = await connected(server.address);
  expect(await Array.fromAsync(workflows.list())).toHaveLength(1_201);
  expect(node.calls.filter(({ name }) => name === "list")).toHaveLength(2);
  const paths = (await Array.fromAsync(workflows.history("r7"))).map(({ path }) => path);
  expect(paths).toEqual(history.map(({ path }) => path));
  expect(node.calls.filter(({ name }) => name === "history")).toHaveLength(3);
});

test("a list can be narrowed to a status", async () => {
  const { node, server } = await served();
  node.runs.set("a", run("a"));
  node.runs.set("b", run("b", { status: "completed" }));
  const client = await connected(server.address);
  expect((await Array.fromAsync(client.workflows.list({ status: "completed" }))).map((each) => each.runId)).toEqual([
    "b",
  ]);
});

test("a signal carries an id, so that a repeat is taken once", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const client = await connected(server.address);
  await client.workflows.signal("A17", "approval", true);
  expect(node.signals).toEqual([["A17", "approval", true, expect.stringMatching(/^[0-9a-f-]{36}$/)]]);
});

test("a node's own error arrives with its code", async () => {
  const { server } = await served();
  const client = await connected(server.address);
  await expect(client.workflows.describe("none")).rejects.toMatchObject({
    code: "WORKFLOW_NOT_FOUND",
    retryable: false,
  });
  await expect(client.cluster.removeNode(9)).rejects.toMatchObject({
    code: "NODE_UNKNOWN",
    message: /members are 1, 2, 3/,
  });
});

test("F2: when the node in use is gone, the next one is asked", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  await a.server.close();
  expect((await client.workflows.describe("A17")).runId).toBe("A17");
});

/** An address where connections are taken and nothing is ever said. */
async function silent(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("F5: nodes that accept connections and never answer do not use up the time of a call, and are asked last", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const dead = [await silent(), await silent()];
  const client = await connected([...dead, server.address], { timeoutMs: 1_500, pinned: true });
  expect(client.addresses).toEqual([server.address, ...dead]);
  const began = performance.now();
  expect((await client.workflows.describe("A17")).runId).toBe("A17");
  expect(performance.now() - began).toBeLessThan(500);
});

test("F5: a wait with an end hears of the run from the next node when one does not answer", async () => {
  const [a, b] = [await served(), await served()];
  for (const { node } of [a, b]) node.runs.set("A17", run("A17", { status: "completed", result: 1 }));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.before = () => new Promise(() => {});
  expect(await client.workflows.result("A17", { timeoutMs: 1_000 })).toBe(1);
});

test("F5: a call without an end goes on after an attempt without an answer", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const failover = new Failover([server.address], new Security(undefined), platformClock);
  open.push(failover);
  let asked = 0;
  node.before = async () => {
    asked += 1;
    if (asked < 3) await new Promise(() => {});
  };
  const call = { what: "Reading", idempotent: true, timeoutMs: Number.POSITIVE_INFINITY, attemptMs: 50 };
  const answer = await failover.call(call, (node, options) => node.workflows.describeRun({ runId: "A17" }, options));
  expect(answer.run?.runId).toBe("A17");
  // On a busy machine a good answer may take longer than an attempt.
  expect(asked).toBeGreaterThanOrEqual(3);
});

test("F2: a node that says it stopped is passed over", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.failure = new RaftError("NODE_STOPPED", "stopped", { retryable: true });
  expect((await client.workflows.describe("A17")).runId).toBe("A17");
});

test.each(["NO_LEADER", "NODE_STOPPED"])(
  "F4: when the node that is to leave answers %s, no other leaves",
  async (code) => {
    const [a, b] = [await served(), await served()];
    const client = await connected([a.server.address, b.server.address]);
    a.node.failure = new RaftError(code as "NO_LEADER", "not now", { retryable: true });
    await expect(client.cluster.removeNode(undefined, { timeoutMs: 300 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    expect([a.node.calls.length > 0, b.node.calls]).toEqual([true, []]);
  },
);

test("F4: when the node that is to leave is gone, no other leaves, also after others have answered", async () => {
  const [a, b] = [await served(), await served()];
  const client = await connected([a.server.address, b.server.address]);
  await a.server.close();
  await client.cluster.status();
  await expect(client.cluster.removeNode(undefined)).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
  expect(b.node.calls).toEqual([]);
  expect(await client.cluster.removeNode(3)).toBe(3);
});

test("F1: a time longer than timers can keep is no short one", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const client = await connected(server.address);
  expect((await client.workflows.describe("A17", { timeoutMs: 2_000 * 3_600_000 })).runId).toBe("A17");
  expect(node.calls[0]?.timeoutMs).toBeGreaterThan(3_600_000);
});

test("F3: the node that answered last is asked first", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.failure = new RaftError("NODE_STOPPED", "stopped", { retryable: true });
  for (let i = 0; i < 3; i++) await client.workflows.describe("A17");
  expect([a.node.calls.length, b.node.calls.length]).toEqual([1, 3]);
});

test("the other members are learned from the first node that answers", async () => {
  const [a, b] = [await served(), await served()];
  a.node.known = [{ nodeId: 2, address: b.server.address, voter: true, match: 0, recentlyActive: false }];
  b.node.runs.set("A17", run("A17"));
  const client = await connected(a.server.address);
  await a.server.close();
  expect((await client.workflows.describe("A17")).runId).toBe("A17");
});

test("F1: without a leader a call ends at its deadline, saying what the nodes answered", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  node.failure = new RaftError("NO_LEADER", "no majority answers", { retryable: true });
  const began = performance.now();
  await expect(client.workflows.describe("A17", { timeoutMs: 300 })).rejects.toMatchObject({
    code: "DEADLINE_EXCEEDED",
    message: /longer than 300 ms.*no majority answers/,
  });
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("an address where no node answers is named", async () => {
  const address = await nowhere();
  await expect(RaftoralClient.connect(address)).rejects.toMatchObject({
    code: "NODE_UNREACHABLE",
    message: new RegExp(address),
  });
  const both = [address, await nowhere()];
  await expect(RaftoralClient.connect(both)).rejects.toMatchObject({ message: new RegExp(both.join(", ")) });
});

test("what is no address is refused before anything is sent", async () => {
  await expect(RaftoralClient.connect("localhost")).rejects.toMatchObject({ code: "OPTIONS_INVALID" });
  await expect(RaftoralClient.connect([])).rejects.toMatchObject({ code: "OPTIONS_INVALID" });
});

test("an input that JSON cannot hold is refused before anything is sent", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  await expect(client.workflows.start("x", 1n)).rejects.toMatchObject({ code: "VALUE_NOT_SERIALIZABLE" });
  expect(node.calls).toEqual([]);
});

test("the node is told how long the caller waits", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  await client.cluster.transferLeadership(undefined, { timeoutMs: 1_500 });
  expect(node.calls[0]?.timeoutMs).toBeGreaterThan(1_000);
  expect(node.calls[0]?.timeoutMs).toBeLessThanOrEqual(1_500);
});

test("more calls than a connection takes wait for their turn, and those who wait for a run hold up no other call", {
  timeout: 120_000,
}, async () => {
  const { node, server } = await served();
  for (let i = 0; i < 1_300; i++) node.runs.set(`r${i}`, run(`r${i}`));
  const waiting: (() => void)[] = [];
  node.pollRun = (runId) => {
    const common = { runId, workflowType: "t", endedAtMs: 1 };
    const ended = { ...common, status: "completed" as const, result: Payload.of(runId, "the result") };
    return new Promise((resolve) => waiting.push(() => resolve(ended)));
  };
  // On a busy machine it takes its time.
  const client = await connected(server.address, { timeoutMs: 100_000 });
  const results = Promise.all([...node.runs.keys()].map((id) => client.workflows.run(id).result()));
  const reads = await Promise.all([...node.runs.keys()].map((id) => client.workflows.describe(id)));
  expect(reads.map((each) => each.runId)).toEqual([...node.runs.keys()]);
  const polls = setInterval(() => {
    for (const answer of waiting.splice(0)) answer();
  }, 1);
  expect(await results).toEqual([...node.runs.keys()]);
  clearInterval(polls);
});

test.each<[name: string, value: unknown, message: RegExp]>([
  ["a function", { at: () => 1 }, /signal s .* at at there is a function/],
  ["a bigint", 1n, /it is a bigint/],
  ["NaN, which JSON would turn into null", [Number.NaN], /at \[0\] there is NaN/],
  ["a map, which JSON would empty", new Map(), /it is a Map/],
])("%s is no payload, as it is no step's value", async (_name, value, message) => {
  const { server } = await served();
  const client = await connected(server.address);
  const failure = { code: "VALUE_NOT_SERIALIZABLE", message: expect.stringMatching(message) };
  await expect(client.workflows.signal("r", "s", value)).rejects.toMatchObject(failure);
  await expect(client.workflows.start("t", value)).rejects.toMatchObject({ code: "VALUE_NOT_SERIALIZABLE" });
});
