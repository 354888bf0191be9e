import { describe, expect, test } from "vitest";
import { encodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { type Message, message } from "../../message.ts";
import { silentLogger } from "../../ports/platform.ts";
import { EMPTY_BYTES, type Entry } from "../../types.ts";
import { encodeEntryContext } from "../apply/entry-context.ts";
import { encodeMemberUpdate } from "../membership/members.ts";
import { ReceivedProposals } from "./received-proposals.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const executor = { decode: (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) };
const entry = (fields: Partial<Entry>): Entry => ({
  term: 0,
  index: 0,
  type: "EntryNormal",
  data: EMPTY_BYTES,
  ...fields,
});
const proposal = (...entries: Entry[]): Message => message({ type: "MsgProp", from: 2, to: 1, entries });
const change = (context: Uint8Array) =>
  encodeConfChangeV2({ transition: "Auto", changes: [{ type: "AddNode", nodeId: 4 }], context });

describe("proposals that come from a peer", () => {
  const readable = [
    entry({ data: bytes("1") }),
    entry({ context: encodeEntryContext({ kind: "register", nodeId: 2, nonce: 7 }) }),
    entry({
      data: bytes("2"),
      context: encodeEntryContext({ kind: "proposal", id: { session: 1, serial: 2, floor: 1 } }),
    }),
    entry({ type: "EntryConfChangeV2", data: change(encodeMemberUpdate({ addresses: [], newIds: [4] })) }),
    entry({ type: "EntryConfChangeV2" }),
  ];
  const unreadable: readonly [string, Entry][] = [
    ["a command that the executor cannot decode", entry({ data: bytes("{") })],
    ["a command over the limit", entry({ data: bytes(`"${"x".repeat(100)}"`) })],
    ["a context of an unknown kind", entry({ data: bytes("1"), context: Uint8Array.of(9, 0, 0, 0) })],
    ["a context that is cut off", entry({ data: bytes("1"), context: Uint8Array.of(1) })],
    ["a change that is no protobuf", entry({ type: "EntryConfChangeV2", data: bytes("?") })],
    ["a change with a context that is none", entry({ type: "EntryConfChangeV2", data: change(bytes("{}")) })],
  ];

  test("are stepped as they are when they can be read", () => {
    const received = new ReceivedProposals(executor, 100, silentLogger);
    const message = proposal(...readable);
    expect(received.readable(message)).toBe(message);
    expect(received.refused).toBe(0);
  });

  for (const [what, bad] of unreadable) {
    test(`go without ${what} (RP1)`, () => {
      const received = new ReceivedProposals(executor, 100, silentLogger);
      expect(received.readable(proposal(...readable, bad)).entries).toEqual(readable);
      expect(received.refused).toBe(1);
    });
  }

  test("are the only messages that are looked at", () => {
    const received = new ReceivedProposals(executor, 100, silentLogger);
    const append = message({
      type: "MsgApp",
      from: 2,
      to: 1,
      entries: [entry({ term: 1, index: 1, data: bytes("{") })],
    });
    expect(received.readable(append)).toBe(append);
  });
});
