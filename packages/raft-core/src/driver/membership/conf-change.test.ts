import { describe, expect, test } from "vitest";
import { encodeConfChange, encodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { type ConfChangeSingle, type ConfChangeV2, EMPTY_BYTES, EMPTY_CONF_STATE, type Entry } from "../../types.ts";
import { checkConfChange, confChangeRefused, kindOf, readConfChange } from "./conf-change.ts";

function change(changes: readonly ConfChangeSingle[], transition: ConfChangeV2["transition"] = "Auto"): ConfChangeV2 {
  return { transition, changes, context: EMPTY_BYTES };
}

const add = (nodeId: number): ConfChangeSingle => ({ type: "AddNode", nodeId });
const learn = (nodeId: number): ConfChangeSingle => ({ type: "AddLearnerNode", nodeId });
const remove = (nodeId: number): ConfChangeSingle => ({ type: "RemoveNode", nodeId });

const simple = { ...EMPTY_CONF_STATE, voters: [1, 2, 3], learners: [4] };
const joint = { ...simple, votersOutgoing: [1, 2], autoLeave: true };

describe("a change", () => {
  test("is simple, joint, or asks to leave", () => {
    expect(kindOf(change([add(4)]))).toBe("simple");
    expect(kindOf(change([add(4), add(5)]))).toBe("joint");
    expect(kindOf(change([add(4)], "Implicit"))).toBe("joint");
    expect(kindOf(change([], "Explicit"))).toBe("joint");
    expect(kindOf(change([]))).toBe("leave");
  });

  test("is read from entries of both forms, and from the empty one with which a leader leaves", () => {
    const entry = (type: Entry["type"], data: Uint8Array): Entry => ({ term: 1, index: 1, type, data });
    const context = new Uint8Array([1, 2]);
    const single = encodeConfChange({ id: 9, type: "AddNode", nodeId: 4, context });
    expect(readConfChange(entry("EntryConfChange", single))).toEqual({ ...change([add(4)]), context });
    const several = { ...change([add(4), remove(1)], "Explicit"), context };
    expect(readConfChange(entry("EntryConfChangeV2", encodeConfChangeV2(several)))).toEqual(several);
    expect(kindOf(readConfChange(entry("EntryConfChangeV2", EMPTY_BYTES)))).toBe("leave");
  });
});

describe("whether a change can follow a configuration", () => {
  test.each([
    ["one voter more", simple, change([add(5)])],
    ["a learner's promotion", simple, change([add(4)])],
    ["a voter's demotion", simple, change([learn(3)])],
    ["a voter replaced, jointly", simple, change([add(5), remove(1)])],
    ["adding whom there is, to move its address", simple, change([add(1)])],
    ["leaving a joint configuration", joint, change([])],
  ])("yes: %s", (_, confState, asked) => {
    expect(checkConfChange(confState, asked)).toBeUndefined();
  });

  test.each([
    ["all voters removed", simple, change([remove(1), remove(2), remove(3)]), /voters/],
    ["the last voter demoted", { ...EMPTY_CONF_STATE, voters: [1] }, change([learn(1)]), /voter/],
    ["a change while joint", joint, change([add(5)]), /joint/],
    ["a joint change while joint", joint, change([add(5), add(6)]), /joint/],
    ["leaving what is not joint", simple, change([]), /joint/],
  ])("no: %s", (_, confState, asked, reason) => {
    const refusal = checkConfChange(confState, asked);
    expect(refusal).toMatchObject({ code: "CONF_CHANGE_INVALID", retryable: false });
    expect(refusal?.message).toMatch(reason);
  });

  test("the configuration that is asked about stays as it is", () => {
    const before = structuredClone(simple);
    checkConfChange(simple, change([add(5), remove(1)]));
    expect(simple).toEqual(before);
  });
});

test("a change that the leader turned down may be tried again", () => {
  expect(confChangeRefused()).toMatchObject({ code: "CONF_CHANGE_REFUSED", retryable: true });
});
