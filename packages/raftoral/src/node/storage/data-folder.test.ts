import { afterEach, beforeEach, expect, test } from "vitest";
import { TestCluster } from "../../testing/test-cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", []);
});
afterEach(() => cluster.dispose());

test("a folder that a node has open is locked", async () => {
  const place = cluster.place();
  const node = await cluster.start({ ...place, bootstrap: true });
  await expect(cluster.start({ ...place, bootstrap: true })).rejects.toMatchObject({ code: "STORAGE_LOCKED" });
  await node.stop();
  const again = await cluster.start({ ...place });
  expect(again.nodeId).toBe(1);
});

test("a folder of another node is refused and left as it is", async () => {
  const place = cluster.place();
  const node = await cluster.start({ ...place, bootstrap: true });
  await node.stop();
  const members = [
    { nodeId: 4, address: "127.0.0.1:1" },
    { nodeId: 5, address: "127.0.0.1:2" },
  ];
  await expect(cluster.start({ ...place, members, nodeId: 4 })).rejects.toMatchObject({
    code: "STORAGE_IDENTITY_MISMATCH",
  });
  expect((await cluster.start({ ...place })).clusterId).toBe(node.clusterId);
});

test("a failed start leaves the port and the folder free", async () => {
  const place = cluster.place();
  const first = await cluster.start({ ...cluster.place(), bootstrap: true });
  await expect(cluster.start({ ...place, bootstrap: true, listen: first.address })).rejects.toMatchObject({
    code: "TRANSPORT_ADDRESS_IN_USE",
  });
  const { address } = first;
  await first.stop();
  expect((await cluster.start({ ...place, bootstrap: true, listen: address })).address).toBe(address);
});
