import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../testing/fake-node.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  node.known = [1, 2, 3].map((nodeId) => ({ nodeId, address: `10.0.0.${nodeId}:5001`, voter: true }));
  server = await serveFake(node);
});
afterEach(() => server.close());

const status = async () => (await raftoral(["status"], { RAFTORAL_NODE: server.address })).out;

test("a node that does not lead says of whom it knows nothing, and whom to ask", async () => {
  node.shown = { role: "follower", leader: 2 };
  expect(await status()).toContain(
    [
      "NODE  ADDRESS        ROLE    REPLICATION",
      "   1  10.0.0.1:5001  voter   - (this node)",
      "   2  10.0.0.2:5001  leader  alive: it leads",
      "   3  10.0.0.3:5001  voter   unknown here",
      "Which members are up, the leader knows: raftoral status --node 10.0.0.2:5001",
    ].join("\n"),
  );
});

test("without a leader no member is known to be up", async () => {
  node.shown = { role: "follower", leader: 0 };
  const out = await status();
  expect(out).toContain("3  10.0.0.3:5001  voter  unknown: no leader\n");
  expect(out).toContain("Which members are up is not known while there is no leader.\n");
});

test("the leader marks who is silent", async () => {
  node.known = [
    { nodeId: 1, address: "10.0.0.1:5001", voter: true, match: 42, recentlyActive: true },
    { nodeId: 2, address: "10.0.0.2:5001", voter: true, match: 40, recentlyActive: false },
  ];
  const out = await status();
  expect(out).toContain("2  10.0.0.2:5001  voter   silent, 2 entries behind\n");
  expect(out).not.toContain("Which members");
});
