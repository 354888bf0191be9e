// @module-tag slow

// Bytes from anybody: whatever a stranger sends to a node, it goes on, keeps its bounds, and has counted it.
import { create, toBinary } from "@bufbuild/protobuf";
import type { NodeId } from "@raftoral/raft-core";
import { numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { encodeMessage, message } from "@raftoral/raft-core/transport";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  AcceptedSchema,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  type Feature,
  HelloSchema,
  type StreamKind,
} from "./gen/raftoral/v1/peer_pb.ts";
import { KindTally } from "./peer-stats.ts";
import { helloFrame, RawCall, RawPeer } from "./testing/raw-exchange.ts";
import { RecordingNode } from "./testing/recording-node.ts";
import { decodeBatches } from "./wire/batch-codec.ts";
import { compressionNamed } from "./wire/compression.ts";
import { compressFrame, FrameReader, frameOf } from "./wire/grpc-framing.ts";
import { acceptanceFailure, checkHello, helloTo, isRefusal } from "./wire/hello.ts";

const MAX_FRAME_BYTES = 100_000;
const WAIT = { timeout: 15_000, interval: 5 };
const refusals = new Set(["CODEC_INVALID", "TRANSPORT_FRAME_INVALID", "TRANSPORT_FRAME_TOO_LARGE"]);

function request(batches: readonly { groupId: bigint; messages: Uint8Array<ArrayBuffer>[] }[]): Uint8Array {
  return toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { batches: [...batches] }));
}

function codec(name: "zstd" | "deflate") {
  const found = compressionNamed(name);
  if (found === undefined) throw new Error(`this Node has no ${name}`);
  return found;
}

/** Bytes that were right once: some changed, some cut off, some repeated. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Buffer> {
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
  return fc
    .record({
      changes: fc.array(change, { maxLength: 4 }),
      cut: fc.nat({ max: 8 }),
      twice: fc.boolean(),
    })
    .map(({ changes, cut, twice }) => {
      const copy = Buffer.from(bytes);
      for (const { at, to } of changes) copy[at % copy.length] = to;
      const short = copy.subarray(0, copy.length - cut);
      return twice ? Buffer.concat([short, short]) : short;
    });
}

const batch = encodeMessage(
  message({
    type: "MsgApp",
    from: 5,
    to: 1,
    term: 3,
    index: 7,
    commit: 7,
    entries: [{ term: 3, index: 8, type: "EntryNormal", data: new Uint8Array(300).fill(7) }],
  }),
);
const VALID = request([{ groupId: 1n, messages: [new Uint8Array(batch), new Uint8Array(batch)] }]);

/** What was nasty to others' parsers. */
const CORPUS: readonly (readonly [string, Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["a frame of no bytes", frameOf(new Uint8Array(0))],
  ["thousands of frames of no bytes", Buffer.concat(Array.from({ length: 5000 }, () => frameOf(new Uint8Array(0))))],
  ["a prefix without an end", Buffer.from([0, 0, 0])],
  ["a frame of 4 GB", Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
  ["a compressed frame of 4 GB", Buffer.from([1, 0xff, 0xff, 0xff, 0xff])],
  ["a compressed frame of no bytes", Buffer.from([1, 0, 0, 0, 0])],
  ["flags that mean nothing", Buffer.from([0x80, 0, 0, 0, 1, 0])],
  ["a length that runs out of the frame", frameOf(Buffer.from("12ffffffff0f", "hex"))],
  ["a varint without an end", frameOf(Buffer.from("08ffffffffffffffffffffff", "hex"))],
  ["a group id above 2^53", frameOf(Buffer.from("120b08ffffffffffffffffff01", "hex"))],
  ["group 0", frameOf(request([{ groupId: 0n, messages: [new Uint8Array(batch)] }]))],
  ["a group that no node has", frameOf(request([{ groupId: 4_000_000n, messages: [new Uint8Array(batch)] }]))],
  ["a nested group of protobuf's first version", frameOf(Buffer.from("0b0b0b0b0b", "hex"))],
  [
    "batches of nothing, thousands",
    frameOf(Buffer.concat(Array.from({ length: 5000 }, () => Buffer.from("12020801", "hex")))),
  ],
  [
    "messages of nothing, thousands",
    frameOf(request([{ groupId: 1n, messages: Array.from({ length: 5000 }, () => new Uint8Array(0)) }])),
  ],
  ["a message local to its node", frameOf(request([{ groupId: 1n, messages: [Uint8Array.of(8, 0, 16, 1, 24, 5)] }]))],
  ["a bomb in zstd", compressFrame(frameOf(new Uint8Array(50_000_000)), codec("zstd"))],
  ["a bomb in deflate, on a stream of zstd", compressFrame(frameOf(new Uint8Array(5_000_000)), codec("deflate"))],
  ["zstd's magic and then noise", frameCompressed(Buffer.from("28b52ffdffffffffffffffffff", "hex"))],
  ["a zstd frame that asks for a window of 2 GB", frameCompressed(Buffer.from("28b52ffd00b8010000", "hex"))],
  ["the hello again", helloFrame(5, 1)],
  ["a frame again and again", Buffer.concat(Array.from({ length: 200 }, () => frameOf(VALID)))],
];

function frameCompressed(content: Buffer): Buffer {
  const frame = frameOf(content);
  frame[0] = 1;
  return frame;
}

describe("parsers", () => {
  test("answer any bytes with frames or a refusal, and hold at most one frame (framing)", () => {
    const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), damaged(frameOf(VALID))), { maxLength: 6 });
    const property = fc.property(pieces, fc.boolean(), (cut, isCompressed) => {
      const reader = new FrameReader(MAX_FRAME_BYTES);
      if (isCompressed) reader.acceptCompressed(codec("deflate"));
      try {
        for (const piece of cut) {
          reader.push(Buffer.from(piece), (frame) => expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES));
        }
      } catch (error) {
        expect(refusals).toContain((error as { code?: string }).code);
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("answer damaged batches with messages or CODEC_INVALID", () => {
    const property = fc.property(damaged(VALID), (bytes) => {
      try {
        decodeBatches(bytes, new KindTally(), () => {});
      } catch (error) {
        expect(error).toMatchObject({ code: "CODEC_INVALID" });
      }
    });
    fc.assert(property, { numRuns: 5000 });
  });

  test.each(["zstd", "deflate"] as const)(
    "answer damaged %s with bytes within the bound or a refusal (compression.ts Z1, Z2)",
    (name) => {
      const compressed = codec(name).compress(VALID);
      const bytes = fc.oneof(damaged(compressed), fc.uint8Array({ maxLength: 100 }).map(Buffer.from));
      const property = fc.property(bytes, fc.integer({ min: 1, max: 2000 }), (input, maxBytes) => {
        try {
          expect(codec(name).decompress(input, maxBytes).length).toBeLessThanOrEqual(maxBytes);
        } catch (error) {
          expect(refusals).toContain((error as { code?: string }).code);
        }
      });
      fc.assert(property, { numRuns: 2000 });
    },
  );

  test("decide on any hello, and on any answer to one", () => {
    const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const kinds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => n as StreamKind);
    const features = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => n as Feature));
    const hello = fc.record({
      clusterId: fc.oneof(fc.constant("default"), fc.string()),
      fromNodeId: fc.oneof(fc.constant(5n), uint64),
      toNodeId: fc.oneof(fc.constant(1n), uint64),
      incarnation: uint64,
      minFormatVersion: uint32,
      maxFormatVersion: uint32,
      address: fc.string(),
      streamKind: kinds,
      features,
    });
    const self = { clusterId: "default", nodeId: 1, incarnation: 0, address: undefined };
    const decide = fc.property(hello, (fields) => {
      const outcome = checkHello(create(HelloSchema, fields), self, () => 3);
      if (isRefusal(outcome)) expect(outcome.message).not.toBe("");
      else
        expect([outcome.from > 0, outcome.formatVersion, Number.isSafeInteger(outcome.from)]).toEqual([true, 1, true]);
    });
    fc.assert(decide, { numRuns: 2000 });
    const accepted = fc.record({
      formatVersion: uint32,
      incarnation: uint64,
      maxFrameBytes: uint32,
      features,
    });
    const believe = fc.property(accepted, (fields) => {
      const failure = acceptanceFailure(helloTo(2, self), create(AcceptedSchema, fields));
      if (fields.formatVersion !== 1) expect(failure).toBeDefined();
    });
    fc.assert(believe, { numRuns: 1000 });
  });
});

describe("a live node", () => {
  let node: RecordingNode;
  let friend: RecordingNode;
  let number = 1000;
  beforeAll(async () => {
    node = await RecordingNode.start(1, {
      maxFrameBytes: MAX_FRAME_BYTES,
      snapshotChunkBytes: 10_000,
      connectTimeoutMs: 500,
    });
    friend = await RecordingNode.start(7);
    friend.knows(node);
  });
  afterAll(async () => {
    await friend.stop();
    await node.stop();
  });

  /** The node is as before: it hears its friend, and keeps nothing of strangers. */
  async function expectAlive(): Promise<void> {
    await sendUntilReceived(friend.channel, node.receiver, numbered(7, 1, ++number));
    await vi.waitFor(() => {
      const stranger = node.transport.peerStats(1).find(({ peer }) => peer === 5);
      expect(stranger?.inboundStreams ?? 0).toBe(0);
    }, WAIT);
  }

  /** Sends, ends, and waits for the end of the call. */
  async function say(from: NodeId | undefined, bytes: Buffer): Promise<void> {
    const raw = new RawCall(node.address, { "grpc-encoding": "zstd" });
    try {
      if (from !== undefined) raw.write(helloFrame(from, 1));
      raw.stream.end(bytes);
      await raw.trailers;
    } finally {
      raw.close();
    }
  }

  test.each(CORPUS)("goes on after %s, before a hello and after it", async (_what, bytes) => {
    await say(undefined, bytes);
    await say(5, bytes);
    await expectAlive();
  });

  test("goes on after any bytes, and has counted whatever was no message for it", async () => {
    const frames = fc.oneof(
      damaged(frameOf(VALID)),
      damaged(compressFrame(frameOf(VALID), codec("zstd"))),
      damaged(VALID).map((bytes) => frameOf(bytes)),
      damaged(codec("zstd").compress(VALID)).map(frameCompressed),
      damaged(helloFrame(5, 1)),
      fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
    );
    const property = fc.asyncProperty(fc.option(fc.constant(5), { nil: undefined }), frames, async (from, bytes) => {
      await say(from, bytes);
    });
    await fc.assert(property, { numRuns: 300 });
    await expectAlive();
    const { framesRejected } = node.transport.counters(1);
    expect(framesRejected).toBeGreaterThan(50);
    expect(node.receiver.frames.every(({ from }) => from === 5 || from === 7)).toBe(true);
  });
});

describe("a node that calls", () => {
  test("goes on, and knows no peer, whatever is answered to its hello", async () => {
    const response = toBinary(
      ExchangeResponseSchema,
      create(ExchangeResponseSchema, {
        answer: { case: "accepted", value: create(AcceptedSchema, { formatVersion: 1 }) },
      }),
    );
    const answers = [
      Buffer.from([1, 0, 0, 0, 0]),
      Buffer.from([0, 0xff, 0xff, 0xff, 0xff]),
      frameOf(Buffer.from("ffffff", "hex")),
      Buffer.concat([frameOf(response), frameOf(response)]),
      ...fc.sample(damaged(response), 20).map((bytes) => frameOf(bytes)),
      ...fc.sample(fc.uint8Array({ maxLength: 60 }), 20).map(Buffer.from),
    ];
    let next = 0;
    const peer = await RawPeer.start({
      answer: () => undefined,
      opened: ({ stream }) => {
        stream.end(answers[next++ % answers.length]);
      },
    });
    const node = await RecordingNode.start(1, {
      connectTimeoutMs: 200,
      minBackoffMs: 0,
      maxBackoffMs: 0,
      refusedBackoffMs: 0,
    });
    try {
      node.transport.addNode({ nodeId: 2, address: peer.address });
      await vi.waitFor(() => {
        node.channel.send([numbered(1, 2, 1), message({ type: "MsgApp", from: 1, to: 2 })]);
        expect(next).toBeGreaterThanOrEqual(answers.length);
      }, WAIT);
      const lost = node.transport.peerStats(1)[0]?.control?.lost ?? 0;
      expect(lost).toBeGreaterThan(10);
      const friend = await RecordingNode.start(3);
      node.knows(friend);
      await sendUntilReceived(node.channel, friend.receiver, numbered(1, 3, 9));
      await friend.stop();
    } finally {
      peer.close();
      await node.stop();
    }
  });
});
