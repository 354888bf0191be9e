import { RaftError } from "@raftoral/raft-core";
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

const portOf = ({ address }: FakeServer): number => Number(address.split(":")[1]);

test("RP1: a wait without a limit goes on while no node is there, and hears of the end from the one that comes back", async () => {
  const { node, server, client } = await served();
  node.runs.set("A17", run("A17"));
  node.before = () => new Promise(() => {});
  const result = client.workflows.result("A17");
  await expect.poll(() => node.polls.length).toBe(1);
  await server.close();
  // Long enough for polls that are refused.
  await expect(client.cluster.status()).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
  const again = new FakeNode();
  again.runs.set("A17", run("A17", { status: "completed", result: "at last" }));
  open.push(await serveFake(again, portOf(server)));
  expect(await result).toBe("at last");
});

test("RP1: a node that stops, and a cluster without a leader, do not end a wait", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17", { status: "completed", result: 1 }));
  const failures = [
    new RaftError("NODE_STOPPED", "stopped", { retryable: true }),
    new RaftError("NO_LEADER", "none", { retryable: true }),
  ];
  node.before = async () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  expect(await client.workflows.result("A17")).toBe(1);
  expect(failures).toEqual([]);
});

test("RP1: a wait with a limit says at its end that no node answers", async () => {
  const { server, client } = await served();
  await server.close();
  await expect(client.workflows.result("A17", { timeoutMs: 700 })).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
});

test("RP1: a failure that asking again would not change ends a wait at once", async () => {
  const { node, client } = await served();
  await expect(client.workflows.result("none")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  expect(node.polls).toHaveLength(1);
});

test("RP1: an aborted wait ends its poll on the node, too", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17"));
  node.before = () => new Promise(() => {});
  const stop = new AbortController();
  const result = client.workflows.result("A17", { signal: stop.signal });
  await expect.poll(() => node.polls.length).toBe(1);
  stop.abort(new Error("enough"));
  await expect(result).rejects.toMatchObject({ code: "CALL_ABORTED", cause: { message: "enough" } });
  await expect.poll(() => node.polls[0]?.aborted).toBe(true);
});

test("closing the client ends its waits", async () => {
  const { node, client } = await served();
  node.runs.set("A17", run("A17"));
  node.before = () => new Promise(() => {});
  const result = client.workflows.result("A17");
  await expect.poll(() => node.polls.length).toBe(1);
  client.close();
  await expect(result).rejects.toMatchObject({ code: "NODE_UNREACHABLE", message: /client is closed/ });
});
