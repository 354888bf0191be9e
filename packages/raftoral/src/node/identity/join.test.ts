// @module-tag slow

import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestCluster } from "../../testing/test-cluster.ts";

const greet = workflow("greet", { version: 1 }, async (_ctx, name: string) => `hello ${name}`);

let cluster: TestCluster;
let silent: net.Server;
const sockets = new Set<net.Socket>();
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [greet]);
  silent = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await cluster.dispose();
});

test("a member to join that accepts connections and never answers does not keep the others from being asked", async () => {
  const first = await cluster.start({ ...cluster.place(), bootstrap: true });
  const hung = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const second = await cluster.start({ ...cluster.place(), join: [hung, first.address], joinTimeoutMs: 8_000 });
  expect(second.nodeId).toBe(2);
  expect(await (await second.workflows.start(greet, "two")).result()).toBe("hello two");
});

test("a member to join that has no quorum does not use up the time of the others", async () => {
  const { nodes } = await cluster.form(2);
  await nodes[1]?.stop({ timeoutMs: 1 });
  const lonely = nodes[0]?.address ?? "";
  const other = await cluster.start({ ...cluster.place(), bootstrap: true });
  const joined = await cluster.start({ ...cluster.place(), join: [lonely, other.address], joinTimeoutMs: 6_000 });
  expect(joined.clusterId).toBe(other.clusterId);
});
