import { afterEach, expect, test } from "vitest";
import { FakeNode } from "../testing/fake-node.ts";
import { run } from "../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../testing/fake-server.ts";
import { RaftoralClient } from "./raftoral-client.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function served(): Promise<{ node: FakeNode; server: FakeServer; client: RaftoralClient }> {
  const node = new FakeNode();
  const server = await serveFake(node);
  const client = await RaftoralClient.connect(server.address, { pinned: true });
  open.push(server, client);
  return { node, server, client };
}

const words = Array.from({ length: 100 }, (_, n) => `word ${n}`);

test("FC1: a read goes on where it was when its node is cut off and comes back", async () => {
  const { node, server, client } = await served();
  node.runs.set("A17", run("A17"));
  node.chunks.set("tokens", words);
  // After forty chunks the node is silent.
  let left = 40;
  node.before = (name) => (name === "chunk" && left-- <= 0 ? new Promise(() => {}) : Promise.resolve());
  const read: unknown[] = [];
  const reading = (async () => {
    for await (const { offset, value } of client.workflows.stream("A17", "tokens")) read.push([offset, value]);
  })();
  await expect.poll(() => read.length).toBeGreaterThan(39);
  await server.close();
  const again = new FakeNode();
  again.runs.set("A17", run("A17"));
  again.chunks.set("tokens", words);
  open.push(await serveFake(again, Number(server.address.split(":")[1])));
  await reading;
  expect(read).toEqual(words.map((word, offset) => [offset, word]));
});

test("FC2: a failure that asking again would not change ends a read", async () => {
  const { client } = await served();
  const read = Array.fromAsync(client.workflows.stream("none", "tokens"));
  await expect(read).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
});

test("FC2: the end of the client ends a read", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17"));
  node.chunks.set("tokens", words);
  node.before = (name) => (name === "chunk" ? new Promise(() => {}) : Promise.resolve());
  const reader = client.workflows.stream("A17", "tokens")[Symbol.asyncIterator]();
  expect(await reader.next()).toMatchObject({ value: { offset: 0 } });
  const next = reader.next();
  client.close();
  await expect(next).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
});

test("a reader that stops ends its call on the node", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17"));
  node.chunks.set("tokens", words);
  node.before = (name) => (name === "chunk" ? new Promise(() => {}) : Promise.resolve());
  for await (const { offset } of client.workflows.stream("A17", "tokens")) {
    expect(offset).toBe(0);
    break;
  }
  await expect.poll(() => node.reads.every((signal) => signal?.aborted)).toBe(true);
  expect(node.reads).toHaveLength(1);
});

test("FC3: more reads than may be at once take turns", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17"));
  node.chunks.set("tokens", ["one"]);
  const hold = Promise.withResolvers<void>();
  node.before = (name) => (name === "chunk" ? hold.promise : Promise.resolve());
  const all = Promise.all(Array.from({ length: 160 }, () => Array.fromAsync(client.workflows.stream("A17", "tokens"))));
  await expect.poll(() => node.reads.length).toBe(150);
  hold.resolve();
  expect((await all).every((chunks) => chunks.length === 1)).toBe(true);
  expect(node.reads).toHaveLength(160);
});

test("FC1: a read of events goes on after the last position, also of events that were left out", async () => {
  const { node, server, client } = await served();
  const happened = Array.from({ length: 100 }, (_, n) => ({
    type: "cancel-requested" as const,
    position: `${n + 1}`,
    atMs: n,
    runId: n % 2 === 0 ? "A17" : "other",
    workflowType: "t",
    reason: `${n}`,
  }));
  node.events = happened;
  let left = 41;
  node.before = (name) => (name === "event" && left-- <= 0 ? new Promise(() => {}) : Promise.resolve());
  const read: string[] = [];
  const reading = (async () => {
    for await (const { position } of client.workflows.events({ runId: "A17" })) read.push(position);
  })();
  await expect.poll(() => read.length).toBeGreaterThan(20);
  await server.close();
  const again = new FakeNode();
  again.events = happened;
  open.push(await serveFake(again, Number(server.address.split(":")[1])));
  await reading;
  expect(read).toEqual(happened.filter(({ runId }) => runId === "A17").map(({ position }) => position));
});
