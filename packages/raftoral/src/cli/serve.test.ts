// @module-tag slow

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RaftoralClient } from "../client/raftoral-client.ts";
import { FakeProcess } from "../testing/fake-process.ts";

const WORKFLOW = `
interface Order { id: string }
export const noWorkflow = 1;
export const greet = { type: "greet", version: 1, input: undefined, run: async (ctx: any, order: Order) => ctx.step("id", () => order.id) };
`;

let folder: string;
let file: string;
const processes: FakeProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-serve-"));
  file = join(folder, "workflows.ts");
  await writeFile(file, WORKFLOW);
});
afterEach(async () => {
  for (const each of processes.splice(0)) {
    each.kill("SIGTERM");
    await each.ended;
  }
  await rm(folder, { recursive: true, force: true });
});

function raftoral(...args: string[]): FakeProcess {
  const started = new FakeProcess(args);
  processes.push(started);
  return started;
}

async function addressOf(node: FakeProcess): Promise<string> {
  return String((await node.logged("node started")).address);
}

test("a node starts with the workflows of a file, answers, and stops in order at SIGTERM", async () => {
  const node = raftoral("start", "-l", "127.0.0.1:0", "-d", join(folder, "1"), "--bootstrap", "-w", file);
  const client = await RaftoralClient.connect(await addressOf(node));
  expect((await client.cluster.status()).workflows).toEqual(["greet@1"]);
  expect(await (await client.workflows.start("greet", { id: "A17" })).result({ timeoutMs: 10_000 })).toBe("A17");
  client.close();
  node.kill("SIGTERM");
  expect(await node.ended).toBe(0);
  await node.logged("node stopped");
  expect(node.errors).toBe("");
});

test("a node joins, and ends with 0 when a client makes it leave", async () => {
  const first = raftoral("start", "-l", "127.0.0.1:0", "-d", join(folder, "1"), "--bootstrap");
  const second = raftoral("join", await addressOf(first), "-l", "127.0.0.1:0", "-d", join(folder, "2"));
  const client = await RaftoralClient.connect(await addressOf(second), { pinned: true });
  expect(await client.cluster.removeNode(undefined)).toBe(2);
  client.close();
  expect(await second.ended).toBe(0);
});

test("a node that was removed prints why and ends with 1", async () => {
  const first = raftoral("start", "-l", "127.0.0.1:0", "-d", join(folder, "1"), "--bootstrap");
  const address = await addressOf(first);
  // Three, so that the two that stay are a quorum without the one that is removed.
  const second = raftoral("join", address, "-l", "127.0.0.1:0", "-d", join(folder, "2"));
  await second.logged("node started");
  const third = raftoral("join", address, "-l", "127.0.0.1:0", "-d", join(folder, "3"));
  await third.logged("node started");
  const client = await RaftoralClient.connect(address, { pinned: true });
  await client.cluster.removeNode(3);
  client.close();
  expect(await third.ended).toBe(1);
  expect(third.errors).toMatch(/^Error NODE_REMOVED: Node 3 was removed from the cluster/);
});

test("a second signal ends the process at once", async () => {
  const node = raftoral("start", "-l", "127.0.0.1:0", "-d", join(folder, "1"), "--bootstrap");
  await node.logged("node started");
  const ending = Promise.withResolvers<number>();
  node.exit = (code): never => {
    ending.resolve(code);
    return undefined as never;
  };
  node.kill("SIGTERM");
  node.kill("SIGINT");
  expect(await ending.promise).toBe(130);
  expect(await node.ended).toBe(0);
});

test("a signal while a join is tried ends the process", async () => {
  const node = raftoral("join", "127.0.0.1:1", "-l", "127.0.0.1:0");
  await node.logged("cannot join there yet; trying on");
  node.kill("SIGINT");
  expect(await node.ended).toBe(130);
});

test.each([
  [
    "a folder that belongs nowhere",
    [],
    /^Error CLUSTER_MISSING: The data folder .* is new, so it belongs to no cluster/,
  ],
  [
    "a file that is not there",
    ["--bootstrap", "-w", "/no/such.ts"],
    /^Error WORKFLOW_FILE_INVALID: \/no\/such\.ts cannot/,
  ],
  ["two ways at once", ["--bootstrap", "--join", "a:1"], /^Error OPTIONS_INVALID: Option bootstrap and join exclude/],
])("%s is one message, without a stack", async (_name, args, message) => {
  const node = raftoral("start", "-l", "127.0.0.1:0", "-d", join(folder, "1"), ...args);
  expect(await node.ended).toBeGreaterThan(0);
  expect(node.errors).toMatch(message);
  expect(node.errors).not.toMatch(/\n\s+at /);
});

test("files that hold no workflow, or cannot be run, are named", async () => {
  const empty = join(folder, "empty.ts");
  const broken = join(folder, "broken.ts");
  await writeFile(empty, "export const x = { type: 1 };");
  await writeFile(broken, "export const x = ;");
  for (const [path, message] of [
    [empty, /empty\.ts exports no workflow\. Export what workflow\("name"/],
    [broken, /broken\.ts cannot be loaded: /],
  ] as const) {
    const node = raftoral("start", "-l", "127.0.0.1:0", "--bootstrap", "-w", path);
    expect(await node.ended).toBe(1);
    expect(node.errors).toMatch(message);
  }
});

test("a port in use, a locked folder and a path that is no folder are told apart", async () => {
  const data = join(folder, "1");
  const node = raftoral("start", "-l", "127.0.0.1:0", "-d", data, "--bootstrap", "--metrics", "127.0.0.1:0");
  const address = await addressOf(node);
  const metrics = String((await node.logged("metrics are served")).address);
  expect(await (await fetch(metrics)).text()).toContain("\nraftoral_raft_has_leader{");
  const sameMetrics = raftoral(
    "start",
    "-l",
    "127.0.0.1:0",
    "-d",
    join(folder, "3"),
    "--metrics",
    new URL(metrics).host,
  );
  expect(await sameMetrics.ended).toBe(1);
  expect(sameMetrics.errors).toMatch(/^Error METRICS_LISTEN_FAILED: .*something listens there already/);
  const samePort = raftoral("start", "-l", address, "-d", join(folder, "2"), "--bootstrap");
  expect(await samePort.ended).toBe(1);
  expect(samePort.errors).toMatch(/^Error TRANSPORT_ADDRESS_IN_USE: /);
  const sameFolder = raftoral("start", "-l", "127.0.0.1:0", "-d", data);
  expect(await sameFolder.ended).toBe(1);
  expect(sameFolder.errors).toMatch(/^Error STORAGE_LOCKED: /);
  const noFolder = raftoral("start", "-l", "127.0.0.1:0", "-d", file, "--bootstrap");
  expect(await noFolder.ended).toBe(1);
  expect(noFolder.errors).toMatch(/^Error STORAGE_PATH_INVALID: /);
});
