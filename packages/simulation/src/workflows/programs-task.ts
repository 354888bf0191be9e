/** What a thread is asked to do with random programs: run some seeds, or make one finding small and tell it. */
import type { ManyFinding, ManyTask } from "../command/many.ts";
import { addTo } from "../command/totals.ts";
import {
  type FoundInScenario,
  runScenarioSeed,
  scenarioLines,
  scenarioOf,
  shrinkScenario,
} from "../scenarios/run-scenarios.ts";
import { planText } from "./plans.ts";
import { isExact } from "./program/exactness.ts";
import { programLines } from "./program/program.ts";
import { type FoundInProgram, programOf, type RunningPrograms, runProgramSeed } from "./run-programs.ts";
import { shrinkProgram } from "./shrink-program.ts";

/** What many seeds of random programs add up to. */
export interface ProgramSums {
  readonly runs: number;
  /** Programs whose end follows from the program alone. */
  readonly exact: number;
  /** Runs of programs, undisturbed ones included. */
  readonly trials: number;
  readonly bodies: number;
  readonly stepCalls: number;
  readonly virtualMs: number;
  /** How often a program was run with a disturbance of each kind. */
  readonly disturbances: ReadonlyMap<string, number>;
  readonly findings: readonly ManyFinding[];
}

/** Runs that may be spent on making a finding small. */
const MAX_SHRINK_RUNS = 300;

/** Runs `count` seeds from `start`. Resolves with the sums of these runs. `tell` hears of each run before it begins. */
export async function carryOutProgramsTask(
  { start, count, ignore, isToTell }: ManyTask,
  tell?: (run: string) => void,
): Promise<ProgramSums> {
  const running = { ignore, ...(tell === undefined ? {} : { tell }) };
  const disturbances = new Map<string, number>();
  const findings: ManyFinding[] = [];
  let [exact, trials, bodies, stepCalls, virtualMs] = [0, 0, 0, 0, 0];
  for (let seed = start; seed < start + count; seed++) {
    const scenario = scenarioOf(seed);
    const result =
      scenario === undefined ? await runProgramSeed(seed, running) : await runScenarioSeed(seed, scenario, running);
    if (scenario === undefined && seed > 0 && isExact(programOf(seed))) exact += 1;
    trials += result.trials.length;
    for (const { trial, plan } of result.trials) {
      bodies += trial.bodies;
      stepCalls += trial.stepCalls;
      virtualMs += trial.virtualMs;
      addTo(disturbances, kindsOf(plan.plan));
    }
    const { found } = result;
    if (found === undefined) continue;
    const { invariant, message } = found.finding;
    findings.push({
      seed,
      invariant,
      message: `${invariant}: ${message}`,
      story: isToTell ? await storyOf(found, running) : [],
    });
  }
  return { runs: count, exact, trials, bodies, stepCalls, virtualMs, disturbances, findings };
}

function kindsOf(plan: string): ReadonlyMap<string, number> {
  const kinds = plan.split("; ").flatMap((part) => (part === "" ? [] : [part.slice(0, part.indexOf("@"))]));
  return new Map([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
}

/** The smallest program and plan that break the same invariant, and what happens then. */
async function storyOf(found: FoundInProgram | FoundInScenario, running: RunningPrograms): Promise<readonly string[]> {
  if ("acts" in found) {
    const { found: least, runs } = await shrinkScenario(found, MAX_SHRINK_RUNS, running);
    return [
      `from ${found.acts.length} acts to ${least.acts.length}, in ${runs} runs`,
      least.finding.message,
      ...scenarioLines(least).map((line) => `  ${line}`),
      `disturbed by ${planText(least.plan)}`,
      ...least.story.map((line) => `  ${line}`),
    ];
  }
  const { found: smallest, runs } = await shrinkProgram(found, MAX_SHRINK_RUNS, running);
  const { program, plan, finding, story } = smallest;
  return [
    `from ${programLines(found.program).length} lines to ${programLines(program).length}, in ${runs} runs`,
    finding.message,
    ...programLines(program).map((line) => `  ${line}`),
    `disturbed by ${planText(plan)}`,
    ...story.map((line) => `  ${line}`),
  ];
}
