// Snapshots between two nodes over sockets that are cut, limits, and what strangers send instead of them.
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { crc32, deflateSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { type AnyExecutor, silentLogger } from "@raftoral/raft-core";
import { fixedContent, RecordingReceiver, snapshotAnnouncement } from "@raftoral/raft-core/testing";
import { encodeMessage, type Message, type SnapshotStream } from "@raftoral/raft-core/transport";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { DelegateSnapshotRequestSchema } from "./gen/raftoral/v1/peer_pb.ts";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "./options.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";
import { frameOf } from "./wire/grpc-framing.ts";
import { DELEGATE_SNAPSHOT_PATH, SEND_SNAPSHOT_PATH } from "./wire/h2.ts";
import { helloTo } from "./wire/hello.ts";
import { encodeChunkHeader, encodePart } from "./wire/snapshot-codec.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startNode(nodeId: number, options: GrpcTransportOptions = {}) {
  const transport = new GrpcClusterTransport<AnyExecutor>([], {
    minBackoffMs: 5,
    maxBackoffMs: 20,
    snapshotChunkBytes: 16 * 1024,
    logger: silentLogger,
    ...options,
  });
  const server = await startGrpcServer("127.0.0.1:0", transport, nodeId);
  await transport.start();
  cleanUps.push(async () => {
    await server.close({ graceMs: 0 });
    await transport.shutdown();
  });
  const open = (groupId: number) => {
    const receiver = new RecordingReceiver();
    return { receiver, channel: transport.peer(nodeId).open(groupId, receiver) };
  };
  return { nodeId, transport, server, open, counters: transport.counters(nodeId) };
}
type TestNode = Awaited<ReturnType<typeof startNode>>;

/** A way to a node that can be cut, and that counts what goes to it. */
async function wayTo(node: TestNode) {
  const [host = "", port] = node.server.address.split(":");
  const way = { bytes: 0, connections: 0, cutAfter: Number.POSITIVE_INFINITY, isOpen: true };
  const sockets = new Set<net.Socket>();
  const proxy = net.createServer((near) => {
    way.connections += 1;
    if (!way.isOpen) {
      near.destroy();
      return;
    }
    const far = net.connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    let passed = 0;
    near.on("data", (piece: Buffer) => {
      way.bytes += piece.length;
      passed += piece.length;
      far.write(piece);
      if (passed >= way.cutAfter) near.destroy();
    });
    far.pipe(near);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { way, address: `127.0.0.1:${(proxy.address() as net.AddressInfo).port}` };
}

const CONTENT = Uint8Array.from({ length: 700_000 }, (_, at) => (at ^ (at >>> 8)) & 0xff);

/** Takes content as it comes, and says what it got. */
function collecting(receiver: RecordingReceiver) {
  const got = { begun: 0, content: Buffer.alloc(0), failures: [] as string[], announced: [] as Message[] };
  receiver.onSnapshot = async (announced, content) => {
    got.begun += 1;
    got.announced.push(announced);
    const pieces: Buffer[] = [];
    receiver.changed();
    try {
      for await (const chunk of content) pieces.push(Buffer.from(chunk));
      got.content = Buffer.concat(pieces);
    } catch (error) {
      got.failures.push((error as Error).message);
      throw error;
    } finally {
      receiver.changed();
    }
  };
  return got;
}

async function pair(options: GrpcTransportOptions = {}) {
  const [one, two] = [await startNode(1, options), await startNode(2, options)];
  const { way, address } = await wayTo(two);
  one.transport.addNode({ nodeId: 2, address });
  return { one, two, way, from: one.open(1), to: two.open(1) };
}

describe("a snapshot whose connection is cut", () => {
  test("goes on where it was, and its receiver sees one content", async () => {
    const { one, way, from, to } = await pair();
    const got = collecting(to.receiver);
    way.cutAfter = 300_000;
    await from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    expect(got.begun).toBe(1);
    expect(got.content.equals(CONTENT)).toBe(true);
    expect(one.counters.snapshotsResumed).toBeGreaterThanOrEqual(2);
    expect(way.connections).toBe(one.counters.snapshotsResumed + 1);
    // Each cut costs at most what was under way.
    expect(one.counters.snapshotBytesSent).toBeLessThan(3 * CONTENT.length);
  });

  test("is given up on both sides when the sender does not come back", async () => {
    const { one, two, way, from, to } = await pair({ snapshotResumeTimeoutMs: 100 });
    const got = collecting(to.receiver);
    way.cutAfter = 300_000;
    const sent = from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    sent.catch(() => {});
    await to.receiver.until(() => got.begun > 0, "a beginning");
    way.isOpen = false;
    await expect(sent).rejects.toMatchObject({ code: "TRANSPORT_PEER_UNREACHABLE" });
    await to.receiver.until(() => got.failures.length > 0, "the receiver's failure");
    expect(got.failures[0]).toContain("cut after");
    await expect.poll(() => two.transport.peer(2).snapshots.receipts.size).toBe(0);
    expect(one.counters.snapshotsFailed).toBe(1);
  });

  test("does not go on when its content may be another by then", async () => {
    const { one, way, from, to } = await pair();
    const got = collecting(to.receiver);
    way.cutAfter = 300_000;
    const once: SnapshotStream = {
      async *[Symbol.asyncIterator]() {
        yield CONTENT;
      },
    };
    await expect(from.channel.sendSnapshot(snapshotAnnouncement(1, 2), once)).rejects.toMatchObject({
      code: "TRANSPORT_PEER_UNREACHABLE",
    });
    await to.receiver.until(() => got.failures.length > 0, "the receiver's failure");
    expect(one.counters.snapshotsResumed).toBe(0);
  });

  test("makes room for another one", async () => {
    const { two, way, from, to } = await pair({ maxSnapshotReceipts: 1 });
    const got = collecting(to.receiver);
    way.cutAfter = 300_000;
    const first = from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    first.catch(() => {});
    await to.receiver.until(() => got.begun > 0, "a beginning");
    way.isOpen = false;
    await expect.poll(() => two.transport.peer(2).snapshots.receipts.fed, { timeout: 5_000 }).toBe(0);
    const third = await startNode(3);
    third.transport.addNode({ nodeId: 2, address: two.server.address });
    const other = new Uint8Array(1000).fill(9);
    await third.open(1).channel.sendSnapshot(snapshotAnnouncement(3, 2), fixedContent(other));
    expect(got.failures).toEqual([expect.stringContaining("another snapshot came in its place")]);
    expect(got.content.equals(other)).toBe(true);
  });

  test("goes on from any member that has the same bytes", async () => {
    const { two, way, from, to } = await pair();
    const got = collecting(to.receiver);
    way.cutAfter = 300_000;
    const first = from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    first.catch(() => {});
    await to.receiver.until(() => got.begun > 0, "a beginning");
    way.isOpen = false;
    await expect.poll(() => two.transport.peer(2).snapshots.receipts.fed, { timeout: 5_000 }).toBe(0);
    const third = await startNode(3);
    third.transport.addNode({ nodeId: 2, address: two.server.address });
    await third.open(1).channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    expect([got.begun, got.failures]).toEqual([1, []]);
    expect(got.content.equals(CONTENT)).toBe(true);
    expect(third.counters.snapshotBytesSent).toBeLessThan(CONTENT.length);
  });
});

describe("limits of snapshots", () => {
  test("put off a send above maxSnapshotSends, and take it when one has ended", async () => {
    const { one, from, to } = await pair({ maxSnapshotSends: 1 });
    const gate = Promise.withResolvers<void>();
    to.receiver.onSnapshot = async () => await gate.promise;
    const first = from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    await expect(
      one.open(7).channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT)),
    ).rejects.toMatchObject({
      code: "TRANSPORT_SNAPSHOT_LIMIT",
      retryable: true,
    });
    gate.resolve();
    await first;
    await from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    expect(one.counters.snapshotsPutOff).toBe(1);
  });

  test("put off a receipt above maxSnapshotReceipts, and one of a group that has one", async () => {
    const { one, two, from, to } = await pair({ maxSnapshotReceipts: 1 });
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    to.receiver.onSnapshot = async () => {
      begun.resolve();
      await gate.promise;
    };
    const first = from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    await begun.promise;
    two.open(7);
    const busy = { code: "TRANSPORT_SNAPSHOT_REJECTED", retryable: true, details: { reason: "SNAPSHOT_BUSY" } };
    const other = fixedContent(new Uint8Array(10));
    await expect(one.open(7).channel.sendSnapshot(snapshotAnnouncement(1, 2), other)).rejects.toMatchObject(busy);
    await expect(from.channel.sendSnapshot(snapshotAnnouncement(1, 2), other)).rejects.toMatchObject(busy);
    gate.resolve();
    await first;
    expect(two.counters.snapshotsPutOff).toBe(2);
  });
});

describe("chunks of a snapshot", () => {
  test("are compressed where that was asked for and makes them smaller", async () => {
    const { way, from, to } = await pair({ compression: "deflate" });
    const got = collecting(to.receiver);
    await from.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(CONTENT));
    expect(got.content.equals(CONTENT)).toBe(true);
    expect(way.bytes).toBeLessThan(CONTENT.length / 2);
  });
});

describe("what is not a snapshot", () => {
  const self = { clusterId: "default", nodeId: 5, incarnation: 0, address: undefined };
  const ABC = Buffer.from("abc");

  async function call(node: TestNode, frames: readonly Uint8Array[]): Promise<void> {
    const session = http2.connect(`http://${node.server.address}`);
    session.on("error", () => {});
    cleanUps.push(() => session.destroy());
    const stream = session.request({
      ":method": "POST",
      ":path": SEND_SNAPSHOT_PATH,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.resume();
    const closed = once(stream, "close");
    for (const frame of frames) stream.write(frame);
    stream.end();
    await closed;
    session.destroy();
  }

  const begin = (extra: object = {}) =>
    encodePart({
      case: "begin",
      value: { hello: helloTo(1, self), groupId: 1n, message: encodeMessage(snapshotAnnouncement(5, 1)), ...extra },
    });
  const chunk = (data: Uint8Array, header: { offset?: number; crc32?: number; plainBytes?: number } = {}) =>
    Buffer.concat([encodeChunkHeader({ offset: 0, crc32: crc32(data), plainBytes: 0, ...header }, data.length), data]);
  const end = (bytes: Uint8Array, total = bytes.length) =>
    encodePart({ case: "end", value: { totalBytes: BigInt(total), crc32: crc32(bytes) } });
  const zeros = deflateSync(Buffer.alloc(4 * 1024 * 1024));
  const content = { content: { totalBytes: 3n, crc32: crc32(ABC) } };

  test.each([
    ["a chunk with another checksum", [begin(), chunk(ABC, { crc32: 1 }), end(ABC)]],
    ["a chunk that was there before", [begin(), chunk(ABC), chunk(ABC), end(ABC)]],
    ["a chunk from further on", [begin(), chunk(ABC, { offset: 5 }), end(ABC)]],
    ["a chunk at an impossible offset", [begin(), frameOf(Buffer.from("120a08ffffffffffffffffff", "hex"))]],
    ["an end with another checksum", [begin(), chunk(ABC), end(Buffer.from("abd"))]],
    ["an end that is too early", [begin(), chunk(ABC), end(ABC, 4)]],
    ["more than was announced", [begin(content), chunk(Buffer.from("abcd")), end(Buffer.from("abcd"))]],
    ["compression that was not agreed on", [begin(), chunk(deflateSync(ABC), { plainBytes: 3 }), end(ABC)]],
    ["an unknown compression", [begin({ compression: "lzma" }), chunk(ABC, { plainBytes: 3 }), end(ABC)]],
    ["a bomb that says so", [begin({ compression: "deflate" }), chunk(zeros, { plainBytes: 2 ** 31 })]],
    ["a bomb that does not", [begin({ compression: "deflate" }), chunk(zeros, { plainBytes: 100 })]],
    ["bytes that do not decompress", [begin({ compression: "deflate" }), chunk(ABC, { plainBytes: 3 }), end(ABC)]],
    ["a second beginning", [begin(), begin(), end(ABC)]],
    ["no beginning", [chunk(ABC), end(ABC)]],
    ["no hello", [begin({ hello: undefined })]],
    ["another cluster's hello", [begin({ hello: helloTo(1, { ...self, clusterId: "blue" }) })]],
    ["a message for somebody else", [begin({ message: encodeMessage(snapshotAnnouncement(5, 9)) })]],
    ["a message that is none", [begin({ message: Buffer.from("ffff", "hex") })]],
    ["a frame that is not protobuf", [begin(), frameOf(Buffer.from("12ff", "hex"))]],
    ["a frame that is too large", [begin(), Buffer.from("00ffffffff00", "hex")]],
    ["a frame with flags", [begin(), Buffer.from("010000000100", "hex")]],
    ["a part of no known kind", [begin(), frameOf(Buffer.from("7a00", "hex"))]],
  ])("is refused and counted, and its group sees no end: %s", async (_what, frames) => {
    const node = await startNode(1, { maxFrameBytes: 1024 * 1024 });
    const got = collecting(node.open(1).receiver);
    await call(node, frames);
    expect(node.counters.snapshotsFailed).toBe(1);
    expect(node.counters.snapshotsReceived).toBe(0);
    expect(got.content).toHaveLength(0);
    await call(node, [begin(), chunk(ABC), end(ABC)]);
    expect(node.counters.snapshotsReceived).toBe(1);
    expect(got.content.equals(ABC)).toBe(true);
  });

  test("crashes nothing, whatever bytes come in whatever order", async () => {
    const node = await startNode(1, { maxFrameBytes: 64 * 1024, snapshotResumeTimeoutMs: 20 });
    const got = collecting(node.open(1).receiver);
    const good = [begin(), begin(content), chunk(ABC), chunk(ABC, { offset: 3 }), end(ABC), frameOf(ABC)];
    const damaged = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.nat(255))
      .map(([frame, at, value]) => Buffer.from(frame).fill(value, at % frame.length, (at % frame.length) + 1));
    const piece = fc.oneof(
      fc.constantFrom<Buffer>(...good.map((frame) => Buffer.from(frame))),
      damaged,
      fc.uint8Array(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        await call(node, pieces);
      }),
      { numRuns: 150 },
    );
    await expect.poll(() => node.transport.peer(1).snapshots.receipts.size, { timeout: 5_000 }).toBe(0);
    await call(node, [begin(), chunk(ABC), end(ABC)]);
    expect(got.content.equals(ABC)).toBe(true);
  });
});

describe("what is not a leader's wish", () => {
  const self = { clusterId: "default", nodeId: 5, incarnation: 0, address: undefined };
  const wish = (more: object = {}) =>
    frameOf(
      toBinary(
        DelegateSnapshotRequestSchema,
        create(DelegateSnapshotRequestSchema, {
          hello: helloTo(1, self),
          groupId: 1n,
          message: encodeMessage(snapshotAnnouncement(5, 3)),
          minIndex: 40n,
          ...more,
        }),
      ),
    );

  async function ask(node: TestNode, bytes: Uint8Array): Promise<string> {
    const session = http2.connect(`http://${node.server.address}`);
    session.on("error", () => {});
    cleanUps.push(() => session.destroy());
    const headers = { ":method": "POST", ":path": DELEGATE_SNAPSHOT_PATH, "content-type": "application/grpc" };
    const stream = session.request(headers);
    stream.on("error", () => {});
    const answer: Buffer[] = [];
    stream.on("data", (piece: Buffer) => answer.push(piece));
    const closed = once(stream, "close");
    stream.end(bytes);
    await closed;
    session.destroy();
    return Buffer.concat(answer).toString("latin1");
  }

  test.each([
    ["no hello", wish({ hello: undefined }), "hello"],
    ["another cluster's hello", wish({ hello: helloTo(1, { ...self, clusterId: "blue" }) }), "cluster"],
    ["in another node's name", wish({ message: encodeMessage(snapshotAnnouncement(2, 3)) }), "may not ask"],
    ["to send to itself", wish({ message: encodeMessage(snapshotAnnouncement(5, 1)) }), "may not ask"],
    ["an impossible index", wish({ minIndex: 2n ** 60n }), "may not ask"],
    ["for a group that is not here", wish({ groupId: 8n }), "no group 8"],
    ["a message that is none", wish({ message: Buffer.from("ffff", "hex") }), ""],
    ["no request", new Uint8Array(0), "without a request"],
    ["a frame that is not protobuf", frameOf(Buffer.from("0aff", "hex")), ""],
    ["a frame that is too large", Buffer.from("00ffffffff00", "hex"), "above the bound"],
  ])("is refused and counted: %s", async (_what, bytes, why) => {
    const node = await startNode(1);
    const { receiver } = node.open(1);
    let asked = 0;
    receiver.onDelegation = async () => {
      asked += 1;
    };
    expect(await ask(node, bytes)).toContain(why);
    expect([asked, node.counters.framesRejected]).toEqual([0, 1]);
    await ask(node, wish());
    expect([asked, node.counters.framesRejected]).toEqual([1, 1]);
  });
});
