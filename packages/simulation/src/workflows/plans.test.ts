import { expect, test } from "vitest";
import { plansForEveryPlace } from "./plans.ts";

function commitsOf(commits: number): readonly number[] {
  const nths = plansForEveryPlace(commits).map(({ plan }) => Number(/@commit:(\d+):/.exec(plan)?.[1] ?? 0));
  return [...new Set(nths)].filter((nth) => nth > 0);
}

test("a short program is disturbed at every place in its log", () => {
  for (const commits of [0, 1, 2, 21]) {
    expect(commitsOf(commits)).toEqual(Array.from({ length: commits }, (_, at) => at + 1));
  }
});

test("a long one is disturbed at a bounded number of places, from the first to the last", () => {
  for (const commits of [22, 108, 5_000]) {
    const nths = commitsOf(commits);
    expect([nths.length, nths[0], nths.at(-1)]).toEqual([21, 1, commits]);
    expect(plansForEveryPlace(commits).length).toBe(plansForEveryPlace(21).length);
  }
});
