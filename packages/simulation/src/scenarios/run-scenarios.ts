/** One seed of a scenario: acts that are drawn from it, carried out undisturbed, and then under disturbances. */
import { seededRng } from "@raftoral/raft-core";
import { DISTURBANCE_KINDS } from "raftoral/testing";
import type { ProgramFinding } from "../workflows/finding.ts";
import { drawPlan, type Plan, planText, UNDISTURBED } from "../workflows/plans.ts";
import type { Trial } from "../workflows/trial.ts";
import { MENDING } from "./kinds/mending.ts";
import { OBJECTS } from "./kinds/objects.ts";
import { QUEUES } from "./kinds/queues.ts";
import { STREAMS } from "./kinds/streams.ts";
import { TIMES } from "./kinds/times.ts";
import { type Act, actLine, type ScenarioKind } from "./scenario.ts";
import { tryScenario } from "./try-scenario.ts";

export const KINDS: readonly ScenarioKind[] = [OBJECTS, STREAMS, QUEUES, TIMES, MENDING];
/** One seed of so many is a scenario; the others are programs. */
const SCENARIO_EVERY = 8;
const FIRST_SEED = 2;
const RANDOM_PLANS = 4;

/** A finding in a scenario, and what led to it. */
export interface FoundInScenario {
  readonly finding: ProgramFinding;
  readonly kind: ScenarioKind;
  readonly acts: readonly Act[];
  readonly plan: Plan;
  readonly story: readonly string[];
}

/** What one seed came to. */
export interface ScenarioResult {
  readonly seed: number;
  readonly found: FoundInScenario | undefined;
  readonly trials: readonly { readonly plan: Plan; readonly trial: Trial }[];
}

/** The scenario of a seed; undefined for a seed of programs. */
export function scenarioOf(seed: number): { readonly kind: ScenarioKind; readonly acts: readonly Act[] } | undefined {
  if (seed % SCENARIO_EVERY !== FIRST_SEED) return undefined;
  const kind = KINDS[Math.floor(seed / SCENARIO_EVERY) % KINDS.length];
  if (kind === undefined) return undefined;
  const rng = seededRng(seed);
  return { kind, acts: kind.draw((bound) => rng.below(bound)) };
}

/** Lines for people. */
export function scenarioLines({
  kind,
  acts,
}: {
  readonly kind: ScenarioKind;
  readonly acts: readonly Act[];
}): readonly string[] {
  return [`${kind.name}, disturbed by the moments of run ${kind.focus}`, ...acts.map(actLine)];
}

/** What is carried out. */
export interface RunningScenarios {
  readonly ignore?: readonly string[];
  readonly tell?: (run: string) => void;
}

/** Carries a scenario out undisturbed and with each of `plans`, up to the first finding. */
export async function runScenario(
  {
    seed,
    kind,
    acts,
    ignore = [],
    tell = () => {},
  }: RunningScenarios & { readonly seed: number; readonly kind: ScenarioKind; readonly acts: readonly Act[] },
  plans: (undisturbed: Trial) => readonly Plan[],
): Promise<ScenarioResult> {
  const trials: { plan: Plan; trial: Trial }[] = [];
  const carryOut = async (plan: Plan): Promise<FoundInScenario | undefined> => {
    tell(`seed ${seed}, ${kind.name} disturbed by ${planText(plan)}`);
    const trial = await tryScenario({ kind, acts, plan, ignore });
    trials.push({ plan, trial });
    const { finding, story } = trial;
    return finding === undefined ? undefined : { finding, kind, acts, plan, story };
  };
  let found = await carryOut(UNDISTURBED);
  const undisturbed = trials[0]?.trial;
  if (found !== undefined || undisturbed === undefined) return { seed, found, trials };
  for (const plan of plans(undisturbed)) {
    found = await carryOut(plan);
    if (found !== undefined) break;
  }
  return { seed, found, trials };
}

/** Carries the scenario of a seed out. */
export function runScenarioSeed(
  seed: number,
  scenario: { readonly kind: ScenarioKind; readonly acts: readonly Act[] },
  running: RunningScenarios,
): Promise<ScenarioResult> {
  const rng = seededRng(seed + 1_000_000_007);
  const kinds = DISTURBANCE_KINDS.filter((kind) => !scenario.kind.spares.includes(kind));
  return runScenario({ ...running, ...scenario, seed }, (undisturbed) =>
    Array.from({ length: RANDOM_PLANS }, () => drawPlan((bound) => rng.below(bound), undisturbed, kinds)),
  );
}

/** Leaves acts and disturbances out as long as the same invariant breaks, in at most `maxRuns` runs. */
export async function shrinkScenario(
  found: FoundInScenario,
  maxRuns: number,
  running: RunningScenarios,
): Promise<{ readonly found: FoundInScenario; readonly runs: number }> {
  let best = found;
  let runs = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const { acts, plan } of smaller(best)) {
      if (runs === maxRuns) return { found: best, runs };
      runs += 1;
      const again = await runScenario({ ...running, seed: 0, kind: best.kind, acts }, () => [plan]);
      if (again.found?.finding.invariant !== found.finding.invariant) continue;
      best = again.found;
      isSmaller = true;
      break;
    }
  }
  return { found: best, runs };
}

function* smaller({ acts, plan }: FoundInScenario): Generator<{ readonly acts: readonly Act[]; readonly plan: Plan }> {
  const parts = plan.plan.split("; ");
  for (const left of parts) {
    if (parts.length > 1) yield { acts, plan: { ...plan, plan: parts.filter((part) => part !== left).join("; ") } };
  }
  if (plan.snapshots) yield { acts, plan: { ...plan, snapshots: false } };
  if (plan.isRemote === true) yield { acts, plan: { ...plan, isRemote: false } };
  for (let at = 0; acts.length > 1 && at < acts.length; at++) yield { acts: acts.toSpliced(at, 1), plan };
}
