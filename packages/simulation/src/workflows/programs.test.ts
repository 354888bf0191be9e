// @module-tag slow
import { expect, test } from "vitest";
import { isExact } from "./program/exactness.ts";
import { type Action, children, type Program, programLines } from "./program/program.ts";
import { carryOutProgramsTask } from "./programs-task.ts";
import { programOf, runPlans, runProgramSeed } from "./run-programs.ts";
import { shrinkProgram } from "./shrink-program.ts";

const MANY = 400;

function actionsOf(action: Action): readonly Action[] {
  return [action, ...children(action).flatMap(actionsOf)];
}

test("the programs that are drawn do everything that a body can do", () => {
  const programs = Array.from({ length: MANY }, (_, at) => programOf(at + 1));
  const actions = programs.flatMap(({ body }) => actionsOf(body));
  const kinds = new Set(actions.map((action) => action.do));
  const known = [
    ...[
      "abort",
      "all",
      "allSettled",
      "any",
      "child",
      "condition",
      "contest",
      "detached",
      "loop",
      "map",
      "noise",
      "now",
    ],
    ...["patched", "race", "random", "saga", "scope", "sequence", "shield", "sleep", "step", "throw", "token", "try"],
    ...["variable", "wait"],
  ];
  expect([...kinds].sort()).toEqual(known);
  const isThere = (what: (action: Action) => boolean): boolean => actions.some(what);
  expect(isThere((one) => one.do === "step" && one.failures >= one.attempts)).toBe(true);
  expect(isThere((one) => one.do === "step" && one.failures > 0 && one.failures < one.attempts)).toBe(true);
  expect(isThere((one) => one.do === "step" && one.hangs)).toBe(true);
  expect(isThere((one) => one.do === "step" && one.isVolatile)).toBe(true);
  expect(isThere((one) => one.do === "step" && one.beats && one.failures > 0)).toBe(true);
  expect(isThere((one) => one.do === "child" && one.fails)).toBe(true);
  expect(isThere((one) => one.do === "scope" && one.concurrency !== undefined)).toBe(true);
  for (const isTimed of [true, false]) {
    expect(isThere((one) => one.do === "scope" && (one.timeoutMs !== undefined) === isTimed)).toBe(true);
    expect(isThere((one) => one.do === "condition" && (one.timeoutMs !== undefined) === isTimed)).toBe(true);
  }
  for (const undoFailures of [0, 1, 2])
    expect(isThere((one) => one.do === "saga" && one.bookings > 1 && one.undoFailures === undoFailures)).toBe(true);
  expect(isThere((one) => one.do === "saga" && one.fails)).toBe(true);
  expect(isThere((one) => one.do === "wait" && one.timeoutMs !== undefined)).toBe(true);
  for (const isTimed of [true, false])
    expect(isThere((one) => one.do === "token" && (one.timeoutMs !== undefined) === isTimed)).toBe(true);
  expect(isThere((one) => one.do === "try" && one.caught !== undefined && one.finally !== undefined)).toBe(true);
  expect(isThere((one) => one.do === "throw" && one.cancels)).toBe(true);
  for (const fails of ["never", "once", "always"])
    expect(isThere((one) => one.do === "variable" && one.fails === fails)).toBe(true);
  expect(isThere((one) => one.do === "scope" && actionsOf(one.body).some((inner) => inner.do === "scope"))).toBe(true);
  expect(programs.filter((program) => program.cancelling !== undefined).length).toBeGreaterThan(MANY / 10);
  expect(programs.filter((program) => program.generations > 1).length).toBeGreaterThan(MANY / 10);
  expect(programs.filter(({ notings = [] }) => notings.length > 0).length).toBeGreaterThan(MANY / 8);
  expect(programs.filter(isExact).length).toBeGreaterThan(MANY / 3);
});

test("the fixed set and the first random programs keep every invariant, under disturbances at every place in the log", {
  timeout: 120_000,
}, async () => {
  const sums = await carryOutProgramsTask({ start: 0, count: 6, ignore: [], isToTell: false });
  expect(sums.findings).toEqual([]);
  expect(sums.trials).toBeGreaterThan(50);
});

test("a seed does the same again", { timeout: 60_000 }, async () => {
  const [one, other] = [await runProgramSeed(12), await runProgramSeed(12)];
  expect(other.trials.map(({ trial }) => trial.story)).toEqual(one.trials.map(({ trial }) => trial.story));
  expect(other.trials.map(({ trial }) => trial.history)).toEqual(one.trials.map(({ trial }) => trial.history));
});

test("a finding is told with a small program", { timeout: 60_000 }, async () => {
  // No such signal is sent: the run cannot end.
  const wait: Action = { do: "wait", signal: "go", timeoutMs: undefined };
  const more: readonly Action[] = [{ do: "noise", turns: 2 }, { do: "sleep", ms: 10 }, { do: "now" }];
  const body: Action = {
    do: "sequence",
    actions: [
      ...more,
      { do: "scope", name: "line", body: wait, concurrency: undefined, timeoutMs: undefined },
      ...more,
    ],
  };
  const program: Program = { body, sendings: [], cancelling: undefined, generations: 1 };
  const { found } = await runPlans({ seed: 1, program }, () => []);
  expect(found?.finding.invariant).toBe("ended");
  if (found === undefined) return;
  const shrunk = await shrinkProgram(found, 100);
  expect(programLines(shrunk.found.program)).toEqual(["wait signal=go"]);
  expect(shrunk.runs).toBeLessThan(30);
});
