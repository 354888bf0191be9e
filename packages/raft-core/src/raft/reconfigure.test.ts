import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import {
  bytes,
  commands,
  LockstepNetwork,
  type NetworkOptions,
  text,
} from "../testing/internal/groups/lockstep-network.ts";
import type { ConfChangeSingle, ConfChangeTransition, ConfChangeV2, NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];
const NOTHING = bytes("");

function change(changes: readonly ConfChangeSingle[], transition: ConfChangeTransition = "Auto"): ConfChangeV2 {
  return { transition, changes, context: NOTHING };
}

const add = (nodeId: NodeId): ConfChangeSingle => ({ type: "AddNode", nodeId });
const remove = (nodeId: NodeId): ConfChangeSingle => ({ type: "RemoveNode", nodeId });
const learn = (nodeId: NodeId): ConfChangeSingle => ({ type: "AddLearnerNode", nodeId });

/** A network led by node 1 with compacted logs: nodes that join learn the configuration from a snapshot. */
function ledNetwork(options: NetworkOptions, ...joining: readonly NodeId[]): LockstepNetwork {
  const network = new LockstepNetwork(options);
  network.elect(1);
  for (const node of network.nodes.values()) node.compact(2);
  for (const id of joining) network.join(id);
  return network;
}

function reconfigure(network: LockstepNetwork, on: NodeId, proposed: ConfChangeV2, context?: string): void {
  network.raw(on).proposeConfChange(proposed, context === undefined ? undefined : bytes(context));
  network.stabilize();
}

describe("single changes (thesis §4.1)", () => {
  test("adds a voter, which catches up and counts", () => {
    const network = ledNetwork({ voters: [1] }, 2);
    reconfigure(network, 1, change([add(2)]));
    expect(network.node(2).confState.voters).toEqual([1, 2]);
    network.propose(1, "a");
    expect(commands(network.node(2).applied)).toEqual(["a"]);
    network.isolate(2);
    network.propose(1, "b");
    expect(commands(network.node(1).applied)).toEqual(["a"]);
  });

  test("commits at once what the smaller quorum holds", () => {
    const network = new LockstepNetwork({ voters: [1, 2] });
    network.elect(1);
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 2, context: NOTHING });
    network.raw(1).propose(bytes("a"));
    network.deliverOnly((m) => m.entries.every((entry) => entry.type !== "EntryNormal") && m.index < 3);
    network.stabilize();
    expect(commands(network.node(1).applied)).toEqual(["a"]);
  });

  test("turns down a second change until the first is applied, and tells its proposer by its context (R5)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(1).proposeConfChange(change([remove(3)]), bytes("first"));
    network.raw(1).proposeConfChange(change([remove(2)]), bytes("second"));
    network.stabilize();
    expect(network.node(1).confState.voters).toEqual([1, 2]);
    const seen = network.node(1).applied.filter(({ context }) => context !== undefined);
    expect(seen.map(({ type, context }) => [type, context])).toEqual([
      ["EntryConfChangeV2", bytes("first")],
      ["EntryNormal", bytes("second")],
    ]);
    reconfigure(network, 1, change([remove(2)]));
    expect(network.node(1).confState.voters).toEqual([1]);
  });

  test("a new leader waits until everything it found in its log is applied (R5)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    // An entry gets into all logs and is not committed: it might have been a configuration change.
    network.deliverOnly(({ type }) => type !== "MsgAppResp");
    network.propose(1, "a");
    network.deliverOnly(({ type }) => type !== "MsgApp");
    network.elect(2);
    expect(network.raw(2).basicStatus().softState.role).toBe("StateLeader");
    network.raw(2).proposeConfChange(change([remove(3)]), bytes("too early"));
    network.heal();
    network.tick(2, 1);
    network.stabilize();
    expect(network.node(2).confState.voters).toEqual(THREE);
    reconfigure(network, 2, change([remove(3)]));
    expect(network.node(2).confState.voters).toEqual([1, 2]);
  });

  test("turns down bytes that are no configuration change", () => {
    const network = new LockstepNetwork({ voters: [1] });
    network.elect(1);
    const entry = { term: 0, index: 0, type: "EntryConfChangeV2", data: new Uint8Array([255]) } as const;
    network.raw(1).step(message({ type: "MsgProp", from: 1, to: 1, entries: [entry] }));
    network.stabilize();
    expect(network.node(1).applied.map(({ type }) => type)).toEqual(["EntryNormal", "EntryNormal"]);
  });

  test("a learner gets everything and decides nothing", () => {
    const network = new LockstepNetwork({ voters: [1, 2], learners: [3] });
    network.elect(1);
    network.propose(1, "a");
    expect(commands(network.node(3).applied)).toEqual(["a"]);
    network.isolate(2);
    network.propose(1, "b");
    expect(commands(network.node(3).applied)).toEqual(["a"]);
  });
});

describe("joint consensus (thesis §4.3)", () => {
  test("replaces several voters at once, and leaves the joint configuration by itself (G1)", () => {
    const network = ledNetwork({ voters: THREE }, 4, 5);
    reconfigure(network, 1, change([remove(2), remove(3), add(4), add(5)]));
    expect(network.node(1).confState).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [] });
    const kinds = network.node(1).applied.map(({ type }) => type);
    expect(kinds.filter((type) => type === "EntryConfChangeV2").length).toBe(2);
  });

  for (const missing of [
    [2, 3],
    [4, 5],
  ] as const) {
    test(`needs both majorities while joint: nothing commits without ${missing}`, () => {
      const network = ledNetwork({ voters: THREE }, 4, 5);
      reconfigure(network, 1, change([remove(2), remove(3), add(4), add(5)], "Explicit"));
      expect(network.node(1).confState).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3] });
      for (const id of missing) network.isolate(id);
      network.propose(1, "a");
      expect(commands(network.node(1).applied)).toEqual([]);
      network.heal();
      network.tick(1, 1);
      network.stabilize();
      expect(commands(network.node(1).applied)).toEqual(["a"]);
    });
  }

  test("stays joint until told, with an explicit transition, and takes no other change meanwhile", () => {
    const network = ledNetwork({ voters: THREE }, 4);
    reconfigure(network, 1, change([remove(3), add(4)], "Explicit"));
    expect(network.node(1).confState.votersOutgoing).toEqual(THREE);
    reconfigure(network, 1, change([learn(5)]));
    expect(network.node(1).confState.learners).toEqual([]);
    reconfigure(network, 1, change([]));
    expect(network.node(1).confState).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [] });
  });

  test("is left by a later leader when the one that entered it is gone (G1)", () => {
    const network = ledNetwork({ voters: THREE }, 4);
    // The change gets committed and applied on 2 and 3; later proposals of leader 1 do not arrive.
    network.raw(1).proposeConfChange(change([remove(3), add(4)]));
    network.deliverOnly((m) => !(m.from === 1 && m.entries.some(({ data }) => data.length === 0)));
    network.stabilize();
    network.tick(1, 1);
    network.stabilize();
    expect(network.node(2).confState.autoLeave).toBe(true);
    network.isolate(1);
    network.deliverOnly(() => true);
    network.elect(2);
    network.tick(2, 1);
    network.stabilize();
    expect(network.raw(2).basicStatus().softState.role).toBe("StateLeader");
    expect(network.node(2).confState).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [], autoLeave: false });
  });

  for (const end of ["times out", "is called off"] as const) {
    test(`is left when a hand-over of leadership that was under way as it was entered ${end} (G1)`, () => {
      const network = ledNetwork({ voters: [...THREE, 4] }, 5);
      network.isolate(4);
      network.raw(1).proposeConfChange(change([remove(3), add(5)]));
      network.raw(1).transferLeader(4);
      network.stabilize();
      expect(network.raw(1).basicStatus().leadTransferee).toBe(4);
      expect(network.node(1).confState.autoLeave).toBe(true);
      if (end === "times out") network.tick(1, network.raw(1).raft.config.electionTicks);
      else network.raw(1).transferLeader(1);
      network.stabilize();
      expect(network.node(1).confState).toMatchObject({ voters: [1, 2, 4, 5], votersOutgoing: [], autoLeave: false });
      expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
    });
  }
});

describe("a change that cannot be applied", () => {
  const turnsDown = (network: LockstepNetwork, on: NodeId, proposed: ConfChangeV2): boolean => {
    const before = network.node(1).confState;
    reconfigure(network, on, proposed, "turned down");
    expect(network.node(1).confState).toEqual(before);
    const last = network.node(1).applied.at(-1);
    return last?.type === "EntryNormal" && text(last.context ?? NOTHING) === "turned down";
  };

  test.each(["Explicit", "Implicit"] as const)(
    "is turned down: nothing, %s, while joint, wherever it comes from",
    (how) => {
      const network = ledNetwork({ voters: THREE }, 4);
      reconfigure(network, 1, change([remove(3), add(4)], "Explicit"));
      expect(network.node(1).confState.votersOutgoing).toEqual([1, 2, 3]);
      expect(turnsDown(network, 2, change([], how))).toBe(true);
      expect(turnsDown(network, 1, change([], how))).toBe(true);
      reconfigure(network, 2, change([]));
      expect(network.node(1).confState).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [] });
    },
  );

  test.each([
    ["the removal of the last voter", [1], change([remove(1)])],
    ["the demotion of the last voter", [1], change([learn(1)])],
    ["the removal of all voters", [1, 2], change([remove(1), remove(2)])],
    ["the leaving of a configuration that is not joint", THREE, change([])],
  ])("is turned down: %s", (_, voters, asked) => {
    const network = ledNetwork({ voters });
    expect(turnsDown(network, 1, asked)).toBe(true);
    expect(network.propose(1, "on")).toBe(true);
  });

  test("is turned down in the old form, too", () => {
    const network = ledNetwork({ voters: [1] });
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 1, context: NOTHING });
    network.stabilize();
    expect(network.node(1).confState.voters).toEqual([1]);
  });
});

describe("a change that is dropped", () => {
  test("because too much is uncommitted, does not stand in the way of the next (R5)", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { maxUncommittedBytes: 10 } });
    network.elect(1);
    network.isolate(1);
    network.raw(1).propose(bytes("0123456789"));
    network.stabilize();
    const outcome = network.raw(1).proposeConfChange(change([remove(3)]));
    expect(outcome).toMatchObject({ ok: false, reason: "uncommitted-limit" });
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    reconfigure(network, 1, change([remove(3)]));
    expect(network.node(1).confState.voters).toEqual([1, 2]);
  });
});

describe("removing the leader (thesis §4.2.2)", () => {
  test("unless configured to step down (removal.test.ts) it keeps its office, without a say, and takes no proposals", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    reconfigure(network, 1, change([remove(1)]));
    expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
    expect(network.raw(1).propose(bytes("a"))).toMatchObject({ ok: false, reason: "not-a-member" });
  });
});

describe("without validation", () => {
  test("lets changes through that the active configuration would not allow", () => {
    const network = new LockstepNetwork({ voters: [1], config: { disableConfChangeValidation: true } });
    network.elect(1);
    network.raw(1).proposeConfChange(change([learn(2)]));
    network.raw(1).proposeConfChange(change([learn(3)]));
    network.stabilize();
    expect(network.node(1).confState.learners).toEqual([2, 3]);
  });
});
