// @module-tag slow
import { workflow } from "@raftoral/workflow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const KEYS = ["ada", "bob", "cleo"];
const LIMITS = { concurrency: 4, perKey: 2, perNode: 2 };

interface Job {
  readonly key: string;
  readonly ms: number;
}

/** Runs under way, by the process that executes them: what a killed process did ends with it. */
class Floor {
  readonly #jobs = new Map<string, Job & { readonly process: string }>();
  readonly problems: string[] = [];

  begin(runId: string, process: string, job: Job): void {
    this.#jobs.set(runId, { ...job, process });
    const all = [...this.#jobs.values()];
    const count = (what: string, jobs: readonly Job[], limit: number): void => {
      if (jobs.length > limit) this.problems.push(`${jobs.length} jobs ${what}, not ${limit}`);
    };
    count("at once", all, LIMITS.concurrency);
    count(
      `of ${job.key}`,
      all.filter(({ key }) => key === job.key),
      LIMITS.perKey,
    );
    count(
      `on ${process}`,
      all.filter((other) => other.process === process),
      LIMITS.perNode,
    );
  }

  end(runId: string, process: string): void {
    if (this.#jobs.get(runId)?.process === process) this.#jobs.delete(runId);
  }

  died(nodeId: number): void {
    for (const [runId, { process }] of this.#jobs) if (process === String(nodeId)) this.#jobs.delete(runId);
  }
}

const step = fc.record({
  kind: fc.constantFrom("start", "start", "start", "wait", "wait", "kill", "leader", "cancel", "pause"),
  pick: fc.nat({ max: 100 }),
  ms: fc.integer({ min: 10, max: 3_000 }),
});

test("as many runs of a queue are executed at once as may be at most, whatever dies, and all of them are", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 35 }), async (steps) => {
      const floor = new Floor();
      const job = workflow("job", { version: 1 }, async (ctx, given: Job) => {
        await ctx
          .step(
            "work",
            async (each) => {
              floor.begin(ctx.runId, String(ctx.nodeId), given);
              await new Promise((resolve) => each.signal.addEventListener("abort", resolve, { once: true }));
              floor.end(ctx.runId, String(ctx.nodeId));
            },
            { timeout: given.ms, retry: false },
          )
          .catch(() => floor.end(ctx.runId, String(ctx.nodeId)));
        return given.key;
      });
      await using cluster = await TestCluster.start({ nodes: 3, workflows: [job] });
      const { workflows } = cluster;
      await workflows.queues.define("jobs", LIMITS);
      const started: string[] = [];
      for (const { kind, pick, ms } of steps) {
        if (kind === "start") {
          const runId = `job-${started.length}`;
          const key = KEYS[pick % KEYS.length] ?? "ada";
          await workflows.start(job, { key, ms }, { runId, queue: "jobs", key, priority: pick % 3 });
          started.push(runId);
        } else if (kind === "kill" || kind === "leader") {
          const up = cluster.nodes.filter(({ status }) => status === "up").map(({ nodeId }) => nodeId);
          const one = kind === "leader" ? cluster.leader?.nodeId : up[pick % Math.max(1, up.length)];
          if (one === undefined || up.length < 3) continue;
          cluster.kill(one);
          floor.died(one);
          await cluster.time.advance(`${ms}ms`);
          await cluster.startNode(one);
        } else if (kind === "cancel" && started.length > 0) {
          await workflows.cancel(started[pick % started.length] ?? "").catch(() => {});
        } else if (kind === "pause") {
          await workflows.queues.pause("jobs");
          await cluster.time.advance(`${ms}ms`);
          await workflows.queues.resume("jobs");
        } else await cluster.time.advance(`${ms}ms`);
      }
      cluster.time.release();
      for (const runId of started) {
        const ended = await workflows.wait(runId);
        expect(["completed", "cancelled"]).toContain(ended.status);
      }
      expect(floor.problems).toEqual([]);
      expect(await workflows.queues.get("jobs")).toMatchObject({ waiting: 0, running: 0 });
    }),
    { numRuns: 25 },
  );
});
