import { expect, test } from "vitest";
import { MemoryStorage } from "../memory/memory-storage.ts";
import { Counter, network } from "../testing/internal/groups/manual-group.ts";
import { ClusterRegistry } from "./cluster-registry.ts";
import { NodeDirectory } from "./node-directory.ts";

function start(withExecutor = true) {
  const { clock, wires } = network();
  const registry = new ClusterRegistry<Counter>({
    directory: new NodeDirectory([1, 2].map((nodeId) => ({ nodeId, address: `node-${nodeId}:1` }))),
    peer: (nodeId) => wires.transport(nodeId),
    defaults: withExecutor ? { clock, executor: () => new Counter() } : { clock },
  });
  return { registry, wires };
}

test("a group begins with all nodes known by then, and what its creator gives wins over the defaults", async () => {
  const { registry } = start();
  const cluster = await registry.create(1, { groupId: 7 });
  expect(cluster.groupId).toBe(7);
  expect(cluster.members().map(({ nodeId }) => nodeId)).toEqual([1, 2]);
  await registry.stopAll();
});

test("unknown nodes and missing executors are refused", async () => {
  await expect(start().registry.create(9)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
  await expect(start(false).registry.create(1)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("everything created here stops together", async () => {
  const { registry, wires } = start();
  const clusters = [await registry.create(1), await registry.create(2)];
  await registry.stopAll();
  for (const cluster of clusters) await expect(cluster.readIndex()).rejects.toMatchObject({ code: "NODE_STOPPED" });
  expect(wires.receivers.size).toBe(0);
  await registry.stopAll();
});

test("a group that was still starting when everything stopped does not stay behind", async () => {
  const { registry, wires } = start();
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const storage = new MemoryStorage();
  const write = storage.write.bind(storage);
  storage.write = async (batch) => {
    await opened;
    await write(batch);
  };
  const creating = registry.create(1, { storage: () => storage });
  creating.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  await registry.stopAll();
  open();
  await expect(creating).rejects.toMatchObject({ code: "TRANSPORT_CLOSED" });
  expect(wires.receivers.size).toBe(0);
});
