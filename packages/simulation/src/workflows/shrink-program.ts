/** Makes a program and its plan small, as long as the same invariant breaks: fewer disturbances, then fewer actions. */
import type { Plan } from "./plans.ts";
import { type Action, children, type Program } from "./program/program.ts";
import { type FoundInProgram, type RunningPrograms, runPlans } from "./run-programs.ts";

/** The smallest that was found, and the runs that it took. */
export interface Shrunk {
  readonly found: FoundInProgram;
  readonly runs: number;
}

/** Leaves things out one after the other, in at most `maxRuns` runs. */
export async function shrinkProgram(
  found: FoundInProgram,
  maxRuns: number,
  running: RunningPrograms = {},
): Promise<Shrunk> {
  let best = found;
  let runs = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const [program, plan] of candidates(best)) {
      if (runs === maxRuns) return { found: best, runs };
      runs += 1;
      const result = await runPlans({ ...running, seed: 0, program }, () => [plan]);
      if (result.found?.finding.invariant !== found.finding.invariant) continue;
      best = result.found;
      isSmaller = true;
      break;
    }
  }
  return { found: best, runs };
}

/** Whatever is one step smaller. */
function* candidates({ program, plan }: FoundInProgram): Generator<readonly [Program, Plan]> {
  const parts = plan.plan.split("; ");
  for (const left of parts) {
    if (parts.length > 1) yield [program, { ...plan, plan: parts.filter((part) => part !== left).join("; ") }];
  }
  if (plan.snapshots) yield [program, { ...plan, snapshots: false }];
  if (plan.isRemote === true) yield [program, { ...plan, isRemote: false }];
  if (program.generations > 1) yield [{ ...program, generations: 1 }, plan];
  if (program.cancelling !== undefined) yield [{ ...program, cancelling: undefined }, plan];
  for (const body of smallerActions(program.body)) yield [{ ...program, body }, plan];
  for (const left of program.notings ?? []) {
    yield [{ ...program, notings: program.notings?.filter((one) => one !== left) ?? [] }, plan];
  }
  for (const left of program.sendings) {
    yield [{ ...program, sendings: program.sendings.filter((one) => one !== left) }, plan];
  }
}

/** An action with one action in it left out, put in the place of what it is a part of, or made simpler. */
function* smallerActions(action: Action): Generator<Action> {
  if (action.do !== "sequence" || action.actions.length === 1) yield* children(action);
  switch (action.do) {
    case "sequence":
      for (const actions of smallerLists(action.actions)) yield { ...action, actions };
      return;
    case "all":
    case "race":
    case "any":
    case "allSettled":
    case "contest":
      for (const branches of smallerLists(action.branches)) yield { ...action, branches };
      return;
    case "loop":
      if (action.times > 1) yield { ...action, times: 1 };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "map":
      if (action.items > 1) yield { ...action, items: 1 };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "scope":
      if (action.concurrency !== undefined) yield { ...action, concurrency: undefined };
      if (action.timeoutMs !== undefined) yield { ...action, timeoutMs: undefined };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "abort":
    case "shield":
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "condition":
      if (action.timeoutMs !== undefined) yield { ...action, timeoutMs: undefined };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "saga":
      if (action.bookings > 0) yield { ...action, bookings: action.bookings - 1 };
      if (action.undoFailures > 0) yield { ...action, undoFailures: 0 };
      if (action.fails) yield { ...action, fails: false };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      return;
    case "patched":
      for (const before of smallerActions(action.before)) yield { ...action, before };
      for (const now of smallerActions(action.now)) yield { ...action, now };
      return;
    case "try":
      if (action.caught !== undefined) yield { ...action, caught: undefined };
      if (action.finally !== undefined) yield { ...action, finally: undefined };
      for (const body of smallerActions(action.body)) yield { ...action, body };
      for (const caught of optional(action.caught)) yield { ...action, caught };
      for (const last of optional(action.finally)) yield { ...action, finally: last };
      return;
    case "step":
      if (action.beats) yield { ...action, beats: false };
      if (action.attempts > 1) yield { ...action, attempts: 1, failures: 0, hangs: false };
      return;
    case "token":
      if (action.answerAfterMs > 0) yield { ...action, answerAfterMs: 0 };
      return;
    case "child":
      if (action.ms > 0) yield { ...action, ms: 0 };
      if (action.fails) yield { ...action, fails: false };
      return;
    case "variable":
      if (action.sets > 0) yield { ...action, sets: 0 };
      return;
    default:
      return;
  }
}

function optional(action: Action | undefined): Iterable<Action> {
  return action === undefined ? [] : smallerActions(action);
}

function* smallerLists(actions: readonly Action[]): Generator<readonly Action[]> {
  for (let at = 0; actions.length > 1 && at < actions.length; at++) yield actions.toSpliced(at, 1);
  for (const [at, action] of actions.entries()) {
    for (const smaller of smallerActions(action)) yield actions.with(at, smaller);
  }
}
