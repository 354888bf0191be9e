/**
 * Runs in a queue with limits. By the times of the log, never more of them are between their first record and their end than the limits allow, also not while owners and leaders are
 * replaced; and all of them come to their end (P22 of finding.ts).
 */
import { workflow } from "@raftoral/workflow";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../../workflows/finding.ts";
import type { Below } from "../../workflows/program/draw-program.ts";
import { type Act, numberOf, pause, type ScenarioKind, type Stage, textOf } from "../scenario.ts";

const LIMITS = { concurrency: 2, perKey: 1 };
const KEYS = ["ada", "bob", "cleo", "dan"] as const;
const FOCUS = "job-0";

const job = workflow("job", { version: 1 }, async (ctx, ms: number) => {
  await ctx.step("begin", () => ctx.nodeId);
  await ctx.sleep(ms);
  await ctx.step("end", () => ctx.nodeId);
});

function draw(below: Below): readonly Act[] {
  return Array.from({ length: 6 + below(6) }, (_, at): Act => {
    if (at > 0 && below(8) === 0) return { do: "cancel", nth: below(at), afterMs: below(1_000) };
    return {
      do: "start",
      key: KEYS[below(KEYS.length)] ?? "ada",
      ms: 50 + below(3_000),
      priority: below(3),
      afterMs: below(3) === 0 ? below(2_000) : 0,
    };
  });
}

/** When a run had its place, by the time of the log: a part of the time for which it had it. */
interface Stay {
  readonly runId: string;
  readonly key: string;
  readonly beginMs: number;
  readonly endMs: number;
}

/** The most of `stays` at once, and which they were. */
function mostAtOnce(stays: readonly Stay[]): readonly Stay[] {
  let most: readonly Stay[] = [];
  for (const { beginMs } of stays) {
    // The same millisecond may be the end of one and the beginning of the other.
    const there = stays.filter((one) => one.beginMs <= beginMs && beginMs < one.endMs);
    if (there.length > most.length) most = there;
  }
  return most;
}

async function staysOf(cluster: TestCluster, started: ReadonlyMap<string, Act>): Promise<readonly Stay[]> {
  const stays: Stay[] = [];
  for (const [runId, act] of started) {
    const { records, outcome } = await cluster.workflows.exportHistory(runId);
    const [first] = records;
    // A run that was cancelled before its turn.
    if (first === undefined || outcome.status === "running") continue;
    stays.push({ runId, key: textOf(act, "key"), beginMs: first.recordedAtMs, endMs: outcome.endedAtMs });
  }
  return stays;
}

function stage(acts: readonly Act[]): Stage {
  const play = async (cluster: TestCluster): Promise<readonly ProgramFinding[]> => {
    const { workflows } = cluster;
    await workflows.queues.define("jobs", LIMITS);
    const started = new Map<string, Act>();
    const cancelled = new Set<string>();
    for (const act of acts) {
      await pause(cluster, numberOf(act, "afterMs"));
      if (act.do === "start") {
        const runId = `job-${started.size}`;
        const key = textOf(act, "key");
        started.set(runId, act);
        await workflows.start(job, numberOf(act, "ms"), {
          runId,
          queue: "jobs",
          key,
          priority: numberOf(act, "priority"),
        });
        continue;
      }
      const runId = `job-${numberOf(act, "nth") % Math.max(1, started.size)}`;
      cancelled.add(runId);
      // It may have ended by then.
      await workflows.cancel(runId).catch(() => {});
    }
    const problems: string[] = [];
    for (const runId of started.keys()) {
      const { status } = await workflows.wait(runId);
      if (status !== "completed" && !(status === "cancelled" && cancelled.has(runId)))
        problems.push(`run ${runId} is ${status}`);
    }
    const stays = await staysOf(cluster, started);
    const bound = (what: string, own: readonly Stay[], limit: number): void => {
      const most = mostAtOnce(own);
      if (most.length <= limit) return;
      const which = most.map(({ runId, beginMs, endMs }) => `${runId} from ${beginMs} to ${endMs}`).join(", ");
      problems.push(`${most.length} runs ${what} at once, not ${limit}: ${which}`);
    };
    bound("of the queue", stays, LIMITS.concurrency);
    for (const [key, own] of Map.groupBy(stays, (one) => one.key)) bound(`with key ${key}`, own, LIMITS.perKey);
    const { waiting = 0, running = 0 } = (await workflows.queues.get("jobs")) ?? {};
    if (waiting + running > 0)
      problems.push(`the queue has ${waiting} runs that wait and ${running} that run, and all have ended`);
    return problems.map((message) => ({ invariant: "within-limits", message }));
  };
  return { workflows: [job], play };
}

export const QUEUES: ScenarioKind = { name: "queues", focus: FOCUS, spares: ["cancel"], draw, stage };
