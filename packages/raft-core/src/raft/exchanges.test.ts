import { describe, expect, test } from "vitest";
import { type Message, message, type PeerMessageType } from "../message.ts";
import type { Rng } from "../ports/rng.ts";
import { seededRng } from "../ports/rng.ts";
import {
  bytes,
  entriesOfTerms,
  LockstepNetwork,
  type LockstepNode,
} from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";

// Without a tick nodes come to rest: no answer leads to a message that leads to the same answer again. Otherwise two nodes keep
// each other busy as fast as the network allows. Two messages that no node has sent are tried in every situation here.

/** More messages than any exchange that ends needs here: logs have ten entries. */
const MOST_MESSAGES = 120;

/** Situations of nodes 1 and 2. Node 3 exists and hears nothing unless told otherwise. */
const SITUATIONS: Readonly<Record<string, () => LockstepNetwork>> = {
  "a leader and its follower": () => led(),
  "a leader and a follower that lacks entries": () => {
    const network = led();
    network.cut(1, 2);
    for (const one of ["c", "d", "e"]) network.raw(1).propose(bytes(one));
    network.stabilize();
    network.heal();
    return network;
  },
  "a leader and a follower with an empty disk": () => {
    const network = led();
    network.node(2).storage.writeSync({ hardState: { term: 0, vote: 0, commit: 0 } });
    forget(network, 2);
    network.raw(1).reportUnreachable(2);
    return network;
  },
  "a leader whose log is cut, and a follower that needs what was cut": () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3] });
    network.elect(1);
    network.cut(1, 2);
    for (const one of ["c", "d", "e"]) network.propose(1, one);
    network.node(1).compact(4);
    network.heal();
    return network;
  },
  "a leader that waits for a snapshot's delivery": () => {
    const network = SITUATIONS[
      "a leader whose log is cut, and a follower that needs what was cut"
    ]?.() as LockstepNetwork;
    network.deliverOnly(({ type }) => type !== "MsgSnap");
    network.tick(1, 1);
    network.stabilize();
    network.heal();
    return network;
  },
  "logs that differ": () => {
    const one = { entries: entriesOfTerms(1, 1, 2, 2, 4, 4, 6, 6, 6, 8), hardState: { term: 8, vote: 0, commit: 0 } };
    const other = { entries: entriesOfTerms(1, 1, 3, 3, 3, 5, 5, 7, 7, 7), hardState: { term: 7, vote: 0, commit: 0 } };
    const contents = new Map([
      [1, one],
      [2, other],
      [3, one],
    ]);
    const network = new LockstepNetwork({ voters: [1, 2, 3], contents });
    network.cut(1, 2);
    network.elect(1);
    network.heal();
    return network;
  },
  "candidates of one term": () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3] });
    network.deliverOnly(() => false);
    network.elect(1);
    network.elect(2);
    network.heal();
    return network;
  },
  "candidates before the election": () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3], config: { preVote: true, checkQuorum: true } });
    network.deliverOnly(() => false);
    network.elect(1);
    network.elect(2);
    network.heal();
    return network;
  },
  "leaders of two terms": () => {
    const network = led();
    network.cut(1, 2);
    network.cut(1, 3);
    network.elect(2);
    network.heal();
    return network;
  },
  "followers that take each other for the leader": () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3] });
    network.deliverOnly(() => false);
    network.raw(1).step(message({ type: "MsgHeartbeat", from: 2, to: 1, term: 3 }));
    network.raw(2).step(message({ type: "MsgHeartbeat", from: 1, to: 2, term: 3 }));
    network.stabilize();
    network.heal();
    return network;
  },
  "a hand-over to a member that lacks entries": () => {
    const network = SITUATIONS["a leader and a follower that lacks entries"]?.() as LockstepNetwork;
    network.raw(1).transferLeader(2);
    return network;
  },
  "a leader that has lost its vote": () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3], config: { stepDownOnRemoval: true } });
    network.elect(1);
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 1, context: bytes("") });
    network.deliverOnly(({ type, commit }) => type !== "MsgApp" || commit < 2);
    network.stabilize();
    network.heal();
    return network;
  },
};

/** Node 1 leads, and all nodes have the whole log. */
function led(): LockstepNetwork {
  const network = new LockstepNetwork({ voters: [1, 2, 3] });
  network.elect(1);
  network.propose(1, "a");
  network.propose(1, "b");
  return network;
}

/** Replaces the disk of `id` by an empty one. */
function forget(network: LockstepNetwork, id: NodeId): void {
  const empty = new LockstepNetwork({ voters: [1, 2, 3] }).node(id);
  network.nodes.set(id, empty);
}

const TYPES: readonly PeerMessageType[] = [
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
];

/** Any well-formed message, with numbers close to those of the nodes. */
function anyMessage(rng: Rng, type: PeerMessageType, node: LockstepNode): Message {
  const pick = <T>(...values: readonly T[]): T => values[rng.below(values.length)] as T;
  const { term } = node.raw.basicStatus().hardState;
  const last = node.raw.raft.log.lastIndex();
  const near = () => Math.max(0, last - 4 + rng.below(8));
  const own = Math.max(0, term - 1 + rng.below(3));
  const index = pick(0, last, near());
  const logTerm = pick(node.raw.raft.log.termOrZero(index), term, 0);
  const withoutTerm = type === "MsgProp" || type === "MsgReadIndex";
  const entry = { term: own, index: index + 1, type: "EntryNormal", data: bytes("x") } as const;
  const carriesEntry = withoutTerm || type === "MsgReadIndexResp" || (type === "MsgApp" && rng.below(2) === 0);
  const confState = {
    voters: pick([1, 2, 3], [1, 3]),
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  return message({
    type,
    to: node.id,
    from: pick(1, 2, 3),
    term: withoutTerm ? 0 : own,
    index,
    logTerm,
    commit: pick(0, last, near()),
    commitTerm: pick(0, term),
    entries: carriesEntry ? [entry] : [],
    reject: rng.below(2) === 0,
    rejectHint: near(),
    context: pick(undefined, bytes("CampaignTransfer"), new Uint8Array(8)),
    snapshot:
      type === "MsgSnap" ? { metadata: { index: near(), term: logTerm, confState }, data: bytes("") } : undefined,
  });
}

/** Delivers messages until nodes 1 and 2 are at rest, and counts them; messages to node 3 are lost. */
function messagesUntilRest({ nodes }: LockstepNetwork): number {
  const pair = [nodes.get(1), nodes.get(2)] as readonly LockstepNode[];
  for (let count = 0; ; ) {
    const sent = pair.flatMap((node) => node.carryOut());
    if (sent.length === 0) return count;
    for (const m of sent) {
      if (m.from !== m.to && m.to <= 2 && m.from > 0) count += 1;
      if (m.to === 1 || m.to === 2) nodes.get(m.to)?.raw.step(m);
    }
    if (count > MOST_MESSAGES) return count;
  }
}

describe("without a tick", () => {
  test.each(Object.entries(SITUATIONS))("nodes come to rest: %s, and any two messages", (name, make) => {
    const rng = seededRng(name.length);
    for (const first of TYPES) {
      for (const second of TYPES) {
        for (let repeat = 0; repeat < 3; repeat++) {
          const network = make();
          const told: string[] = [];
          for (const type of [first, second]) {
            const node = network.node(1 + rng.below(2));
            const m = anyMessage(rng, type, node);
            told.push(JSON.stringify(m));
            node.raw.step(m);
          }
          expect(messagesUntilRest(network), told.join("\n")).toBeLessThanOrEqual(MOST_MESSAGES);
        }
      }
    }
  });

  test.each(Object.entries(SITUATIONS))("a tick is followed by a few messages: %s", (_, make) => {
    const network = make();
    for (let tick = 0; tick < 30; tick++) {
      for (const id of [1, 2]) network.raw(id).tick();
      expect(messagesUntilRest(network)).toBeLessThanOrEqual(40);
    }
  });
});

test("a member with an empty disk costs a few messages a tick, however long the leader probes it", () => {
  const network = SITUATIONS["a leader and a follower with an empty disk"]?.() as LockstepNetwork;
  let count = 0;
  for (let tick = 0; tick < 100; tick++) {
    network.raw(1).propose(bytes("x"));
    network.raw(1).reportUnreachable(2);
    network.raw(1).tick();
    count += messagesUntilRest(network);
  }
  expect(count).toBeGreaterThan(100);
  expect(count).toBeLessThanOrEqual(4 * 100);
});
