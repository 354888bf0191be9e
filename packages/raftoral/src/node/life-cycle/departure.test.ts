import { platformClock, RaftError, silentLogger } from "@raftoral/raft-core";
import type { WorkflowRuntime } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MemberInfo } from "../../api/cluster/cluster.ts";
import type { Membership, WorkflowCluster } from "../membership/membership.ts";
import { Departure } from "./departure.ts";

const noLeader = () => new RaftError("NO_LEADER", "no quorum", { retryable: true });

/** Node 1 of three, and what was done to it, in order. */
class Setting {
  readonly done: string[] = [];
  isLeader = false;
  members: MemberInfo[] = [1, 2, 3].map((nodeId) => ({
    nodeId,
    address: `node-${nodeId}:1`,
    voter: true,
    match: 0,
    recentlyActive: true,
  }));
  readonly timeouts: number[] = [];
  barrier = async (): Promise<void> => {};
  drain = async (): Promise<void> => {};
  remove = async (): Promise<void> => {
    this.members = this.members.filter((member) => member.nodeId !== 1);
  };

  departure(): Departure {
    const step = (name: string, work: () => Promise<void>, limit?: { readonly timeoutMs: number }): Promise<void> => {
      this.done.push(name);
      if (limit !== undefined) this.timeouts.push(limit.timeoutMs);
      return work();
    };
    type Limit = { readonly timeoutMs: number };
    const cluster = {
      nodeId: 1,
      isLeader: this.isLeader,
      readIndex: (limit: Limit) => step("barrier", () => this.barrier(), limit),
    };
    const membership = {
      members: () => this.members,
      transfer: (_to: undefined, limit: Limit) => step("transfer", async () => {}, limit),
      remove: (_nodeId: number, limit: Limit) => step("remove", () => this.remove(), limit),
    };
    const runtime = {
      drain: () => step("drain", () => this.drain()),
      resume: () => step("resume", async () => {}),
    };
    return new Departure({
      cluster: cluster as unknown as WorkflowCluster,
      membership: membership as unknown as Membership,
      runtime: runtime as unknown as WorkflowRuntime,
      clock: platformClock,
      logger: silentLogger,
    });
  }
}

let setting: Setting;
beforeEach(() => {
  setting = new Setting();
});
afterEach(() => void vi.useRealTimers());

test("D3: a leader hands over leadership, then runs, then goes", async () => {
  setting.isLeader = true;
  const departure = setting.departure();
  await departure.leave({ timeoutMs: 1000 });
  expect(await departure.left).toBe("left");
  expect(setting.done).toEqual(["barrier", "transfer", "drain", "remove"]);
});

test("D3: without a quorum nothing is handed over", async () => {
  setting.barrier = () => Promise.reject(noLeader());
  const departure = setting.departure();
  await expect(departure.leave({ timeoutMs: 1000 })).rejects.toMatchObject({ code: "NO_LEADER" });
  expect(setting.done).toEqual(["barrier"]);
  expect(departure.isLeaving).toBe(false);
});

test("D3: a node whose removal failed executes again, and can leave later", async () => {
  const { remove } = setting;
  setting.remove = () => Promise.reject(noLeader());
  const departure = setting.departure();
  await expect(departure.leave({ timeoutMs: 1000 })).rejects.toMatchObject({ code: "NO_LEADER" });
  expect(setting.done).toEqual(["barrier", "drain", "remove", "resume"]);
  setting.remove = remove;
  await departure.leave({ timeoutMs: 1000 });
  expect(await departure.left).toBe("left");
});

test("D3: a removal whose answer was lost is one", async () => {
  const { remove } = setting;
  setting.remove = async () => {
    await remove();
    throw noLeader();
  };
  const departure = setting.departure();
  await departure.leave({ timeoutMs: 1000 });
  expect(setting.done).not.toContain("resume");
});

test("D4: a drain that hangs leaves time for the removal, within the time of the call", async () => {
  vi.useFakeTimers();
  setting.drain = () => new Promise(() => {});
  const departure = setting.departure();
  const leaving = departure.leave({ timeoutMs: 1000 });
  await vi.advanceTimersByTimeAsync(750);
  await leaving;
  expect(setting.timeouts).toEqual([1000, 250]);
});
