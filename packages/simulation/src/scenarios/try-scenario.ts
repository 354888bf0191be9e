/** One carrying out of a scenario on a cluster of its own, with one plan of disturbances. */
import { disturb, TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../workflows/finding.ts";
import type { Plan } from "../workflows/plans.ts";
import { CODEC, findingOf, loggerFor, OTHER_NODE, REAL_WAIT_MS, SNAPSHOTS, type Trial } from "../workflows/trial.ts";
import type { Act, ScenarioKind } from "./scenario.ts";

/** What is tried. */
export interface ScenarioTrial {
  readonly kind: ScenarioKind;
  readonly acts: readonly Act[];
  readonly plan: Plan;
  /** Invariants that are not held. */
  readonly ignore?: readonly string[];
}

/** Carries a scenario out once. Never rejects: what goes wrong is a finding. */
export async function tryScenario({ kind, acts, plan, ignore = [] }: ScenarioTrial): Promise<Trial> {
  const stray: unknown[] = [];
  const onStray = (reason: unknown): unknown => stray.push(reason);
  process.on("unhandledRejection", onStray);
  const findings: ProgramFinding[] = [];
  let cluster: TestCluster | undefined;
  let [come, startedAtMs] = [0, 0];
  try {
    const { workflows, play } = kind.stage(acts);
    cluster = await TestCluster.start({
      workflows,
      realWaitMs: REAL_WAIT_MS,
      logger: loggerFor(findings),
      nodeOptions: {
        ...(plan.isCoded === true ? { payloadCodec: CODEC } : {}),
        ...(plan.snapshots ? { limits: SNAPSHOTS } : {}),
      },
    });
    if (plan.isRemote === true) await cluster.transferLeadership(OTHER_NODE);
    startedAtMs = cluster.time.nowMs;
    const disturbing = disturb(cluster, kind.focus, plan.plan);
    findings.push(...(await play(cluster)));
    await disturbing.finish();
    come = disturbing.come;
  } catch (error) {
    findings.push(findingOf(error));
  }
  await cluster?.stop();
  process.off("unhandledRejection", onStray);
  if (stray.length > 0)
    findings.push({ invariant: "unhandled", message: `rejected, and not handled: ${String(stray[0])}` });
  return {
    finding: findings.find(({ invariant }) => !ignore.includes(invariant)),
    history: undefined,
    come,
    story: cluster?.story ?? [],
    ...(cluster?.counts(kind.focus) ?? { calls: 0, commits: 0 }),
    bodies: cluster?.bodies(kind.focus) ?? 0,
    stepCalls: cluster?.steps.calls().length ?? 0,
    virtualMs: (cluster?.time.nowMs ?? startedAtMs) - startedAtMs,
  };
}
