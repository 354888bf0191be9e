import { describe, expect, test } from "vitest";
import { type ConfChangeSingle, EMPTY_BYTES, EMPTY_CONF_STATE } from "../../types.ts";
import { decodeMemberUpdate, encodeMemberUpdate, Members, membersOf } from "./members.ts";

const voters = (...ids: number[]) => ({ ...EMPTY_CONF_STATE, voters: ids });
const at = (nodeId: number) => ({ nodeId, address: `node-${nodeId}:1` });
const change = (...changes: ConfChangeSingle[]) => ({ transition: "Auto" as const, changes, context: EMPTY_BYTES });

describe("members", () => {
  test("every id of a configuration counts, each once", () => {
    expect(
      membersOf({ voters: [3, 1], votersOutgoing: [1, 2], learners: [5], learnersNext: [2], autoLeave: true }),
    ).toEqual([1, 2, 3, 5]);
  });

  test("addresses come with members, move with them and go with them; the highest id stays (M1)", () => {
    const members = new Members();
    members.update(voters(1, 4), { addresses: [at(1), at(4)], newIds: [] });
    members.update(voters(1), { addresses: [{ nodeId: 1, address: "moved:1" }], newIds: [] });
    expect(members.toRecord()).toEqual({ addresses: [{ nodeId: 1, address: "moved:1" }], highestNodeId: 4 });
    const restored = new Members();
    restored.restore(members.toRecord());
    expect(restored.toRecord()).toEqual(members.toRecord());
  });

  test("M2: a removed id never comes back, a taken id is not given as a new one, a member may change", () => {
    const members = new Members();
    members.update(voters(1, 2, 3), { addresses: [], newIds: [] });
    members.update(voters(1, 2), { addresses: [], newIds: [] });
    const refused = (single: ConfChangeSingle, newIds: readonly number[] = []) =>
      members.refusalOf(voters(1, 2), change(single), { addresses: [], newIds })?.code;
    expect(refused({ type: "AddNode", nodeId: 3 })).toBe("CONF_CHANGE_INVALID");
    expect(refused({ type: "AddLearnerNode", nodeId: 2 }, [2])).toBe("CONF_CHANGE_INVALID");
    expect(refused({ type: "AddNode", nodeId: 2 })).toBeUndefined();
    expect(refused({ type: "AddLearnerNode", nodeId: 4 }, [4])).toBeUndefined();
    expect(refused({ type: "RemoveNode", nodeId: 3 })).toBeUndefined();
  });

  test("an update survives encoding; no context is no update; what no driver wrote is refused", () => {
    const update = { addresses: [at(1)], newIds: [1] };
    expect(decodeMemberUpdate(encodeMemberUpdate(update))).toEqual(update);
    expect(decodeMemberUpdate(EMPTY_BYTES)).toEqual({ addresses: [], newIds: [] });
    expect(() => decodeMemberUpdate(new Uint8Array([1, 2]))).toThrowError(/cannot read/);
  });
});
