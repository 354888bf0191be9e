import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

function progress(match: number, next: number, window = 3): Progress {
  return new Progress({ match, next, inflights: new Inflights(window), isLearner: false, recentActive: true });
}

function replicating(match: number, window = 3): Progress {
  const one = progress(match, match + 1, window);
  one.becomeReplicate();
  return one;
}

describe("Progress in StateProbe", () => {
  test("pauses after an append with entries, until it is answered", () => {
    const one = progress(0, 5);
    expect(one.isPaused()).toBe(false);
    one.sentEntries(2, 20);
    expect(one.isPaused()).toBe(true);
    expect(one.next).toBe(5);
    expect(one.inflights.count).toBe(0);
    expect(one.maybeDecrTo(4, 3)).toBe(true);
    expect(one.isPaused()).toBe(false);
  });

  test("is not paused by an append that only tells the commit index", () => {
    const one = progress(0, 5);
    one.sentEntries(0, 0);
    expect(one.isPaused()).toBe(false);
  });

  test.each([
    { name: "to the hint", next: 10, rejected: 9, hint: 4, expected: 5 },
    { name: "to one before the rejected index when the hint is beyond", next: 10, rejected: 9, hint: 20, expected: 9 },
    { name: "never to or below match", next: 10, rejected: 9, hint: 0, expected: 4 },
  ])("a refusal lowers next $name", ({ next, rejected, hint, expected }) => {
    const one = progress(3, next);
    expect(one.maybeDecrTo(rejected, hint)).toBe(true);
    expect(one.next).toBe(expected);
  });

  test("an out-of-date refusal changes nothing", () => {
    const one = progress(0, 10);
    one.sentEntries(1, 1);
    expect(one.maybeDecrTo(5, 2)).toBe(false);
    expect(one.next).toBe(10);
    expect(one.isPaused()).toBe(true);
  });
});

describe("Progress in StateReplicate", () => {
  test("moves next as entries are sent, and pauses when the window is full", () => {
    const one = replicating(4, 2);
    one.sentEntries(3, 30);
    expect([one.next, one.isPaused()]).toEqual([8, false]);
    one.sentEntries(1, 10);
    expect([one.next, one.isPaused(), `${one}`]).toEqual([
      9,
      true,
      "StateReplicate match=4 next=9 paused inflight=2[full]",
    ]);
  });

  test("an acknowledgement moves match, and next only forward (P1, P2)", () => {
    const one = replicating(4);
    one.sentEntries(3, 30);
    expect(one.maybeUpdate(6)).toBe(true);
    expect([one.match, one.next]).toEqual([6, 8]);
    expect(one.maybeUpdate(5)).toBe(false);
    expect(one.maybeUpdate(9)).toBe(true);
    expect([one.match, one.next]).toEqual([9, 10]);
  });

  test("a refusal falls back to what is known to match", () => {
    const one = replicating(4);
    one.sentEntries(5, 50);
    expect(one.maybeDecrTo(4, 2)).toBe(false);
    expect(one.maybeDecrTo(7, 2)).toBe(true);
    expect(one.next).toBe(5);
  });
});

describe("a refusal", () => {
  test("lowers next whenever it leads to another append, so that refusals come to an end (P5)", () => {
    const states = {
      StateProbe: () => progress(4, 20),
      StateReplicate: () => {
        const one = replicating(4);
        one.sentEntries(15, 15);
        return one;
      },
      StateSnapshot: () => {
        const one = replicating(4);
        one.becomeSnapshot(19);
        return one;
      },
    };
    for (const start of Object.values(states)) {
      for (let rejected = 0; rejected <= 22; rejected++) {
        for (let hint = 0; hint <= 22; hint++) {
          const one = start();
          const { next, state } = one;
          if (one.maybeDecrTo(rejected, hint)) expect(one.next, `${state} ${rejected} ${hint}`).toBeLessThan(next);
          else expect(one.next, `${state} ${rejected} ${hint}`).toBe(next);
          expect(one.next).toBeGreaterThan(one.match);
          if (state === "StateSnapshot") expect(one.next, "P4").toBe(one.pendingSnapshot + 1);
        }
      }
    }
  });

  test("of an acknowledged entry changes nothing: a follower that refuses it has lost its log", () => {
    const one = progress(10, 11);
    one.sentEntries(3, 3);
    expect(one.maybeDecrTo(10, 0)).toBe(false);
    expect([one.next, one.isPaused()]).toEqual([11, true]);
  });
});

describe("Progress in StateSnapshot", () => {
  test("sends nothing and expects the log to go on behind the snapshot (P4)", () => {
    const one = replicating(4);
    one.sentEntries(1, 1);
    one.becomeSnapshot(20);
    expect([one.isPaused(), one.next, one.inflights.count]).toEqual([true, 21, 0]);
    expect(`${one}`).toBe("StateSnapshot match=4 next=21 paused pendingSnap=20");
    expect(() => one.sentEntries(1, 1)).toThrow(InvariantViolation);
  });

  test("probes behind the snapshot afterwards, or behind what was acknowledged if that is more", () => {
    const one = replicating(4);
    one.becomeSnapshot(20);
    one.becomeProbe();
    expect([one.state, one.next, one.pendingSnapshot]).toEqual(["StateProbe", 21, 0]);
    const other = replicating(4);
    other.becomeSnapshot(20);
    other.maybeUpdate(30);
    other.becomeProbe();
    expect(other.next).toBe(31);
  });
});

describe("the commit index a follower was told", () => {
  test("is worth sending again only if it can move the follower's", () => {
    const one = replicating(4);
    one.sentEntries(2, 2);
    expect(one.canBumpCommit(5)).toBe(true);
    one.sentCommit(5);
    expect(one.canBumpCommit(5)).toBe(false);
    expect(one.canBumpCommit(6)).toBe(true);
    one.sentCommit(6);
    // The follower knows the commit index of all entries that were sent; a higher one cannot help until more entries are sent.
    expect(one.canBumpCommit(9)).toBe(false);
  });

  test("counts as lost when the follower has to be probed again", () => {
    const one = replicating(4);
    one.sentEntries(3, 3);
    one.sentCommit(7);
    one.becomeProbe();
    expect(one.sentCommitIndex).toBe(4);
  });
});

test("a copy of a Progress shares nothing with it", () => {
  const one = replicating(4);
  one.sentEntries(1, 1);
  one.sentCommit(4);
  const copy = one.clone();
  one.becomeSnapshot(9);
  expect(`${copy}`).toBe("StateReplicate match=4 next=6 inflight=1");
  expect(copy.sentCommitIndex).toBe(4);
});

test("a Progress with match at or beyond next is refused (P1)", () => {
  expect(() => progress(3, 3)).toThrow(InvariantViolation);
});
