import { describe, expect, test } from "vitest";
import { restore } from "../confchange/restore.ts";
import type { ConfState } from "../types.ts";
import { describeConfig } from "./config.ts";
import type { Progress } from "./progress.ts";
import { ProgressTracker } from "./progress-tracker.ts";

const JOINT: ConfState = {
  voters: [4, 1, 2],
  learners: [6],
  votersOutgoing: [1, 2, 3],
  learnersNext: [3],
  autoLeave: true,
};

function tracker(confState: ConfState): ProgressTracker {
  const one = new ProgressTracker(8);
  const result = restore(one, 10, confState);
  if (!result.ok) throw new Error(result.reason);
  one.adopt(result.config, result.progress);
  return one;
}

function simple(...voters: number[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}

function member(one: ProgressTracker, id: number): Progress {
  const progress = one.get(id);
  if (progress === undefined) throw new Error(`${id} is no member`);
  return progress;
}

describe("ProgressTracker", () => {
  test("tracks every voter of both halves and every learner, ascending (T1, T2)", () => {
    const one = tracker(JOINT);
    expect(one.ids).toEqual([1, 2, 3, 4, 6]);
    expect([...one.progress.keys()]).toEqual([1, 2, 3, 4, 6]);
    expect(one.voterNodes()).toEqual([1, 2, 3, 4]);
    expect(one.learnerNodes()).toEqual([6]);
    expect(one.confState()).toEqual({ ...JOINT, voters: [1, 2, 4] });
    expect(describeConfig(one.config)).toBe("voters=(1 2 4)&&(1 2 3) learners=(6) learners_next=(3) autoleave");
  });

  test("commits what both halves hold; learners do not count (thesis §4.3, §4.2.1)", () => {
    const one = tracker(JOINT);
    member(one, 6).maybeUpdate(100);
    member(one, 1).maybeUpdate(20);
    member(one, 4).maybeUpdate(30);
    expect(one.committed()).toBe(0);
    member(one, 3).maybeUpdate(15);
    expect(one.committed()).toBe(15);
  });

  test("a quorum is active when a majority of each half was heard from", () => {
    const one = tracker(JOINT);
    expect(one.quorumActive()).toBe(true);
    for (const id of one.ids) member(one, id).recentActive = id === 1 || id === 4 || id === 6;
    expect(one.quorumActive()).toBe(false);
    member(one, 2).recentActive = true;
    expect(one.quorumActive()).toBe(true);
  });

  test("counts one vote per voter, the first, until the next round", () => {
    const one = tracker({ ...simple(1, 2, 3), learners: [4] });
    one.recordVote(1, true);
    one.recordVote(1, false);
    one.recordVote(4, true);
    one.recordVote(9, true);
    expect(one.tallyVotes()).toEqual({ granted: 1, rejected: 0, result: "VotePending" });
    one.recordVote(2, false);
    one.recordVote(3, false);
    expect(one.tallyVotes()).toEqual({ granted: 1, rejected: 2, result: "VoteLost" });
    one.resetVotes();
    expect(one.tallyVotes().result).toBe("VotePending");
  });

  test("knows when one voter decides alone", () => {
    expect(tracker(simple(7)).isSingleton()).toBe(true);
    expect(tracker(simple(1, 2)).isSingleton()).toBe(false);
    expect(tracker({ ...simple(1), votersOutgoing: [1, 2] }).isSingleton()).toBe(false);
  });
});
