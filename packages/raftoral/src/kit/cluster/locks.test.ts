// @module-tag slow
import { workflow } from "@raftoral/workflow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

/** Who is within the lock, as an outside system sees it. */
class Room {
  /** By token: what a killed process did goes on under its token. */
  readonly inside = new Map<number, string>();
  readonly problems: string[] = [];
  #highest = 0;

  enter(who: string, token: number, permits: number): void {
    this.inside.set(token, who);
    if (this.inside.size > permits) this.problems.push(`${this.inside.size} are in: ${[...this.inside.values()]}`);
    if (permits === 1 && token < this.#highest) this.problems.push(`token ${token} comes after ${this.#highest}`);
    this.#highest = Math.max(this.#highest, token);
  }

  leave(token: number): void {
    this.inside.delete(token);
  }
}

const step = fc.record({
  kind: fc.constantFrom("start", "start", "start", "service", "wait", "wait", "kill", "leader", "cancel", "terminate"),
  pick: fc.nat({ max: 100 }),
  ms: fc.integer({ min: 10, max: 3_000 }),
});

test.each([1, 2])(
  "at most %i hold a lock at once, whatever dies, and all of them get it",
  { timeout: 120_000 },
  async (permits) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        const room = new Room();
        const visit = workflow("visit", { version: 1 }, async (ctx, ms: number) =>
          ctx.semaphore("room", permits, async (inner, { token }) => {
            await inner.step("enter", () => room.enter(ctx.runId, token, permits));
            await inner.sleep(ms);
            await inner.step("leave", () => room.leave(token));
            return token;
          }),
        );
        await using cluster = await TestCluster.start({ nodes: 3, workflows: [visit] });
        const { workflows, locks } = cluster;
        const started: string[] = [];
        const drop = async (runId: string): Promise<void> => {
          const held = (await workflows.describe(runId)).locks.find(({ token }) => token !== undefined)?.token;
          if (held !== undefined) room.leave(held);
        };
        for (const { kind, pick, ms } of steps) {
          const one = started[pick % Math.max(1, started.length)];
          if (kind === "start") {
            const runId = `visit-${started.length}`;
            await workflows.start(visit, ms, { runId });
            started.push(runId);
          } else if (kind === "service") {
            const lock = await locks.tryAcquire("room", { permits, leaseMs: 60_000 });
            if (lock === undefined) continue;
            room.enter("service", lock.token, permits);
            await cluster.time.advance(`${ms}ms`);
            expect(lock.signal.aborted).toBe(false);
            room.leave(lock.token);
            await lock.release();
          } else if (kind === "kill" || kind === "leader") {
            const up = cluster.nodes.filter(({ status }) => status === "up").map(({ nodeId }) => nodeId);
            const victim = kind === "leader" ? cluster.leader?.nodeId : up[pick % Math.max(1, up.length)];
            if (victim === undefined || up.length < 3) continue;
            cluster.kill(victim);
            await cluster.time.advance(`${ms}ms`);
            await cluster.startNode(victim);
          } else if (kind === "terminate" && one !== undefined) {
            await drop(one);
            await workflows.terminate(one).catch(() => {});
          } else if (kind === "wait") await cluster.time.advance(`${ms}ms`);
        }
        cluster.time.release();
        for (const runId of started) await workflows.wait(runId);
        expect(room.problems).toEqual([]);
        expect(await locks.get("room")).toBeUndefined();
      }),
      { numRuns: 15 },
    );
  },
);

test("a lease is renewed on virtual time, and lost when the cluster is out of reach", async () => {
  const idle = workflow("idle", { version: 1 }, async () => {});
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [idle] });
  const lock = await cluster.locks.acquire("l", { leaseMs: 5_000 });
  await cluster.time.advance("1m");
  expect(lock.signal.aborted).toBe(false);
  expect((await cluster.locks.get("l"))?.holders).toMatchObject([{ token: lock.token }]);
  for (const { nodeId } of cluster.nodes) cluster.kill(nodeId);
  await cluster.time.advance("6s");
  expect(lock.signal.reason).toMatchObject({ code: "LOCK_LOST" });
  for (const { nodeId } of cluster.nodes) await cluster.startNode(nodeId);
  cluster.time.release();
  const next = await cluster.locks.acquire("l");
  expect(next.token).toBeGreaterThan(lock.token);
  await next.release();
});
