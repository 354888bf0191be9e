import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import { bytes, entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import { EMPTY_CONF_STATE, type Snapshot } from "../types.ts";

const voters = [1, 2, 3];

function snapshotAt(index: number, term: number, confState = { ...EMPTY_CONF_STATE, voters }): Snapshot {
  return { metadata: { index, term, confState }, data: new Uint8Array([1]) };
}

/** Node 2 of three, in term 3, with the given entries, none of them committed. */
function follower(...terms: readonly number[]) {
  const contents = new Map([[2, { hardState: { term: 3, vote: 0, commit: 0 }, entries: entriesOfTerms(...terms) }]]);
  const network = new LockstepNetwork({ voters, contents });
  const node = network.node(2);
  const offer = (snapshot: Snapshot) => {
    node.raw.step(message({ type: "MsgSnap", from: 1, to: 2, term: 3, snapshot }));
    return node.raw.ready();
  };
  return { node, offer };
}

describe("a snapshot that comes", () => {
  test("is not installed over a log that holds its last entry; that it is committed is news (SN1)", () => {
    const { node, offer } = follower(1, 1, 2, 2);
    const ready = offer(snapshotAt(3, 2));
    expect(ready.snapshot).toBeUndefined();
    expect(ready.messages).toMatchObject([{ type: "MsgAppResp", index: 3 }]);
    expect(node.raw.basicStatus().hardState.commit).toBe(3);
    expect(node.raw.raft.log.lastIndex()).toBe(4);
  });

  test("replaces a log that has another entry in its place, whatever comes after it (SN1)", () => {
    const { node, offer } = follower(1, 1, 1, 1, 1);
    const ready = offer(snapshotAt(3, 2));
    expect(ready.snapshot?.metadata).toMatchObject({ index: 3, term: 2 });
    expect(ready.messages).toMatchObject([{ type: "MsgAppResp", index: 3 }]);
    expect(node.raw.raft.log.lastIndex()).toBe(3);
  });

  test("is put in force with its configuration, joint or not, exactly as it was stored (G2)", () => {
    const confState = { voters: [2, 4], learners: [6], votersOutgoing: [1, 2, 3], learnersNext: [3], autoLeave: true };
    const { node, offer } = follower(1);
    offer(snapshotAt(3, 2, confState));
    expect(node.raw.raft.tracker.confState()).toEqual(confState);
  });
});

describe("a snapshot that does not have its receiver", () => {
  test("is sent again at most once a tick, although it is reported as delivered before it is refused", () => {
    const network = new LockstepNetwork({ voters });
    network.elect(1);
    network.propose(1, "before");
    const { storage, applied } = network.node(1);
    network.node(1).compact(applied.length + 1);
    // No other is taken when member 4 is added.
    const old = storage.take();
    storage.take = () => old;
    network.raw(1).proposeConfChange({ id: 0, type: "AddLearnerNode", nodeId: 4, context: bytes("") });
    network.join(4);
    let sent = 0;
    network.deliverOnly(({ type, to }) => {
      if (type === "MsgSnap") {
        sent += 1;
        network.raw(1).reportSnapshot(to, "finish");
      }
      return true;
    });
    network.stabilize();
    for (let tick = 1; tick <= 20; tick++) {
      network.tick(1, 1);
      network.stabilize();
      expect(sent).toBeLessThanOrEqual(tick + 1);
    }
    expect(sent).toBeGreaterThan(5);
    // With a snapshot that includes the member, replication goes on.
    network.node(1).compact(applied.length + 1);
    network.tick(1, 2);
    network.stabilize();
    expect(network.raw(4).raft.log.committed).toBe(network.raw(1).raft.log.committed);
  });
});
