/** What three nodes do, whichever transport is between them and whichever storage is under them: one list for all. */
import { expect } from "vitest";
import { eventually } from "../harness/index.ts";
import type { LedgerCluster } from "./ledger-cluster.ts";

const WAIT_MS = 10_000;

export interface ClusterScenario {
  readonly name: string;
  readonly play: (cluster: LedgerCluster) => Promise<void>;
}

export const CLUSTER_SCENARIOS: readonly ClusterScenario[] = [
  {
    name: "agree on one leader",
    play: async (cluster) => {
      const leader = await cluster.leader();
      const roles = cluster.nodeIds.map((nodeId) => cluster.node(nodeId).status().role);
      expect(roles.filter((role) => role === "StateLeader")).toHaveLength(1);
      expect(cluster.node(leader).isLeader).toBe(true);
    },
  },
  {
    name: "apply what any of them proposes once, everywhere, in one order",
    play: async (cluster) => {
      const texts = await cluster.proposeMany("line", 300);
      const lines = await cluster.sameEverywhere();
      expect([...lines].sort()).toEqual([...texts].sort());
    },
  },
  {
    name: "read on one node what was acknowledged on another",
    play: async (cluster) => {
      const [writer = 0, reader = 0] = cluster.nodeIds;
      for (const text of ["one", "two", "three"]) {
        await cluster.node(writer).propose(text);
        await cluster.node(reader).readIndex();
        expect(cluster.lines(reader)).toContain(text);
      }
    },
  },
  {
    name: "carry a command of half a megabyte",
    play: async (cluster) => {
      const large = "x".repeat(512 * 1024);
      await cluster.node(await cluster.follower()).propose(large);
      expect(await cluster.sameEverywhere()).toEqual([large]);
    },
  },
  {
    name: "hand the leadership over while proposals go on, and apply each once",
    play: async (cluster) => {
      const to = await cluster.follower();
      const proposing = cluster.proposeMany("moving", 200);
      await cluster.node(await cluster.leader()).transferLeadership(to);
      const texts = await proposing;
      expect(await cluster.leader()).toBe(to);
      expect([...(await cluster.sameEverywhere())].sort()).toEqual([...texts].sort());
    },
  },
  {
    name: "go on without their leader, and bring it up to date when it is back",
    play: async (cluster) => {
      const before = await cluster.proposeMany("before", 20);
      const lost = await cluster.leader();
      await cluster.stopNode(lost);
      const leader = await cluster.leader();
      expect(leader).not.toBe(lost);
      const without = await cluster.proposeMany("without", 20);
      await cluster.startNode(lost);
      expect(await cluster.leader()).toBe(leader);
      const after = await cluster.proposeMany("after", 20);
      expect([...(await cluster.sameEverywhere())].sort()).toEqual([...before, ...without, ...after].sort());
    },
  },
  {
    name: "send a snapshot to one that was away for longer than the log reaches back",
    play: async (cluster) => {
      const away = await cluster.follower();
      await cluster.proposeMany("early", 5);
      await cluster.stopNode(away);
      for (let i = 0; i < 4; i += 1) await cluster.proposeMany(`late-${i}`, 100);
      const leader = cluster.node(await cluster.leader());
      await eventually(WAIT_MS, "the log to be cut", () => leader.status().firstIndex > 100);
      const node = await cluster.startNode(away);
      expect(await cluster.sameEverywhere()).toHaveLength(405);
      expect(node.status().snapshotIndex).toBeGreaterThan(100);
    },
  },
  {
    name: "take in a fourth and let one go, while proposals go on",
    play: async (cluster) => {
      const first = cluster.proposeMany("growing", 100);
      const { address } = await cluster.startJoining(4);
      const leader = await cluster.leader([1, 2, 3]);
      await cluster.node(leader).changeMembership([{ type: "AddNode", nodeId: 4, address }]);
      await first;
      await eventually(WAIT_MS, "node 4 to vote", () => cluster.node(4).status().confState.voters.includes(4));
      const second = cluster.proposeMany("grown", 100);
      await second;
      const leaving = cluster.nodeIds.find((nodeId) => nodeId !== leader && nodeId !== 4) ?? 0;
      await cluster.node(leader).changeMembership([{ type: "RemoveNode", nodeId: leaving }]);
      await cluster.stopNode(leaving);
      cluster.transport.removeNode(leaving);
      await cluster.proposeMany("shrunk", 100);
      expect(await cluster.sameEverywhere()).toHaveLength(300);
      expect(cluster.node(4).status().confState.voters).not.toContain(leaving);
      expect(cluster.transport.nodeIds()).toEqual([1, 2, 3, 4].filter((nodeId) => nodeId !== leaving));
    },
  },
  {
    name: "refuse in time, and lose nothing, while there is no majority",
    play: async (cluster) => {
      await cluster.node(1).propose("with a majority");
      const [left = 0, ...others] = cluster.nodeIds;
      for (const nodeId of others) await cluster.stopNode(nodeId);
      const refusal = { code: expect.stringMatching(/^(NO_LEADER|DEADLINE_EXCEEDED|PROPOSAL_OUTCOME_UNKNOWN)$/) };
      await expect(cluster.node(left).propose("alone", { timeoutMs: 500 })).rejects.toMatchObject(refusal);
      await expect(cluster.node(left).readIndex({ timeoutMs: 500 })).rejects.toMatchObject(refusal);
      for (const nodeId of others) await cluster.startNode(nodeId);
      await cluster.leader();
      await cluster.node(left).propose("together again");
      const lines = await cluster.sameEverywhere();
      // What had no outcome may have been applied, once.
      expect(lines.filter((line) => line !== "alone")).toEqual(["with a majority", "together again"]);
      expect(lines.length).toBeLessThanOrEqual(3);
    },
  },
];
