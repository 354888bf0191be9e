/** What a thread is asked to do with bare cores: run some seeds, or make one finding small. */
import type { ManyFinding, ManyTask } from "../command/many.ts";
import { smallest } from "../command/smallest.ts";
import type { Action } from "./action.ts";
import { type CoreResult, runCore } from "./run-core.ts";

/** What many runs add up to. */
export interface CoreSums {
  readonly runs: number;
  readonly actions: number;
  readonly messages: number;
  readonly committed: number;
  readonly checks: number;
  readonly rare: ReadonlyMap<string, number>;
  readonly findings: readonly ManyFinding[];
}

/** Runs that may be spent on making a finding small. */
const MAX_SHRINK_RUNS = 3_000;

/** Runs `count` seeds from `start`. Resolves with the sums of these runs. With `isToTell` a finding comes with its shortest story. */
export async function carryOutCoreTask({ start, count, ignore, isToTell }: ManyTask): Promise<CoreSums> {
  const sums = { runs: 0, actions: 0, messages: 0, committed: 0, checks: 0 };
  const rare = new Map<string, number>();
  const findings: ManyFinding[] = [];
  for (let seed = start; seed < start + count; seed++) {
    const result = runCore({ seed, ignore });
    sums.runs++;
    sums.actions += result.actions.length;
    sums.messages += result.messages;
    sums.committed += result.committed;
    sums.checks += result.checks;
    for (const [state, times] of result.rare) rare.set(state, (rare.get(state) ?? 0) + times);
    if (result.finding === undefined) continue;
    const { invariant, message } = result.finding;
    findings.push({ seed, invariant, message, story: isToTell ? await storyOf(result, ignore) : [] });
  }
  return { ...sums, rare, findings };
}

/** The shortest way to the same finding that is found, as text. */
async function storyOf(failed: CoreResult, ignore: readonly string[]): Promise<readonly string[]> {
  const { seed, finding } = failed;
  const attempt = async (actions: readonly Action[]): Promise<readonly Action[] | undefined> => {
    const result = runCore({ seed, ignore, actions });
    return result.finding?.invariant === finding?.invariant ? result.actions : undefined;
  };
  const { items, runs } = await smallest(failed.actions, attempt, MAX_SHRINK_RUNS);
  const lines: string[] = [`from ${failed.actions.length} actions to ${items.length}, in ${runs} runs`];
  const told = runCore({ seed, ignore, actions: items, tell: (line) => lines.push(line) });
  lines.push(told.finding?.message ?? "nothing was found");
  return lines;
}
