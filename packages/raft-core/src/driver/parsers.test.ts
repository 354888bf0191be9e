// The parsers of the driver that read bytes from other nodes: any bytes give a value or CODEC_INVALID.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeConfChange, encodeConfChangeV2 } from "../eraftpb/conf-change.ts";
import { RaftError } from "../errors.ts";
import { message } from "../message.ts";
import { silentLogger } from "../ports/platform.ts";
import { anyDamaged } from "../testing/internal/wire/any-damage.ts";
import { anyConfChange, anyConfChangeV2 } from "../testing/internal/wire/arbitraries.ts";
import type { Entry } from "../types.ts";
import { decodeEntryContext, encodeEntryContext } from "./apply/entry-context.ts";
import { Sessions } from "./apply/sessions.ts";
import { decodePulse, decodePulseAnswer, encodePulse, encodePulseAnswer } from "./heartbeats/roster-codec.ts";
import { ReceivedProposals } from "./inbound/received-proposals.ts";
import { checkConfChange, readConfChange } from "./membership/conf-change.ts";
import { decodeMemberUpdate, encodeMemberUpdate, Members } from "./membership/members.ts";
import { checkedContent, encodeSnapshotHeader, splitHeader } from "./snapshots/snapshot-header.ts";

const safe = fc.maxSafeNat();
const id = fc.integer({ min: 1, max: 9 });

const context = fc.record({ session: safe, serial: safe, floor: safe }).map((fields) => {
  return encodeEntryContext({ kind: "proposal", id: fields });
});
const update = fc
  .record({ addresses: fc.array(fc.record({ nodeId: id, address: fc.string() })), newIds: fc.array(id) })
  .map(encodeMemberUpdate);
const pulse = fc
  .record({
    roster: safe,
    round: safe,
    base: safe,
    version: safe,
    lines: fc.array(fc.record({ groupId: safe, term: safe, commit: safe }), { maxLength: 5 }),
  })
  .map(encodePulse);
const answer = fc
  .record({ roster: safe, round: safe, version: safe, except: fc.array(safe, { maxLength: 5 }) })
  .map(encodePulseAnswer);
const header = fc
  .record({
    sessions: fc.array(fc.tuple(safe, safe, safe, fc.array(safe, { maxLength: 3 })), { maxLength: 3 }),
    members: fc.record({
      addresses: fc.array(fc.record({ nodeId: id, address: fc.string() }), { maxLength: 3 }),
      highestNodeId: safe,
    }),
  })
  .map(encodeSnapshotHeader);

function expectRefusal(error: unknown): void {
  if (!(error instanceof RaftError && error.code === "CODEC_INVALID")) throw error;
}

function attempt<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    expectRefusal(error);
    return undefined;
  }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("damaged bytes", () => {
  test("of an entry's context are a context or refused, and no session minds what one says", () => {
    const sessions = new Sessions();
    sessions.register(1);
    const property = fc.property(anyDamaged(context), (bytes) => {
      const read = attempt(() => decodeEntryContext(bytes));
      if (read?.kind === "proposal") sessions.admit(read.id.session, read.id.serial, read.id.floor, 2);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test("of a member update are ids and addresses or refused", () => {
    const property = fc.property(anyDamaged(update), (bytes) => {
      const read = attempt(() => decodeMemberUpdate(bytes));
      if (read === undefined) return;
      for (const nodeId of [...read.newIds, ...read.addresses.map((each) => each.nodeId)]) {
        expect(Number.isSafeInteger(nodeId) && nodeId > 0).toBe(true);
      }
      for (const { address } of read.addresses) expect(typeof address).toBe("string");
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test.each([
    ["no object", "1"],
    ["an id that is text", '{"addresses":[{"nodeId":"2","address":"a:1"}],"newIds":[]}'],
    ["an id that is none", '{"addresses":[],"newIds":[null]}'],
    ["an id below 1", '{"addresses":[],"newIds":[0]}'],
    ["an address that cannot be text", '{"addresses":[{"nodeId":2,"address":{"toString":1}}],"newIds":[]}'],
    ["a nest", `${"[".repeat(100_000)}`],
  ])("a member update with %s is refused", (_what, text) => {
    expect(() => decodeMemberUpdate(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: "CODEC_INVALID" }),
    );
  });

  test("of pulses and their answers are read or refused, and hold at most as many items as there are bytes for", () => {
    const property = fc.property(anyDamaged(pulse), anyDamaged(answer), (one, other) => {
      expect(attempt(() => decodePulse(one))?.lines.length ?? 0).toBeLessThanOrEqual(one.length);
      expect(attempt(() => decodePulseAnswer(other))?.except.length ?? 0).toBeLessThanOrEqual(other.length);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test("of a snapshot's header are one that can be restored or refused, alike when received and when restored", async () => {
    const damage = anyDamaged(header);
    const property = fc.asyncProperty(damage, fc.integer({ min: 1, max: 40 }), async (bytes, size) => {
      const restored = await splitHeader(pieces(bytes, size)).catch(expectRefusal);
      const received = await checkedContent(pieces(bytes, size))[Symbol.asyncIterator]().next().catch(expectRefusal);
      expect(received === undefined).toBe(restored === undefined || restored.header.stateIndex !== undefined);
      if (restored === undefined) return;
      new Sessions().restore(restored.header.sessions);
      new Members().restore(restored.header.members);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  test("of configuration changes and their members are left out of the log, or can be applied and refused (RP1)", () => {
    const none = { voters: [1, 2, 3], learners: [4], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const joint = { ...none, votersOutgoing: [1, 2], autoLeave: true };
    const change = fc.oneof(
      fc.tuple(anyConfChange, update).map(([fields, bytes]): Entry => {
        const data = encodeConfChange({ ...fields, context: bytes });
        return { term: 0, index: 0, type: "EntryConfChange", data };
      }),
      fc.tuple(anyConfChangeV2, update).map(([fields, bytes]): Entry => {
        const data = encodeConfChangeV2({ ...fields, context: bytes });
        return { term: 0, index: 0, type: "EntryConfChangeV2", data };
      }),
    );
    const damagedChange = change.chain((entry) => {
      return anyDamaged(fc.constant(entry.data)).map((data): Entry => ({ ...entry, data }));
    });
    const received = new ReceivedProposals({ decode: (bytes) => bytes }, 1000, silentLogger);
    let taken = 0;
    const property = fc.property(fc.oneof(change, damagedChange), (entry) => {
      const { entries } = received.readable(message({ type: "MsgProp", from: 2, to: 1, entries: [entry] }));
      for (const each of entries) {
        taken += 1;
        // The apply thread does the same with the bytes.
        const read = readConfChange(each);
        const about = decodeMemberUpdate(read.context);
        const members = new Members();
        for (const confState of [none, joint]) {
          members.update(confState, { addresses: [], newIds: [] });
          void (checkConfChange(confState, read) ?? members.refusalOf(confState, read, about));
        }
      }
    });
    fc.assert(property, { numRuns: 2000 });
    expect(taken).toBeGreaterThan(100);
    expect(received.refused).toBeGreaterThan(100);
  });
});

describe("a snapshot from another node", () => {
  const of = (json: unknown) => {
    const text = new TextEncoder().encode(JSON.stringify(json));
    const bytes = new Uint8Array(4 + text.length);
    new DataView(bytes.buffer).setUint32(0, text.length);
    bytes.set(text, 4);
    return bytes;
  };
  const members = { addresses: [], highestNodeId: 1 };
  test.each([
    ["of nothing", null],
    ["without sessions", { version: 1, members }],
    ["with sessions that are none", { version: 1, sessions: [[1, 2]], members }],
    ["without members", { version: 1, sessions: [] }],
    ["with members that are none", { version: 1, sessions: [], members: { addresses: [{}], highestNodeId: 1 } }],
    ["of a later version", { version: 3, sessions: [], members }],
    ["without the state that it is of", { version: 2, sessions: [], members, stateIndex: 5 }],
  ])("is refused before it is stored: %s", async (_what, json) => {
    const content = checkedContent(pieces(of(json), 10));
    await expect(content[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "CODEC_INVALID" });
  });

  test("comes in as it was sent, and its header is read in time linear in it, however it is cut", async () => {
    const address = "x".repeat(200_000);
    const long = of({
      version: 1,
      sessions: [],
      members: { addresses: [{ nodeId: 1, address }], highestNodeId: 1 },
    });
    const sent = new Uint8Array(long.length + 10);
    sent.set(long);
    const parts: Uint8Array[] = [];
    for await (const part of checkedContent(pieces(sent, 1))) parts.push(part);
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
  });
});
