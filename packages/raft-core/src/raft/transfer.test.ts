import { describe, expect, test } from "vitest";
import { bytes, commands, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function leaderOf(network: LockstepNetwork): NodeId {
  return network.raw(1).basicStatus().softState.lead;
}

describe("leadership transfer (thesis §3.10)", () => {
  test("hands over to a member that is up to date, within one round, leases and pre-vote notwithstanding", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true, preVote: true } });
    network.elect(1);
    network.raw(1).transferLeader(3);
    network.stabilize();
    expect(leaderOf(network)).toBe(3);
    expect(network.raw(3).basicStatus().hardState.term).toBe(2);
  });

  test("brings the member up to date first", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    network.heal();
    network.raw(1).transferLeader(3);
    network.tick(1, 1);
    network.stabilize();
    expect(leaderOf(network)).toBe(3);
    expect(commands(network.node(3).applied)).toEqual(["a"]);
  });

  test("can be asked for on a follower", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(2).transferLeader(2);
    network.stabilize();
    expect(leaderOf(network)).toBe(2);
  });

  test("takes no proposals meanwhile, and takes them again after an election timeout", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    // The timeout begins with the hand-over, not with the leader's last round.
    network.tick(1, 5);
    network.raw(1).transferLeader(3);
    expect(network.raw(1).propose(bytes("a"))).toEqual({ ok: false, reason: "leadership-transfer", leaderHint: 1 });
    network.tick(1, 9);
    expect(network.raw(1).basicStatus().leadTransferee).toBe(3);
    network.tick(1, 1);
    expect(network.raw(1).basicStatus().leadTransferee).toBe(0);
    expect(network.propose(1, "a")).toBe(true);
  });

  test("a second hand-over to another member replaces the first", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    network.raw(1).transferLeader(3);
    network.raw(1).transferLeader(2);
    network.stabilize();
    expect(leaderOf(network)).toBe(2);
  });

  test("is ignored for the leader itself, for learners and for strangers", () => {
    const network = new LockstepNetwork({ voters: THREE, learners: [4] });
    network.elect(1);
    for (const to of [1, 4, 99]) {
      network.raw(1).transferLeader(to);
      network.stabilize();
      expect(network.raw(1).basicStatus()).toMatchObject({ softState: { role: "StateLeader" }, leadTransferee: 0 });
    }
  });

  test("ends when its target leaves the configuration", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    const remove = { id: 0, type: "RemoveNode", nodeId: 3, context: bytes("") } as const;
    network.raw(1).proposeConfChange(remove);
    network.raw(1).transferLeader(3);
    network.stabilize();
    expect(network.raw(1).basicStatus().leadTransferee).toBe(0);
  });
});
