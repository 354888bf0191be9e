// @module-tag slow

// A client that lives longer than the nodes it was given.
import { platformClock } from "@raftoral/raft-core";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RaftoralNode } from "../node/raftoral-node.ts";
import { TestCluster, until } from "../testing/test-cluster.ts";
import { MemberWatch } from "./member-watch.ts";
import { RaftoralClient } from "./raftoral-client.ts";

const echo = workflow("echo", { version: 1 }, async (ctx, n: number) => ctx.step("echo", () => n));

describe("a client of a cluster whose nodes are all replaced", () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.create("grpc", [echo]);
  });
  afterEach(() => cluster.dispose());

  test("goes on, though none of those it knew at first is left", { timeout: 60_000 }, async () => {
    const { nodes } = await cluster.form(3);
    const client = await RaftoralClient.connect(nodes[0]?.address ?? "", { membersIntervalMs: 100 });
    for (const old of nodes) {
      const next = await cluster.start({ ...cluster.place(), join: old.address });
      await old.leave();
      await until(next, async () => (await next.cluster.members()).length === 3, "three members");
      // Time for a look; the client itself is not asked, for that would make it look.
      await expect.poll(() => client.addresses.includes(next.address)).toBe(true);
      expect((await client.workflows.start(echo, 1)).created).toBe(true);
    }
    const last: RaftoralNode[] = nodes;
    for (const gone of last.slice(1)) expect(client.addresses).not.toContain(gone.address);
    client.close();
  });
});

describe("MemberWatch", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("K1: looks every interval, and sooner when a node does not answer, but one at a time", async () => {
    let looks = 0;
    const pending: (() => void)[] = [];
    const learned: (readonly string[])[] = [];
    const watch = new MemberWatch({
      read: () => {
        looks += 1;
        return new Promise((resolve) => pending.push(() => resolve(["a"])));
      },
      learn: (members) => void learned.push(members),
      intervalMs: 1_000,
      clock: platformClock,
    });
    watch.suspect();
    expect(looks).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    watch.suspect();
    watch.suspect();
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks).toBe(1);
    pending[0]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([looks, learned]).toEqual([2, [["a"]]]);
    watch.close();
    pending[1]?.();
    await vi.advanceTimersByTimeAsync(5_000);
    watch.suspect();
    expect([looks, learned.length]).toEqual([2, 1]);
  });

  test("K2: a look that fails is followed by the next", async () => {
    const read = vi.fn(() => Promise.reject(new Error("no answer")));
    const watch = new MemberWatch({ read, learn: () => expect.unreachable(), intervalMs: 10, clock: platformClock });
    await vi.advanceTimersByTimeAsync(35);
    expect(read).toHaveBeenCalledTimes(3);
    watch.close();
  });
});
