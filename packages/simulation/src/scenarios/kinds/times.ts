/**
 * A schedule, and runs that begin later, beside a run whose owner is disturbed. Each occurrence has one run, none is missed, and nothing begins before its time (P23 of finding.ts).
 */
import { workflow } from "@raftoral/workflow";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../../workflows/finding.ts";
import type { Below } from "../../workflows/program/draw-program.ts";
import { type Act, numberOf, pause, type ScenarioKind, type Stage } from "../scenario.ts";

const CLOCK = "clock";

/** Its entries are where the disturbances are. */
const clock = workflow("clock", { version: 1 }, async (ctx, ticks: number) => {
  for (let tick = 0; tick < ticks; tick++) {
    await ctx.step("tick", () => tick);
    await ctx.sleep("3s");
  }
});

const errand = workflow("errand", { version: 1 }, async (ctx) => {
  await ctx.step("go", () => ctx.runId);
  await ctx.sleep("1s");
});

function draw(below: Below): readonly Act[] {
  const later = Array.from(
    { length: 2 + below(4) },
    (): Act => ({ do: "start later", delayMs: 1 + below(25_000), afterMs: below(2) === 0 ? 0 : below(3_000) }),
  );
  return [{ do: "clock", ticks: 4 + below(5) }, { do: "schedule", everyMs: 4_000 + 1_000 * below(6) }, ...later];
}

/** Occurrences after `fromMs`, up to `toMs`. */
function occurrences(everyMs: number, fromMs: number, toMs: number): readonly string[] {
  const due: string[] = [];
  for (let at = Math.ceil((fromMs + 1) / everyMs) * everyMs; at <= toMs; at += everyMs)
    due.push(new Date(at).toISOString());
  return due;
}

function stage(acts: readonly Act[]): Stage {
  const play = async (cluster: TestCluster): Promise<readonly ProgramFinding[]> => {
    const { workflows } = cluster;
    const problems: string[] = [];
    const dueMs = new Map<string, number>();
    let [everyMs, beginMs, ticks] = [0, 0, 0];
    for (const act of acts) {
      await pause(cluster, numberOf(act, "afterMs"));
      if (act.do === "clock") {
        ticks = numberOf(act, "ticks");
        await workflows.start(clock, ticks, { runId: CLOCK });
      } else if (act.do === "schedule") {
        everyMs = numberOf(act, "everyMs");
        await workflows.schedules.create("s", { workflow: errand, everyMs, overlap: "allow", catchUp: "all" });
        beginMs = cluster.time.nowMs;
      } else {
        const runId = `later-${dueMs.size}`;
        const atMs = cluster.time.nowMs + numberOf(act, "delayMs");
        dueMs.set(runId, atMs);
        await workflows.start(errand, undefined, { runId, startAt: new Date(atMs) });
      }
    }
    await workflows.wait(CLOCK);
    for (const runId of dueMs.keys()) await workflows.wait(runId);
    // What came while the cluster was down is caught up with.
    await pause(cluster, 2 * everyMs + 10_000);
    await workflows.schedules.pause("s");
    const endMs = cluster.time.nowMs;
    await pause(cluster, 10_000);
    const own = await Array.fromAsync(workflows.list({ workflowType: "errand" }));
    const ofSchedule = own.map(({ runId }) => runId).filter((runId) => runId.startsWith("s/"));
    const due = occurrences(everyMs, beginMs, endMs).map((at) => `s/${at}`);
    const [missing, other] = [
      due.filter((one) => !ofSchedule.includes(one)),
      ofSchedule.filter((one) => !due.includes(one)),
    ];
    // The last one may come in the millisecond of the pause.
    if (missing.some((one) => one !== due.at(-1))) problems.push(`no run for ${missing.join(", ")}`);
    if (other.length > 0) problems.push(`no schedule asked for ${other.join(", ")}`);
    if (new Set(ofSchedule).size !== ofSchedule.length)
      problems.push(`an occurrence has two runs: ${ofSchedule.join(", ")}`);
    for (const { runId, status } of own) {
      if (status !== "completed") problems.push(`run ${runId} is ${status}`);
      const { records } = await workflows.exportHistory(runId);
      const first = records[0]?.recordedAtMs ?? 0;
      const atMs = dueMs.get(runId) ?? Date.parse(runId.slice(2));
      if (first < atMs) problems.push(`run ${runId} began ${atMs - first} ms before its time`);
    }
    for (const runId of dueMs.keys())
      if (!own.some((one) => one.runId === runId)) problems.push(`run ${runId} is not there`);
    return problems.map((message) => ({ invariant: "occurrence-once", message }));
  };
  return { workflows: [clock, errand], play };
}

export const TIMES: ScenarioKind = { name: "times", focus: CLOCK, spares: ["cancel"], draw, stage };
