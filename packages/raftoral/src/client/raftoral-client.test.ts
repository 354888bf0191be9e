import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { RaftError } from "@raftoral/raft-core";
import { Security } from "@raftoral/transport-grpc";
import { afterEach, expect, test } from "vitest";
import { fromConnectError } from "../service/connect-errors.ts";
import { FakeNode, type FakeServer, run, serveFake } from "../testing/fake-node.ts";
import { Connection } from "./connection.ts";
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

/** An address where nobody listens: a port that was just free. */
async function nowhere(): Promise<string> {
  const server = await serveFake(new FakeNode());
  await server.close();
  return server.address;
}

test("a run crosses the wire with everything known of it", async () => {
  const { node, server } = await served();
  const full = run("A17", {
    status: "failed",
    owner: 3,
    attempt: 2,
    input: { item: "tea" },
    error: { name: "TypeError", message: "no", code: "E1" },
    endedAtMs: 1_700_000_005_000,
    recordCount: 1,
    history: [{ path: "inventory#1", kind: "step", value: null, recordedAtMs: 1_700_000_000_100, epoch: 7, index: 12 }],
    lifecycle: [{ atMs: 1_700_000_000_000, kind: "started", text: "" }],
  });
  node.runs.set("A17", full);
  const client = await connected(server.address);
  expect(await client.getRun("A17")).toEqual(full);
});

test("a start with an id is idempotent, and says so", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  const first = await client.startWorkflow({ type: "process_order", version: 2 }, { total: 40 }, { id: "A17" });
  const second = await client.startWorkflow("process_order", { total: 40 }, { id: "A17" });
  expect([first.created, second.created]).toEqual([true, false]);
  expect(node.runs.get("A17")).toMatchObject({ workflowType: "process_order", version: 2, input: { total: 40 } });
});

test("a result is the run's, and a run that ended otherwise rejects with its error", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  node.runs.set("ok", run("ok", { status: "completed", result: { status: "confirmed" } }));
  node.runs.set("no", run("no", { status: "failed", error: { name: "Error", message: "out of stock", code: "" } }));
  node.runs.set("off", run("off", { status: "cancelled", error: { name: "cancelled", message: "twice", code: "" } }));
  expect(await client.run("ok").result()).toEqual({ status: "confirmed" });
  await expect(client.run("no").result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED", message: /out of stock/ });
  await expect(client.run("off").result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED", message: /twice/ });
});

test("waiting ends at its deadline while the run goes on", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  node.runs.set("A17", run("A17"));
  await expect(client.run("A17").result({ timeoutMs: 50 })).rejects.toMatchObject({
    code: "DEADLINE_EXCEEDED",
    message: /it goes on/,
  });
});

test("a list is fetched in pages", async () => {
  const { node, server } = await served();
  for (let i = 0; i < 1_201; i++) node.runs.set(`r${i}`, run(`r${i}`));
  const client = await connected(server.address);
  expect(await client.listRuns()).toHaveLength(1_201);
  expect(node.calls.filter((call) => call.name === "listPage")).toHaveLength(3);
});

test.each(["x", "-1", "1e3", "9".repeat(17)])("page token %j, which no node gave, is refused", async (pageToken) => {
  const { node, server } = await served();
  const connection = new Connection(server.address, new Security(undefined));
  open.push(connection);
  const listing = connection.workflows.listRuns({ pageToken });
  await expect(listing.catch((error) => Promise.reject(fromConnectError(error, "")))).rejects.toMatchObject({
    code: "REQUEST_INVALID",
  });
  expect(node.calls).toEqual([]);
});

test("a list can be narrowed to a state", async () => {
  const { node, server } = await served();
  node.runs.set("a", run("a"));
  node.runs.set("b", run("b", { status: "completed" }));
  const client = await connected(server.address);
  expect((await client.listRuns({ status: "completed" })).map((each) => each.runId)).toEqual(["b"]);
});

test("a signal carries an id, so that a repeat is taken once", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const client = await connected(server.address);
  await client.signal("A17", "approval", true);
  expect(node.signals).toEqual([["A17", "approval", true, expect.stringMatching(/^[0-9a-f-]{36}$/)]]);
});

test("a node's own error arrives with its code", async () => {
  const { server } = await served();
  const client = await connected(server.address);
  await expect(client.getRun("nobody")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND", retryable: false });
  await expect(client.removeNode(9)).rejects.toMatchObject({ code: "NODE_UNKNOWN", message: /members are 1, 2, 3/ });
});

test("F2: when the node in use is gone, the next one is asked", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  await a.server.close();
  expect((await client.getRun("A17")).runId).toBe("A17");
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
  expect((await client.getRun("A17")).runId).toBe("A17");
  expect(performance.now() - began).toBeLessThan(500);
});

test("F5: a wait with an end hears of the run from the next node when one does not answer", async () => {
  const [a, b] = [await served(), await served()];
  for (const { node } of [a, b]) node.runs.set("A17", run("A17", { status: "completed", result: 1 }));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.awaitRun = () => new Promise(() => {});
  expect(await client.run("A17").result({ timeoutMs: 1_000 })).toBe(1);
});

test("F5: a call without an end goes on after an attempt that nobody answered", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const failover = new Failover([server.address], new Security(undefined));
  open.push(failover);
  let asked = 0;
  const { getRun } = node;
  node.getRun = (...args) => {
    asked += 1;
    return asked < 3 ? new Promise(() => {}) : getRun.apply(node, args);
  };
  const call = { what: "reading", idempotent: true, timeoutMs: Number.POSITIVE_INFINITY, attemptMs: 50 };
  const answer = await failover.call(call, (connection, timeoutMs) =>
    connection.workflows.getRun({ workflowId: "A17" }, { timeoutMs }),
  );
  expect([asked, answer.run?.workflowId]).toEqual([3, "A17"]);
});

test("F2: a node that says it stopped is passed over", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.failure = new RaftError("NODE_STOPPED", "stopped", { retryable: true });
  expect((await client.getRun("A17")).runId).toBe("A17");
});

test.each(["NO_LEADER", "NODE_STOPPED"])(
  "F4: when the node that is to leave answers %s, no other leaves",
  async (code) => {
    const [a, b] = [await served(), await served()];
    const client = await connected([a.server.address, b.server.address]);
    a.node.failure = new RaftError(code as "NO_LEADER", "not now", { retryable: true });
    await expect(client.removeNode(undefined, { timeoutMs: 300 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect([a.node.calls.length > 0, b.node.calls]).toEqual([true, []]);
  },
);

test("F4: when the node that is to leave is gone, no other leaves, also after others have answered", async () => {
  const [a, b] = [await served(), await served()];
  const client = await connected([a.server.address, b.server.address]);
  await a.server.close();
  await client.status();
  await expect(client.removeNode(undefined)).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
  expect(b.node.calls).toEqual([]);
  expect(await client.removeNode(3)).toBe(3);
});

test("F1: a time longer than timers can keep is no short one", async () => {
  const { node, server } = await served();
  node.runs.set("A17", run("A17"));
  const client = await connected(server.address);
  expect((await client.getRun("A17", { timeoutMs: 2_000 * 3_600_000 })).runId).toBe("A17");
  expect(node.calls[0]?.timeoutMs).toBeGreaterThan(3_600_000);
});

test("F3: the node that answered last is asked first", async () => {
  const [a, b] = [await served(), await served()];
  b.node.runs.set("A17", run("A17"));
  const client = await connected([a.server.address, b.server.address], { pinned: true });
  a.node.failure = new RaftError("NODE_STOPPED", "stopped", { retryable: true });
  for (let i = 0; i < 3; i++) await client.getRun("A17");
  expect([a.node.calls.length, b.node.calls.length]).toEqual([1, 3]);
});

test("the other members are learned from the first node that answers", async () => {
  const [a, b] = [await served(), await served()];
  a.node.members = [{ nodeId: 2, address: b.server.address, voter: true, match: 0, recentlyActive: false }];
  b.node.runs.set("A17", run("A17"));
  const client = await connected(a.server.address);
  await a.server.close();
  expect((await client.getRun("A17")).runId).toBe("A17");
});

test("F1: without a leader a call ends at its deadline, saying what the nodes answered", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  node.failure = new RaftError("NO_LEADER", "no majority answers", { retryable: true });
  const began = performance.now();
  await expect(client.getRun("A17", { timeoutMs: 300 })).rejects.toMatchObject({
    code: "DEADLINE_EXCEEDED",
    message: /longer than 300 ms.*no majority answers/,
  });
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("an address where nobody answers is named", async () => {
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
  await expect(client.startWorkflow("x", 1n)).rejects.toMatchObject({ code: "JSON_INVALID" });
  expect(node.calls).toEqual([]);
});

test("the node is told how long the caller waits", async () => {
  const { node, server } = await served();
  const client = await connected(server.address);
  await client.transferLeadership(undefined, { timeoutMs: 1_500 });
  expect(node.calls[0]?.timeoutMs).toBeGreaterThan(1_000);
  expect(node.calls[0]?.timeoutMs).toBeLessThanOrEqual(1_500);
});

test.each<[name: string, call: (client: RaftoralClient) => Promise<unknown>, code: string]>([
  ["an empty run id", (client) => client.startWorkflow("t", 1, { id: "" }), "WORKFLOW_ID_INVALID"],
  ["a run id of another type", (client) => client.startWorkflow("t", 1, { id: 5 as never }), "WORKFLOW_ID_INVALID"],
  ["a run id that is too long", (client) => client.getRun("x".repeat(513)), "WORKFLOW_ID_INVALID"],
  ["version 0", (client) => client.startWorkflow("t", 1, { version: 0 }), "REQUEST_INVALID"],
  ["a broken version", (client) => client.startWorkflow("t", 1, { version: 1.5 }), "REQUEST_INVALID"],
  ["no type", (client) => client.startWorkflow(null as never), "REQUEST_INVALID"],
  ["a time that is no number", (client) => client.signal("a", "b", 1, { timeoutMs: "5s" as never }), "REQUEST_INVALID"],
  ["a time that is NaN", (client) => client.run("a").result({ timeoutMs: Number.NaN }), "REQUEST_INVALID"],
  ["a negative time", (client) => client.status({ timeoutMs: -1 }), "REQUEST_INVALID"],
  ["node 0, which is not the node asked", (client) => client.removeNode(0), "REQUEST_INVALID"],
  ["a node id that is no number", (client) => client.transferLeadership("2" as never), "REQUEST_INVALID"],
  ["a state that no run has", (client) => client.listRuns({ status: "asleep" as never }), "REQUEST_INVALID"],
])("%s is refused with its own code, and nothing is sent", async (_name, call, code) => {
  const { node, server } = await served();
  const client = await connected(server.address);
  await expect(call(client)).rejects.toMatchObject({ code });
  expect(node.calls).toEqual([]);
});

test("more calls than a connection takes wait for their turn, and those who wait for a run hold up nobody else", {
  timeout: 120_000,
}, async () => {
  const { node, server } = await served();
  for (let i = 0; i < 1_300; i++) node.runs.set(`r${i}`, run(`r${i}`));
  const waiting: (() => void)[] = [];
  node.awaitRun = (id) =>
    new Promise((resolve) => waiting.push(() => resolve(run(id, { status: "completed", result: id }))));
  // On a busy machine it takes its time.
  const client = await connected(server.address, { timeoutMs: 100_000 });
  const results = Promise.all([...node.runs.keys()].map((id) => client.run(id).result()));
  const reads = await Promise.all([...node.runs.keys()].map((id) => client.getRun(id)));
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
  ["a map, which JSON would empty", new Map(), /it is Map/],
])("%s is no payload, as it is no step's value", async (_name, value, message) => {
  const { server } = await served();
  const client = await connected(server.address);
  const failure = { code: "JSON_INVALID", message: expect.stringMatching(message) };
  await expect(client.signal("r", "s", value)).rejects.toMatchObject(failure);
  await expect(client.startWorkflow("t", value)).rejects.toMatchObject({ code: "JSON_INVALID" });
});
