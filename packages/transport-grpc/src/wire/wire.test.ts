import { fromBinary } from "@bufbuild/protobuf";
import { type Message, message, messageSize } from "@raftoral/raft-core/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExchangeRequestSchema } from "../gen/raftoral/v1/peer_pb.ts";
import { SendQueue } from "../peer/send-queue.ts";
import { KindTally } from "../peer-stats.ts";
import { decodeBatches, encodeBatches } from "./batch-codec.ts";
import { FrameReader, frameOf, PREFIX_BYTES } from "./grpc-framing.ts";
import {
  decodeDiscoveryResponse,
  decodeMessageResponse,
  decodeRaftMessage,
  encodeDiscoveryResponse,
  encodeMessageResponse,
  encodeRaftMessage,
} from "./raft-service-codec.ts";

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
const safeInteger = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe("FrameReader", () => {
  test("finds the same messages however the bytes are cut", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(frameOf));
        const reader = new FrameReader(40);
        const received: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1);
          reader.push(bytes.subarray(at, end), (frame) => received.push(hex(frame)));
          at = end;
        }
        expect(received).toEqual(sent.map(hex));
        expect(reader.isBetweenMessages()).toBe(true);
      }),
    );
  });

  test("puts a large message together from pieces of a few bytes, in time linear in its length", () => {
    const sent = new Uint8Array(300_000).map((_, i) => i % 251);
    const bytes = frameOf(sent);
    const reader = new FrameReader(300_000);
    const received: Uint8Array[] = [];
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size % 3) + 1) {
      reader.push(Buffer.from(bytes.subarray(at, Math.min(bytes.length, at + size))), (frame) => received.push(frame));
    }
    expect(received).toHaveLength(1);
    expect(Buffer.compare(received[0] ?? new Uint8Array(0), sent)).toBe(0);
  });

  test("refuses a message above the bound by its length alone, and flags it does not know", () => {
    const tooLarge = expect.objectContaining({ code: "TRANSPORT_FRAME_TOO_LARGE" });
    expect(() => new FrameReader(10).push(Buffer.from([0, 0, 0, 0, 11]), () => {})).toThrow(tooLarge);
    const invalid = expect.objectContaining({ code: "TRANSPORT_FRAME_INVALID" });
    expect(() => new FrameReader(10).push(Buffer.from([1, 0, 0, 0, 1]), () => {})).toThrow(invalid);
  });
});

describe("the batch codec", () => {
  const sent = fc.array(fc.tuple(safeInteger, safeInteger), { minLength: 1, maxLength: 30 });
  const columnsOf = (pairs: readonly (readonly [number, number])[]) => {
    const messages = pairs.map(([, index]) => message({ type: "MsgHeartbeat", from: 1, to: 2, term: 3, index }));
    return { groupIds: pairs.map(([groupId]) => groupId), messages, sizes: messages.map(messageSize) };
  };

  test("gives back what it was given, group by group, in order", () => {
    fc.assert(
      fc.property(sent, (pairs) => {
        const received: [number, Message][] = [];
        const frame = encodeBatches(columnsOf(pairs), 0, pairs.length).subarray(PREFIX_BYTES);
        const tally = new KindTally();
        decodeBatches(frame, tally, (groupId, messages) => {
          for (const each of messages) received.push([groupId, each]);
        });
        const bytes = received.reduce((sum, [, each]) => sum + messageSize(each), 0);
        expect(tally.read()).toEqual([{ type: "MsgHeartbeat", messages: pairs.length, bytes }]);
        expect(received.map(([groupId, each]) => [groupId, each.index])).toEqual(pairs);
      }),
    );
  });

  test("writes what generated code reads", () => {
    fc.assert(
      fc.property(sent, (pairs) => {
        const frame = encodeBatches(columnsOf(pairs), 0, pairs.length);
        const { batches } = fromBinary(ExchangeRequestSchema, frame.subarray(PREFIX_BYTES));
        expect(batches.flatMap(({ groupId, messages }) => messages.map(() => Number(groupId)))).toEqual(
          pairs.map(([groupId]) => groupId),
        );
      }),
    );
  });

  test("decodes any bytes or refuses them with CODEC_INVALID", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeBatches(bytes, new KindTally(), () => {});
        } catch (error) {
          expect(error).toMatchObject({ code: "CODEC_INVALID" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("SendQueue", () => {
  test("keeps its bounds, and gives frames no larger than asked", () => {
    const each = message({
      type: "MsgApp",
      entries: [{ term: 1, index: 1, type: "EntryNormal", data: new Uint8Array(1000) }],
    });
    const size = messageSize(each);
    const byCount = new SendQueue(3, 1_000_000);
    expect([1, 2, 3, 4].map(() => byCount.push(1, each, size))).toEqual([true, true, true, false]);
    const byBytes = new SendQueue(100, size * 2);
    expect([1, 2, 3].map(() => byBytes.push(1, each, size))).toEqual([true, true, false]);
    const queue = new SendQueue(100, 1_000_000);
    for (let i = 0; i < 10; i++) queue.push(i, each, size);
    let messages = 0;
    const tally = new KindTally();
    while (queue.length > 0) {
      const taken = queue.takeFrame(3500, tally);
      expect(taken.frame.length).toBeLessThanOrEqual(3500);
      messages += taken.messages;
    }
    expect([messages, queue.bytes]).toEqual([10, 0]);
    expect(tally.read()).toEqual([{ type: "MsgApp", messages: 10, bytes: size * 10 }]);
  });
});

describe("the first contract's messages", () => {
  test("keep their bytes", () => {
    const raftMessage = Uint8Array.of(8, 8);
    expect(hex(encodeRaftMessage({ raftMessage }))).toBe("0a020808");
    expect(hex(encodeRaftMessage({ command: raftMessage }))).toBe("12020808");
    expect(hex(decodeRaftMessage(Buffer.from("12020808", "hex")).command)).toBe("0808");
    expect(hex(encodeMessageResponse({ success: true, error: "" }))).toBe("0801");
    expect(decodeMessageResponse(Buffer.from("12026e6f", "hex"))).toEqual({ success: false, error: "no" });
    const discovered = { nodeId: 2, role: "LEADER", highestKnownNodeId: 5, address: "127.0.0.1:5001" } as const;
    expect(hex(encodeDiscoveryResponse(discovered))).toBe("080210021805220e3132372e302e302e313a35303031");
    expect(decodeDiscoveryResponse(encodeDiscoveryResponse(discovered))).toEqual(discovered);
  });
});
