/** What a thread is asked to do with forged messages: run some seeds, or make one finding small. */

import { type Message, message } from "@raftoral/raft-core/core";
import type { ManyFinding, ManyTask } from "../command/many.ts";
import { smallest } from "../command/smallest.ts";
import { addTo } from "../command/totals.ts";
import type { Action } from "../core/action.ts";
import { type ForgedResult, runForged } from "./run-forged.ts";

/** What many runs add up to. */
export interface ForgedSums {
  readonly runs: number;
  readonly actions: number;
  readonly fates: ReadonlyMap<string, number>;
  readonly states: ReadonlyMap<string, number>;
  /** The most messages that any exchange took without a tick, in hundredths of what it may take. */
  readonly highWater: number;
  readonly findings: readonly ManyFinding[];
}

/** Runs that may be spent on making a finding small. */
const MAX_SHRINK_RUNS = 2_000;

/** Runs `count` seeds from `start`. Resolves with the sums of these runs. */
export async function carryOutForgedTask({ start, count, isToTell }: ManyTask): Promise<ForgedSums> {
  const fates = new Map<string, number>();
  const states = new Map<string, number>();
  const findings: ManyFinding[] = [];
  let actions = 0;
  let highWater = 0;
  for (let seed = start; seed < start + count; seed++) {
    const result = runForged({ seed });
    actions += result.actions.length;
    addTo(fates, result.fates);
    addTo(states, result.states);
    highWater = Math.max(highWater, result.highWater);
    if (result.finding === undefined) continue;
    const { invariant, message: text } = result.finding;
    findings.push({ seed, invariant, message: text, story: isToTell ? await storyOf(result) : [] });
  }
  return { runs: count, actions, fates, states, highWater, findings };
}

/** The shortest way that is found to the same finding, as text: few actions, and a message of few fields. */
async function storyOf(failed: ForgedResult): Promise<readonly string[]> {
  const { seed, forgery } = failed;
  if (forgery === undefined) return ["found before anything was forged: npm run simulate -- --core looks for that"];
  const { at } = forgery;
  const leadsToIt = (actions: readonly Action[], forged: Message): ForgedResult | undefined => {
    const result = runForged({ seed, actions, forgery: { at, message: forged } });
    return sameFinding(result, failed) ? result : undefined;
  };
  const attempt = async (actions: readonly Action[]) => leadsToIt(actions, forgery.message)?.actions;
  if ((await attempt(failed.actions)) === undefined) return ["it takes more than the last of the forged messages"];
  const { items, runs } = await smallest(failed.actions, attempt, MAX_SHRINK_RUNS);
  const forged = withFewFields(forgery.message, (simpler) => leadsToIt(items, simpler) !== undefined);
  const lines: string[] = [`from ${failed.actions.length} actions to ${items.length}, in ${runs} runs`];
  const tell = (line: string): unknown => lines.push(line);
  const told = runForged({ seed, actions: items, forgery: { at, message: forged }, tell });
  lines.push(told.finding?.message ?? "nothing was found");
  return lines;
}

/** The message with every field left out that is not needed. */
function withFewFields(forged: Message, stillFinds: (simpler: Message) => boolean): Message {
  const blank = message({ type: forged.type });
  let best = forged;
  for (const field of Object.keys(blank) as (keyof Message)[]) {
    const simpler = { ...best, [field]: blank[field] };
    if (field !== "type" && stillFinds(simpler)) best = simpler;
  }
  return best;
}

/** The same but for the numbers in it. */
function sameFinding(a: ForgedResult, b: ForgedResult): boolean {
  return withoutNumbers(a) === withoutNumbers(b);
}

function withoutNumbers({ finding }: ForgedResult): string | undefined {
  return finding?.message.replace(/\d+/g, "0");
}
