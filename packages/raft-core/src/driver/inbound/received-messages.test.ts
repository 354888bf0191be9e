import { expect, test } from "vitest";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import { type Message, message } from "../../message.ts";
import { silentLogger } from "../../ports/platform.ts";
import { seededRng } from "../../ports/rng.ts";
import { RawNode } from "../../raw-node.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE } from "../../types.ts";
import { ReceivedMessages } from "./received-messages.ts";
import { ReceivedProposals } from "./received-proposals.ts";

/** Node 1 of three at term 2, with what it received. */
function start() {
  const storage = new MemoryStorage({
    confState: { ...EMPTY_CONF_STATE, voters: [1, 2, 3] },
    hardState: { term: 2, vote: 0, commit: 0 },
  });
  const raw = new RawNode({
    id: 1,
    storage,
    rng: seededRng(1),
    electionTicks: 10,
    heartbeatTicks: 1,
    maxMessageBytes: 1000,
    maxInflightMessages: 8,
  });
  const executor = {
    decode: (bytes: Uint8Array) => {
      if (bytes[0] === 0xff) throw new Error("no command");
      return bytes;
    },
  };
  const received = new ReceivedMessages(1, raw, new ReceivedProposals(executor, 100, silentLogger));
  const carryOut = () => {
    while (raw.hasReady()) {
      const { hardState, entries } = raw.ready();
      storage.writeSync({ ...(hardState === undefined ? {} : { hardState }), entries });
      raw.advance();
    }
  };
  return { raw, received, carryOut };
}

const entry = (data: Uint8Array) => ({ term: 0, index: 0, type: "EntryNormal", data }) as const;

test("RM1: no message from outside names this node or no node as its sender", () => {
  for (const from of [1, 0]) {
    const { raw, received, carryOut } = start();
    raw.campaign();
    carryOut();
    received.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: 3 }));
    carryOut();
    expect(raw.basicStatus().softState.role).toBe("StateLeader");
    raw.proposeEntries([entry(Uint8Array.of(7))]);
    const before = raw.status();
    // An acknowledgement of entries that are not durable yet, a vote, and a read that this node never asked for.
    const forged: Message[] = [
      message({ type: "MsgAppResp", from, to: 1, term: 3, index: 2 }),
      message({ type: "MsgVoteResp", from, to: 1, term: 3 }),
      message({ type: "MsgHeartbeatResp", from, to: 1, term: 3 }),
      message({ type: "MsgHeartbeat", from, to: 1, term: 4 }),
      ...(from === 0 ? [message({ type: "MsgReadIndex", from, to: 1, entries: [entry(EMPTY_BYTES)] })] : []),
    ];
    for (const each of forged) received.step(each);
    expect(raw.status()).toEqual(before);
    expect(received.refused).toBe(forged.length);
  }
});

test("RM1: what was passed on and comes back to its first sender is taken", () => {
  const { raw, received, carryOut } = start();
  raw.campaign();
  carryOut();
  received.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: 3 }));
  carryOut();
  received.step(message({ type: "MsgProp", from: 1, to: 1, entries: [entry(Uint8Array.of(7))] }));
  carryOut();
  expect(raw.raft.log.lastIndex()).toBe(2);
  expect(received.refused).toBe(0);
});

test("RM2: what is refused is counted, entries of proposals one by one", () => {
  const { received } = start();
  received.step(message({ type: "MsgHeartbeat", from: 2, to: 3, term: 2 }));
  received.step(message({ type: "MsgHeartbeat", from: 2, to: 1, term: 0 }));
  received.step(message({ type: "MsgAppResp", from: 77, to: 1, term: 2 }));
  received.step(message({ type: "MsgVote", from: 2, to: 1, term: 2 + 2 ** 50 }));
  expect(received.refused).toBe(4);
  const bad = entry(Uint8Array.of(0xff));
  received.step(message({ type: "MsgProp", from: 2, to: 1, entries: [bad, entry(Uint8Array.of(1)), bad] }));
  expect(received.refused).toBe(6);
});
