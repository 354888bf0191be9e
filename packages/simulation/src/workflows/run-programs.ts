/**
 * One seed of random programs: a program that is drawn from it, run undisturbed, and then under disturbances.
 *
 * Every tenth seed, the first one among them, disturbs its program once at every place in the log; the others take random plans. Seed 0 is the fixed set
 * (fixed-programs.ts). Every fifth seed has nodes that encrypt every value, and must come to the same end as without.
 */
import { seededRng } from "@raftoral/raft-core";
import type { ProgramFinding } from "./finding.ts";
import { FIXED_PROGRAMS } from "./fixed-programs.ts";
import { CROWDED, deploys, drawPlan, type Plan, plansForEveryPlace, planText, UNDISTURBED } from "./plans.ts";
import { drawProgram } from "./program/draw-program.ts";
import { every, type Program } from "./program/program.ts";
import { type Trial, tryProgram } from "./trial.ts";

/** A finding, and what led to it. */
export interface FoundInProgram {
  readonly finding: ProgramFinding;
  readonly program: Program;
  readonly plan: Plan;
  readonly story: readonly string[];
}

/** What one seed came to. */
export interface ProgramResult {
  readonly seed: number;
  readonly found: FoundInProgram | undefined;
  readonly trials: readonly TriedPlan[];
}

/** One run of a program. */
export interface TriedPlan {
  readonly plan: Plan;
  readonly trial: Trial;
}

const RANDOM_PLANS = 4;
const EVERY_PLACE_EVERY = 10;
const CROWDED_EVERY = 3;
/** So many seeds apart, nodes encrypt every value. */
const CODED_EVERY = 5;

/** The program of a seed. */
export function programOf(seed: number): Program {
  const rng = seededRng(seed);
  return drawProgram((bound) => rng.below(bound));
}

/** How programs are run. */
export interface RunningPrograms {
  /** Invariants that are not held. */
  readonly ignore?: readonly string[];
  /** Told of each run before it begins. */
  readonly tell?: (run: string) => void;
}

/** Runs the program of a seed with all of its plans, up to the first finding. */
export async function runProgramSeed(seed: number, running: RunningPrograms = {}): Promise<ProgramResult> {
  if (seed === 0) return await runFixed(running);
  const program = programOf(seed);
  const isPatched = !every(program.body, (action) => action.do !== "patched");
  return await runPlans({ ...running, seed, program }, (undisturbed) => {
    const plans = plansOf(seed, undisturbed);
    const all = isPatched ? [...plans, ...deploys(undisturbed.commits)] : plans;
    return seed % CODED_EVERY === 2 ? [UNDISTURBED, ...all].map((plan) => ({ ...plan, isCoded: true })) : all;
  });
}

async function runFixed(running: RunningPrograms): Promise<ProgramResult> {
  const trials: TriedPlan[] = [];
  for (const { program, plans } of FIXED_PROGRAMS) {
    const result = await runPlans({ ...running, seed: 0, program }, () => plans);
    trials.push(...result.trials);
    if (result.found !== undefined) return { ...result, trials };
  }
  return { seed: 0, found: undefined, trials };
}

/** A program to run. */
export interface Subject extends RunningPrograms {
  readonly seed: number;
  readonly program: Program;
}

/** Runs a program undisturbed and with each of `plans`, up to the first finding. */
export async function runPlans(
  { seed, program, ignore = [], tell = () => {} }: Subject,
  plans: (undisturbed: Trial) => readonly Plan[],
): Promise<ProgramResult> {
  tell(`seed ${seed}, undisturbed`);
  const undisturbed = await tryProgram({ program, plan: UNDISTURBED, ignore });
  const trials: TriedPlan[] = [{ plan: UNDISTURBED, trial: undisturbed }];
  if (undisturbed.finding !== undefined) return { seed, found: foundIn(program, UNDISTURBED, undisturbed), trials };
  for (const plan of plans(undisturbed)) {
    tell(`seed ${seed}, disturbed by ${planText(plan)}`);
    const trial = await tryProgram({ program, plan, ignore, undisturbed });
    trials.push({ plan, trial });
    if (trial.finding !== undefined) return { seed, found: foundIn(program, plan, trial), trials };
  }
  return { seed, found: undefined, trials };
}

function plansOf(seed: number, undisturbed: Trial): readonly Plan[] {
  if (seed % EVERY_PLACE_EVERY === 1) return plansForEveryPlace(undisturbed.commits);
  // Not that of the program: leaving a part of a program out must not change what disturbs it.
  const rng = seededRng(seed + 1_000_000_007);
  const plans = Array.from({ length: RANDOM_PLANS }, () => drawPlan((bound) => rng.below(bound), undisturbed));
  return seed % CROWDED_EVERY === 0 ? [...plans, CROWDED] : plans;
}

function foundIn(program: Program, plan: Plan, { finding, story }: Trial): FoundInProgram | undefined {
  return finding === undefined ? undefined : { finding, program, plan, story };
}
