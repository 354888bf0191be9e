import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import type { RawNode } from "../raw-node.ts";
import { LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";

/** The whole state of the core that decides its next steps. */
function stateOf({ raft }: RawNode): object {
  const { term, vote, lead, role, electionElapsed, heartbeatElapsed, log, messages, messagesAfterAppend, tracker } =
    raft;
  const progress = Array.from(tracker.progress, ([id, { match, next, state, recentActive, msgAppFlowPaused }]) => {
    return { id, match, next, state, recentActive, msgAppFlowPaused };
  });
  const { committed } = log;
  const sent = structuredClone([messages, messagesAfterAppend]);
  return {
    term,
    vote,
    lead,
    role,
    electionElapsed,
    heartbeatElapsed,
    committed,
    lastIndex: log.lastIndex(),
    sent,
    progress,
  };
}

function elected(): LockstepNetwork {
  const network = new LockstepNetwork({ voters: [1, 2, 3] });
  network.node(1).raw.campaign();
  network.stabilize();
  network.node(1).raw.propose(new Uint8Array([1]));
  network.stabilize();
  return network;
}

describe("a heartbeat that says nothing new", () => {
  test("Z1: leaves a follower as stepping it does, but for the answer", () => {
    const [short, long] = [elected().node(2).raw, elected().node(2).raw];
    for (const raw of [short, long]) for (let at = 0; at < 3; at++) raw.tick();
    const { term, log } = short.raft;
    expect(short.heardNothingNew(1, term, log.committed)).toBe(true);
    long.step(message({ type: "MsgHeartbeat", from: 1, to: 2, term, commit: log.committed }));
    expect(long.raft.messages.map(({ type }) => type)).toEqual(["MsgHeartbeatResp"]);
    long.raft.messages.length = 0;
    expect(stateOf(short)).toEqual(stateOf(long));
    expect(short.raft.electionElapsed).toBe(0);
  });

  test.each([
    ["another leader", { leader: 3, term: 0, commit: 0 }],
    ["an older term", { leader: 1, term: -1, commit: 0 }],
    ["a later term", { leader: 1, term: 1, commit: 0 }],
    ["a later commit index", { leader: 1, term: 0, commit: 1 }],
  ])("Z2: is not one from %s, and changes nothing then", (_name, { leader, term, commit }) => {
    const { raw } = elected().node(2);
    raw.tick();
    const before = stateOf(raw);
    expect(raw.heardNothingNew(leader, raw.raft.term + term, raw.raft.log.committed + commit)).toBe(false);
    expect(stateOf(raw)).toEqual(before);
  });

  test("Z2: is not one for a candidate or a leader", () => {
    const network = elected();
    for (const nodeId of [1, 2]) {
      const { raw } = network.node(nodeId);
      if (nodeId === 2) raw.campaign();
      const before = stateOf(raw);
      expect(raw.heardNothingNew(raw.raft.lead, raw.raft.term, 0)).toBe(false);
      expect(stateOf(raw)).toEqual(before);
    }
  });
});

describe("an answer that says nothing new", () => {
  test("Z1: leaves a leader as stepping it does", () => {
    const [short, long] = [elected().node(1).raw, elected().node(1).raw];
    for (const { raft } of [short, long]) {
      for (const [id, progress] of raft.tracker.progress) if (id !== 1) progress.recentActive = false;
    }
    const { term } = short.raft;
    expect(short.answeredNothingNew(2, term)).toBe(true);
    long.step(message({ type: "MsgHeartbeatResp", from: 2, to: 1, term }));
    expect(stateOf(short)).toEqual(stateOf(long));
    expect(short.raft.tracker.get(2)?.recentActive).toBe(true);
    expect(short.raft.tracker.get(3)?.recentActive).toBe(false);
  });

  test("Z2: is not one of a member that lacks entries, is probed, is none, or of another term; nor for a follower", () => {
    const network = elected();
    const { raw } = network.node(1);
    const { raft } = raw;
    const refused = (member: number, term: number): void => {
      const before = stateOf(raw);
      expect(raw.answeredNothingNew(member, term)).toBe(false);
      expect(stateOf(raw)).toEqual(before);
    };
    refused(4, raft.term);
    refused(2, raft.term - 1);
    raft.tracker.get(2)?.becomeProbe();
    refused(2, raft.term);
    raw.propose(new Uint8Array([2]));
    refused(3, raft.term);
    const follower = network.node(2).raw;
    expect(follower.answeredNothingNew(3, follower.raft.term)).toBe(false);
  });
});

describe("a heartbeat that somebody else carries", () => {
  test("is not sent, unless it carries a read; the carrier is told of both", () => {
    const asked: unknown[] = [];
    const network = new LockstepNetwork({
      voters: [1, 2, 3],
      config: {
        carriesHeartbeat: (...heartbeat) => {
          asked.push(heartbeat);
          return heartbeat[0] === 2;
        },
      },
    });
    const { raw } = network.node(1);
    raw.campaign();
    network.stabilize();
    const { term, log } = raw.raft;
    const beat = () => {
      asked.length = 0;
      while (asked.length === 0) raw.tick();
      return raw.raft.messages.splice(0).flatMap(({ type, to }) => (type === "MsgHeartbeat" ? [to] : []));
    };
    expect(beat()).toEqual([3]);
    expect(asked).toEqual([2, 3].map((to) => [to, term, log.committed, false]));
    raw.readIndex(new Uint8Array([1]));
    raw.raft.messages.length = 0;
    expect(beat()).toEqual([2, 3]);
    expect(asked).toEqual([2, 3].map((to) => [to, term, log.committed, true]));
  });
});
