/** What every implementation of `Cluster` does alike, on a cluster of three nodes whose state is in memory or in folders. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../api/cluster/cluster.ts";
import { expectAlike } from "./alike.ts";

/** What the suite needs of an implementation. */
export interface ClusterSubject {
  readonly cluster: Cluster;
  /** The node asked. */
  readonly nodeId: number;
  /** Whether nodes have folders, and a place for backups. */
  readonly hasFolders: boolean;
  readonly dispose: () => Promise<void>;
}

/** Runs the suite. `name` names the implementation; `open` makes one, on a cluster of its own. */
export function clusterConformance(name: string, open: () => Promise<ClusterSubject>): void {
  describe(`Cluster: ${name}`, () => {
    let subject: ClusterSubject;
    let cluster: Cluster;
    beforeAll(async () => {
      subject = await open();
      cluster = subject.cluster;
    });
    afterAll(() => subject.dispose());

    test("the status is that of the node asked", async () => {
      const leader = await cluster.waitForLeader();
      const status = await cluster.status();
      expect(status).toMatchObject({
        nodeId: subject.nodeId,
        leader,
        role: leader === subject.nodeId ? "leader" : "follower",
        runningRuns: 0,
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      });
      expect(status.members.map(({ nodeId, voter }) => [nodeId, voter])).toEqual([1, 2, 3].map((id) => [id, true]));
      expect((await cluster.members()).map(({ address }) => address)).toEqual(
        status.members.map(({ address }) => address),
      );
    });

    test("the leadership goes where it is asked to go", async () => {
      const leader = await cluster.waitForLeader();
      const other = leader === 1 ? 2 : 1;
      expect(await cluster.transferLeadership(other)).toBe(other);
      expect(await cluster.waitForLeader()).toBe(other);
      expect(await cluster.transferLeadership()).not.toBe(other);
    });

    test.each<[name: string, call: (cluster: Cluster) => Promise<unknown>, code: string]>([
      ["a transfer to a node that is not there", (c) => c.transferLeadership(9), "NODE_UNKNOWN"],
      ["the removal of a node that is not there", (c) => c.removeNode(9), "NODE_UNKNOWN"],
      ["node 0", (c) => c.removeNode(0), "REQUEST_INVALID"],
      ["a node id that is no number", (c) => c.transferLeadership("2" as never), "REQUEST_INVALID"],
      ["half a node", (c) => c.removeNode(1.5), "REQUEST_INVALID"],
      ["a negative time for a status", (c) => c.status({ timeoutMs: -1 }), "REQUEST_INVALID"],
      ["an empty backup name", (c) => c.backUp(""), "REQUEST_INVALID"],
      ["a path as backup name", (c) => c.backUp("../x"), "REQUEST_INVALID"],
      ["a hidden backup", (c) => c.backUp(".x"), "REQUEST_INVALID"],
      ["an aborted status", (c) => c.status({ signal: AbortSignal.abort() }), "CALL_ABORTED"],
      ["an aborted removal", (c) => c.removeNode(2, { signal: AbortSignal.abort() }), "CALL_ABORTED"],
    ])("%s is refused", async (what, call, code) => {
      await expectAlike(what, call(cluster), { code });
      expect(await cluster.members()).toHaveLength(3);
    });

    test("a backup is made under a new name, where the node keeps them", async () => {
      if (!subject.hasFolders) {
        await expectAlike("a backup of nothing", cluster.backUp("monday"), {
          name: "NodeError",
          code: "BACKUP_REFUSED",
        });
        return;
      }
      const backup = await cluster.backUp("monday");
      expect(backup).toMatchObject({ nodeId: subject.nodeId, path: expect.stringMatching(/monday$/) });
      const target = { name: "StorageError", code: "STORAGE_TARGET_NOT_EMPTY" };
      await expect(cluster.backUp("monday")).rejects.toMatchObject(target);
    });

    // The last one: what is asked for is gone afterwards.
    test("a member is removed, and so is the node asked", async () => {
      const [other = 0] = [1, 2, 3].filter((nodeId) => nodeId !== subject.nodeId);
      expect(await cluster.removeNode(other)).toBe(other);
      await expect.poll(async () => (await cluster.members()).length).toBe(2);
      // Which one it was depends on who was asked.
      await expect(cluster.removeNode(other)).rejects.toMatchObject({ name: "RaftError", code: "NODE_REMOVED" });
      expect(await cluster.removeNode()).toBe(subject.nodeId);
    });
  });
}
