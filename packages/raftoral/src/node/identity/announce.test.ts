// Whose word that this node is no member is the last one.
import { NONE, platformClock, silentLogger } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { NodeError } from "../../api/errors.ts";
import { type Announcement, announceAddress } from "./announce.ts";

const SELF = { nodeId: 6, address: "c:1" };
const OTHER = { nodeId: 1, address: "a:1" };

/** A node that has applied `applied` of 9 entries; each node that it calls belongs to another cluster, and `onCall` hears of it first. */
function restarted(applied: number, onCall: (node: { applied: number; leader: number; members: object[] }) => void) {
  const node = { applied, leader: NONE as number, members: [SELF, OTHER] as object[] };
  let calls = 0;
  const announcement = {
    cluster: {
      get leader() {
        return node.leader;
      },
      status: () => ({ applied: node.applied, commit: 9 }),
    },
    membership: { members: () => node.members, suggest: () => {} },
    dial: async () => ({
      identity: async () => ({ clusterId: "other", nodeId: 1 }),
      announce: async () => {
        calls += 1;
        onCall(node);
        throw new NodeError("CLUSTER_MISMATCH", "another cluster");
      },
      close: () => {},
    }),
    identity: { clusterId: "new", nodeId: SELF.nodeId },
    address: SELF.address,
    targets: [],
    delayMs: 0,
    clock: platformClock,
    logger: silentLogger,
  };
  return { announcement: announcement as unknown as Announcement, calls: () => calls };
}

test("a member that says so is believed", async () => {
  const { announcement, calls } = restarted(9, () => {});
  expect(await announceAddress(announcement, new AbortController().signal)).toMatchObject({ code: "CLUSTER_MISMATCH" });
  expect(calls()).toBe(1);
});

test("a member of old that the log takes out is not, as of a restored folder beside its old cluster", async () => {
  const { announcement, calls } = restarted(3, (node) => {
    node.applied = 9;
    node.members = [SELF];
    node.leader = SELF.nodeId;
  });
  expect(await announceAddress(announcement, new AbortController().signal)).toBeUndefined();
  expect(calls()).toBe(1);
});

test("no member is while what is committed is not applied yet; then one is", async () => {
  let seen = 0;
  const { announcement, calls } = restarted(3, (node) => {
    seen += 1;
    if (seen === 2) node.applied = 9;
  });
  expect(await announceAddress(announcement, new AbortController().signal)).toMatchObject({ code: "CLUSTER_MISMATCH" });
  expect(calls()).toBe(2);
});
