import { describe, expect, test } from "vitest";
import { Inflights } from "../../tracker/inflights.ts";
import { Progress, type ProgressState } from "../../tracker/progress.ts";
import type { NodeId } from "../../types.ts";
import { type DelegateQuestion, SnapshotDelegates } from "./snapshot-delegates.ts";

interface Member {
  readonly match?: number;
  readonly state?: ProgressState;
  readonly isLearner?: boolean;
}

function asked(members: Record<NodeId, Member>, more: Partial<DelegateQuestion> = {}): DelegateQuestion {
  const progress = new Map(
    Object.entries(members).map(([id, { match = 50, state = "StateReplicate", isLearner = false }]) => {
      const one = new Progress({ match, next: match + 1, inflights: new Inflights(4), isLearner, recentActive: true });
      one.state = state;
      return [Number(id), one];
    }),
  );
  return { self: 1, receiver: 9, upTo: 50, progress, isHeard: () => true, salt: 0, ...more };
}

describe("who is asked to send a snapshot", () => {
  const delegates = () => new SnapshotDelegates();

  test("neither the leader nor the receiver", () => {
    expect(delegates().choose(asked({ 1: {}, 9: {} }))).toBeUndefined();
  });

  test("no member that lags behind, is being probed, receives a snapshot itself, or is silent", () => {
    const members = {
      2: { match: 49 },
      3: { state: "StateProbe" as const },
      4: { state: "StateSnapshot" as const },
      5: {},
    };
    expect(delegates().choose(asked(members, { isHeard: (member) => member !== 5 }))).toBeUndefined();
    expect(delegates().choose(asked(members))).toBe(5);
  });

  test("a learner before a voter: no commit waits for it", () => {
    expect(delegates().choose(asked({ 2: {}, 3: { isLearner: true }, 4: {} }))).toBe(3);
  });

  test("the least busy one, and no member for more than two", async () => {
    const chosen: (NodeId | undefined)[] = [];
    const all = delegates();
    const gate = Promise.withResolvers<void>();
    const running: Promise<void>[] = [];
    for (let i = 0; i < 5; i++) {
      const delegate = all.choose(asked({ 1: {}, 2: {}, 3: {} }));
      chosen.push(delegate);
      if (delegate !== undefined) running.push(all.during(delegate, () => gate.promise));
    }
    expect(chosen.slice(0, 4).toSorted()).toEqual([2, 2, 3, 3]);
    expect(chosen[1]).not.toBe(chosen[0]);
    expect(chosen[4]).toBeUndefined();
    gate.resolve();
    await Promise.all(running);
    expect(all.choose(asked({ 1: {}, 2: {}, 3: {} }))).toBe(chosen[0]);
  });

  test("different ones for different groups", () => {
    const members = { 1: {}, 2: {}, 3: {}, 4: {} };
    const chosen = [0, 1, 2, 3].map((salt) => delegates().choose(asked(members, { salt })));
    expect(new Set(chosen).size).toBe(3);
  });
});
