// What two nodes of different versions agree on, and what they leave alone: versions, features, compression, unknown fields.
import { create, toBinary } from "@bufbuild/protobuf";
import type { NodeId } from "@raftoral/raft-core";
import { numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { encodeMessage, type Message, message } from "@raftoral/raft-core/transport";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ExchangeRequestSchema, Feature, RefusalCode } from "./gen/raftoral/v1/peer_pb.ts";
import { transportSettings } from "./options.ts";
import { helloFrame, RawCall, RawPeer, type RawPeerOptions } from "./testing/raw-exchange.ts";
import { RecordingNode } from "./testing/recording-node.ts";
import { compressionNamed } from "./wire/compression.ts";
import { compressFrame, frameOf } from "./wire/grpc-framing.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
const WAIT = { timeout: 15_000, interval: 5 };

async function start(...args: Parameters<typeof RecordingNode.start>): Promise<RecordingNode> {
  const node = await RecordingNode.start(...args);
  cleanUps.push(() => node.stop());
  return node;
}

function call(node: RecordingNode, headers: Record<string, string> = {}): RawCall {
  const raw = new RawCall(node.address, headers);
  cleanUps.push(() => raw.close());
  return raw;
}

async function rawPeer(options: RawPeerOptions): Promise<RawPeer> {
  const peer = await RawPeer.start(options);
  cleanUps.push(() => peer.close());
  return peer;
}

function frameWith(...messages: readonly Message[]): Buffer {
  const batches = [{ groupId: 1n, messages: messages.map(encodeMessage) }];
  return frameOf(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { batches })));
}

/** An append of JSON, as workflows replicate it. */
function append(from: NodeId, to: NodeId, number: number, records = 200): Message {
  const rows = Array.from({ length: records }, (_, i) => ({
    id: `order-${number}-${i}`,
    status: "confirmed",
    total: i,
  }));
  const data = Buffer.from(JSON.stringify(rows));
  return message({
    type: "MsgApp",
    from,
    to,
    term: 1,
    commit: number,
    entries: [{ term: 1, index: 1, type: "EntryNormal", data: new Uint8Array(data) }],
  });
}

/** Field 1000, which no version has: four bytes. */
const UNKNOWN = Buffer.from("c23e0401020304", "hex");

describe("a peer of another version", () => {
  test.each([
    ["an older one, without features", { minFormatVersion: 1, maxFormatVersion: 1, features: [] }, []],
    [
      "a newer one that still speaks the old format, with features from the future",
      { minFormatVersion: 1, maxFormatVersion: 9, features: [77 as Feature, Feature.DEFLATE_FRAMES] },
      [Feature.DEFLATE_FRAMES],
    ],
  ])("is accepted with what both have: %s", async (_what, changes, features) => {
    const node = await start(1);
    const raw = call(node);
    raw.write(helloFrame(5, 1, changes), frameWith(numbered(5, 1, 3)));
    expect(await raw.answer()).toMatchObject({ case: "accepted", value: { formatVersion: 1, features } });
    await node.receiver.untilNumber(5, 3);
  });

  test("is refused, and told both ranges, when there is no version that both speak", async () => {
    const node = await start(1);
    for (const [minFormatVersion, maxFormatVersion] of [
      [2, 9],
      [0, 0],
    ] as const) {
      const raw = call(node);
      raw.write(helloFrame(5, 1, { minFormatVersion, maxFormatVersion }));
      const answer = await raw.answer();
      expect(answer).toMatchObject({ case: "refusal", value: { code: RefusalCode.FORMAT_VERSION } });
      expect(answer.case === "refusal" && answer.value.message).toContain(`${minFormatVersion} to ${maxFormatVersion}`);
    }
  });

  test.each([
    ["a version", { formatVersion: 3 }, "format version 3 was not offered"],
    ["a feature", { formatVersion: 1, features: [77 as Feature] }, "features were accepted that were not offered"],
  ])("that accepts %s which was not offered is not believed", async (_what, answer, text) => {
    const peer = await rawPeer({ answer: () => answer });
    const node = await start(1);
    node.transport.addNode({ nodeId: 2, address: peer.address });
    await node.sendUntilUnreachable(2);
    expect(node.log.find(({ level }) => level === "warn")?.fields.reason).toContain(text);
  });

  test("may refuse for a reason that this version does not know", async () => {
    const peer = await rawPeer({ refusal: { code: 99 as RefusalCode, message: "the moon is full" } });
    const node = await start(1);
    node.transport.addNode({ nodeId: 2, address: peer.address });
    await node.sendUntilUnreachable(2);
    const line = node.log.find(({ level }) => level === "error");
    expect(line).toMatchObject({ fields: { reason: "UNKNOWN" } });
    expect(line?.text).toContain("the moon is full");
  });
});

describe("fields of a later version", () => {
  test("are passed over in a hello, a frame, a batch and a message", async () => {
    const node = await start(1);
    const raw = call(node);
    const hello = helloFrame(5, 1).subarray(5);
    // The hello is the request's only field: tag, length of one byte, content.
    const longer = Buffer.concat([Buffer.from([hello[0] ?? 0, hello.length - 2 + UNKNOWN.length]), hello.subarray(2)]);
    const encoded = Buffer.concat([UNKNOWN, encodeMessage(numbered(5, 1, 4)), UNKNOWN]);
    const batch = Buffer.concat([UNKNOWN, Buffer.from([0x08, 1, 0x12, encoded.length]), encoded]);
    const frame = Buffer.concat([UNKNOWN, Buffer.from([0x12, batch.length]), batch]);
    raw.write(frameOf(Buffer.concat([longer, UNKNOWN])), frameOf(frame));
    expect(await raw.answer()).toMatchObject({ case: "accepted" });
    await node.receiver.untilNumber(5, 4);
    expect(node.receiver.messages).toEqual([numbered(5, 1, 4)]);
  });

  test("inside an entry's data and context arrive untouched, also in what is passed on", async () => {
    const [one, two, three] = [await start(1), await start(2), await start(3)];
    one.knows(two);
    two.knows(three);
    const entries = [
      {
        term: 0,
        index: 0,
        type: "EntryNormal" as const,
        data: new Uint8Array(UNKNOWN),
        context: new Uint8Array(UNKNOWN),
      },
    ];
    const proposal = (to: NodeId) => message({ type: "MsgProp", from: 1, to, commit: 8, entries });
    await sendUntilReceived(one.channel, two.receiver, proposal(2));
    const [received] = two.receiver.messages;
    // As a follower does with a proposal: for the leader, under the name of who made it.
    two.channel.send([{ ...(received ?? proposal(2)), to: 3 }]);
    await three.receiver.until(() => three.receiver.messages.length > 0, "the proposal");
    expect(three.receiver.messages[0]?.entries).toEqual(entries);
  });
});

describe.each(["zstd", "deflate"] as const)("frames compressed with %s", (compression) => {
  test("carry large batches, where both sides have it; small ones stay as they are", async () => {
    const one = await start(1, { compression });
    const two = await start(2);
    one.knows(two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 2, 1));
    const before = one.transport.peerStats(1)[0];
    expect([before?.control?.framesCompressed, before?.appends?.framesCompressed]).toEqual([0, 0]);
    one.channel.send([append(1, 2, 3)]);
    await two.receiver.untilNumber(1, 3);
    expect(two.receiver.messages.find(({ commit }) => commit === 3)).toEqual(append(1, 2, 3));
    const {
      framesCompressed = 0,
      bytesBeforeCompression = 0,
      bytesAfterCompression = 0,
    } = one.transport.peerStats(1)[0]?.appends ?? {};
    expect(framesCompressed).toBe(1);
    expect(bytesAfterCompression * 3).toBeLessThan(bytesBeforeCompression);
    // And back, uncompressed: each side decides for what it sends.
    two.knows(one);
    two.channel.send([append(2, 1, 4)]);
    await one.receiver.untilNumber(2, 4);
    expect(two.transport.peerStats(2)[0]?.appends?.framesCompressed).toBe(0);
  });

  test("are not sent to a peer that did not agree to them", async () => {
    const older = await rawPeer({ answer: () => ({ formatVersion: 1 }) });
    const node = await start(1, { compression });
    node.transport.addNode({ nodeId: 2, address: older.address });
    node.channel.send([append(1, 2, 1), append(1, 2, 2)]);
    await vi.waitFor(() => expect(older.streams.flatMap(({ frames }) => frames)).toHaveLength(1), WAIT);
    const [stream] = older.streams.filter(({ frames }) => frames.length > 0);
    expect(stream?.frames[0]?.flags).toBe(0);
    expect(stream?.headers["grpc-encoding"]).toBe(compression);
  });

  test("are gRPC's own: flag, and the call's grpc-encoding", async () => {
    const node = await start(1);
    const codec = compressionNamed(compression);
    if (codec === undefined) throw new Error(`this Node has no ${compression}`);
    const raw = call(node, { "grpc-encoding": compression });
    raw.write(helloFrame(5, 1), compressFrame(frameWith(append(5, 1, 6)), codec));
    await node.receiver.untilNumber(5, 6);
    expect(node.receiver.messages[0]).toEqual(append(5, 1, 6));
  });

  test.each([
    ["without an agreement in the hello", { features: [] }, {}, "was not agreed on"],
    ["without the call's grpc-encoding", {}, { "grpc-encoding": "identity" }, "was not agreed on"],
    ["with an encoding that no node has", {}, { "grpc-encoding": "snappy" }, "was not agreed on"],
  ])("are refused and counted %s", async (_what, changes, headers, text) => {
    const node = await start(1);
    const codec = compressionNamed(compression);
    if (codec === undefined) throw new Error(`this Node has no ${compression}`);
    const raw = call(node, { "grpc-encoding": compression, ...headers });
    raw.write(helloFrame(5, 1, changes), compressFrame(frameWith(append(5, 1, 6)), codec));
    expect(decodeURIComponent(String((await raw.trailers)["grpc-message"]))).toContain(text);
    expect(node.transport.counters(1).framesRejected).toBe(1);
    expect(node.receiver.messages).toEqual([]);
  });

  test("that unfold to more than a frame may hold are refused and counted, whatever they claim (compression.ts Z1)", async () => {
    const node = await start(1, { maxFrameBytes: 1_000_000 });
    const codec = compressionNamed(compression);
    if (codec === undefined) throw new Error(`this Node has no ${compression}`);
    const raw = call(node, { "grpc-encoding": compression });
    const bomb = compressFrame(frameOf(new Uint8Array(100_000_000)), codec);
    expect(bomb.length).toBeLessThan(1_000_000);
    raw.write(helloFrame(5, 1), bomb);
    expect(decodeURIComponent(String((await raw.trailers)["grpc-message"]))).toContain("maxFrameBytes");
    expect(node.transport.counters(1).framesRejected).toBe(1);
  });
});

describe("the option compression", () => {
  test("refuses what is no compression", () => {
    const compression = "gzip" as "zstd";
    expect(() => transportSettings({ compression })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
