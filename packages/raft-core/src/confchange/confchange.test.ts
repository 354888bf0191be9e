import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import { NodeSet } from "../quorum/node-set.ts";
import { confStateOf, describeConfig, EMPTY_CONFIG } from "../tracker/config.ts";
import { ProgressTracker } from "../tracker/progress-tracker.ts";
import type { ConfChangeSingle, ConfChangeType, ConfState } from "../types.ts";
import { type ChangeResult, Changer, checkInvariants } from "./changer.ts";
import { restore } from "./restore.ts";

const RUNS = 1_000;
const LAST_INDEX = 10;

const TYPES: readonly ConfChangeType[] = ["AddNode", "AddLearnerNode", "RemoveNode", "UpdateNode"];
const change = fc.record({ type: fc.constantFrom(...TYPES), nodeId: fc.integer({ min: 0, max: 8 }) });
const changes = fc.array(change, { maxLength: 20 });
/** The first voters: a joint configuration needs an outgoing half. */
const founders = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 });

type Accepted = Extract<ChangeResult, { ok: true }>;

function accepted(result: ChangeResult): Accepted {
  if (!result.ok) throw new Error(`refused: ${result.reason}`);
  return result;
}

function founded(voters: readonly number[]): ProgressTracker {
  const tracker = new ProgressTracker(8);
  const confState = { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const { config, progress } = accepted(restore(tracker, LAST_INDEX, confState));
  tracker.adopt(config, progress);
  return tracker;
}

function after(tracker: ProgressTracker, result: ChangeResult): ProgressTracker {
  const { config, progress } = accepted(result);
  const next = new ProgressTracker(tracker.maxInflight);
  next.adopt(config, progress);
  return next;
}

function printed(tracker: ProgressTracker): string {
  return [describeConfig(tracker.config), ...[...tracker.progress].map(([id, one]) => `${id}: ${one}`)].join("\n");
}

describe("configuration changes", () => {
  test(`one by one and all at once through a joint configuration lead to the same, in ${RUNS} random cases`, () => {
    const property = fc.property(founders, changes, fc.boolean(), (voters, all, autoLeave) => {
      const start = founded(voters);
      let simple = start;
      for (const one of all) {
        const result = new Changer(simple, LAST_INDEX).simple([one]);
        // Both ways must refuse to remove the last voter; such sequences have no result to compare.
        fc.pre(result.ok);
        simple = after(simple, result);
      }
      const joint = after(start, new Changer(start, LAST_INDEX).enterJoint(autoLeave, all));
      expect(joint.config.autoLeave).toBe(autoLeave);
      expect(joint.config.voters.outgoing.ids).toEqual(start.config.voters.incoming.ids);
      expect(joint.config.voters.incoming.ids).toEqual(simple.config.voters.incoming.ids);
      const left = after(joint, new Changer(joint, LAST_INDEX).leaveJoint());
      expect(printed(left)).toBe(printed(simple));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test(`keep every invariant and change nothing that is in force (X1, X3), in ${RUNS} random cases`, () => {
    const kind = fc.constantFrom("simple", "enter", "leave");
    const property = fc.property(founders, fc.array(fc.tuple(kind, changes), { maxLength: 8 }), (voters, steps) => {
      let tracker = founded(voters);
      for (const [what, all] of steps) {
        const before = printed(tracker);
        const changer = new Changer(tracker, LAST_INDEX);
        const result =
          what === "simple"
            ? changer.simple(all)
            : what === "enter"
              ? changer.enterJoint(false, all)
              : changer.leaveJoint();
        expect(printed(tracker)).toBe(before);
        if (!result.ok) continue;
        checkInvariants(result.config, result.progress);
        expect(result.config.voters.incoming.size).toBeGreaterThan(0);
        if (what === "simple") {
          const { incoming } = tracker.config.voters;
          expect(incoming.differenceCount(result.config.voters.incoming)).toBeLessThanOrEqual(1);
        }
        tracker = after(tracker, result);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test(`a configuration that was stored comes back equal, in ${RUNS} random cases`, () => {
    const ids = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const stored = fc
      .tuple(ids, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 }), founders, fc.boolean())
      .filter(([all]) => all.length > 0)
      .map(([all, voterCount, learnerCount, outgoing, joint]): ConfState => {
        const voters = all.slice(0, voterCount);
        const votersOutgoing = joint ? outgoing : [];
        const learners = all.slice(voterCount, voterCount + learnerCount).filter((id) => !votersOutgoing.includes(id));
        const learnersNext = votersOutgoing.filter((id) => !voters.includes(id)).slice(0, 1);
        return { voters, learners, votersOutgoing, learnersNext, autoLeave: joint };
      });
    const property = fc.property(stored, (confState) => {
      const { config, progress } = accepted(restore(new ProgressTracker(8), LAST_INDEX, confState));
      checkInvariants(config, progress);
      const sorted = (list: readonly number[]): readonly number[] => NodeSet.of(list).ids;
      expect(confStateOf(config)).toEqual({
        voters: sorted(confState.voters),
        learners: sorted(confState.learners),
        votersOutgoing: sorted(confState.votersOutgoing),
        learnersNext: sorted(confState.learnersNext),
        autoLeave: confState.autoLeave,
      });
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test("are refused where they would be unsafe", () => {
    const tracker = founded([1, 2, 3]);
    const changer = new Changer(tracker, LAST_INDEX);
    const remove = (nodeId: number): ConfChangeSingle => ({ type: "RemoveNode", nodeId });
    const reason = (result: ChangeResult): string | undefined => (result.ok ? undefined : result.reason);
    expect(reason(changer.simple([remove(1), remove(2)]))).toBe(
      "more than one voter changed without entering joint config",
    );
    expect(reason(changer.simple([remove(1), remove(2), remove(3)]))).toBe("removed all voters");
    expect(reason(changer.leaveJoint())).toBe("can't leave a non-joint config");
    const joint = new Changer(after(tracker, changer.enterJoint(false, [remove(1), remove(2)])), LAST_INDEX);
    expect(reason(joint.enterJoint(false, []))).toBe("config is already joint");
    expect(reason(joint.simple([]))).toBe("can't apply simple config change in joint config");
    const empty = new Changer(new ProgressTracker(8), LAST_INDEX);
    expect(reason(empty.enterJoint(false, [{ type: "AddNode", nodeId: 1 }]))).toBe(
      "can't make a zero-voter config joint",
    );
  });

  test("start from a sound configuration or not at all", () => {
    const config = { ...EMPTY_CONFIG, autoLeave: true };
    const changer = new Changer({ config, progress: new Map(), maxInflight: 1, maxInflightBytes: 0 }, LAST_INDEX);
    expect(() => changer.simple([])).toThrow(InvariantViolation);
  });

  test("a new member is probed from the end of the log, and counts as heard from", () => {
    const tracker = founded([1]);
    const next = after(tracker, new Changer(tracker, 42).simple([{ type: "AddNode", nodeId: 2 }]));
    expect(`${next.get(2)}`).toBe("StateProbe match=0 next=42");
  });

  test("a demoted voter keeps what is known about its log", () => {
    const tracker = founded([1, 2]);
    tracker.get(2)?.maybeUpdate(30);
    const next = after(tracker, new Changer(tracker, 42).simple([{ type: "AddLearnerNode", nodeId: 2 }]));
    expect(`${next.get(2)}`).toBe("StateProbe match=30 next=31 learner");
  });
});
