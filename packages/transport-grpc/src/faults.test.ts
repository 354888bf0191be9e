// What a network and its strangers do to a node: nothing here may crash it, and everything is counted.
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { AnyExecutor, Logger, NodeId } from "@raftoral/raft-core";
import { numbered, RecordingReceiver, sendUntilReceived, snapshotAnnouncement } from "@raftoral/raft-core/testing";
import { encodeMessage, message } from "@raftoral/raft-core/transport";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ExchangeRequestSchema, PeerService } from "./gen/raftoral/v1/peer_pb.ts";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "./options.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";
import { frameOf } from "./wire/grpc-framing.ts";
import { EXCHANGE_PATH } from "./wire/h2.ts";
import { helloTo } from "./wire/hello.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: object;
}

async function startNode(nodeId: NodeId, options: GrpcTransportOptions = {}, address = "127.0.0.1:0") {
  const log: LogLine[] = [];
  const record = (level: string) => (fields: object, text: string) => log.push({ level, fields, text });
  const logger: Logger = {
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
  const transport = new GrpcClusterTransport<AnyExecutor>([], {
    minBackoffMs: 5,
    maxBackoffMs: 20,
    logger,
    ...options,
  });
  const server = await startGrpcServer(address, transport, nodeId);
  await transport.start();
  const receiver = new RecordingReceiver();
  const channel = transport.peer(nodeId).open(1, receiver);
  const stop = async () => {
    await server.close({ graceMs: 0 });
    await transport.shutdown();
  };
  cleanUps.push(stop);
  return { nodeId, transport, server, receiver, channel, log, stop, counters: transport.counters(nodeId) };
}
type TestNode = Awaited<ReturnType<typeof startNode>>;

function introduce(from: TestNode, to: TestNode, asNodeId = to.nodeId): void {
  from.transport.addNode({ nodeId: asNodeId, address: to.server.address });
}

/** An Exchange call made by hand. */
async function rawCall(node: TestNode) {
  const session = http2.connect(`http://${node.server.address}`);
  session.on("error", () => {});
  cleanUps.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": EXCHANGE_PATH,
    "content-type": "application/grpc+proto",
  });
  stream.on("error", () => {});
  const trailers = once(stream, "trailers").then(([headers]) => headers as http2.IncomingHttpHeaders);
  stream.resume();
  return { stream, trailers };
}

function helloFrame(node: TestNode, from: NodeId): Buffer {
  const self = { clusterId: "default", nodeId: from, incarnation: 0, address: undefined };
  const request = create(ExchangeRequestSchema, { hello: helloTo(node.nodeId, self) });
  return frameOf(toBinary(ExchangeRequestSchema, request));
}

describe("a peer that is refused", () => {
  test.each([
    ["another cluster", { clusterId: "blue" }, { clusterId: "green" }, 2, "CLUSTER_MISMATCH"],
    ["another node at the address", {}, {}, 3, "NODE_MISMATCH"],
  ] as const)("is told why, and both log it once: %s", async (_what, mine, theirs, wanted, reason) => {
    const one = await startNode(1, { ...mine, refusedBackoffMs: 1 });
    const two = await startNode(2, theirs);
    introduce(one, two, wanted);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const before = two.counters.framesRejected;
      while (two.counters.framesRejected === before) {
        one.channel.send([numbered(1, wanted, 1)]);
        await new Promise(setImmediate);
      }
    }
    await one.receiver.until(() => one.receiver.unreachables.length > 0, "a report that the peer cannot be reached");
    expect(one.receiver.unreachables).toEqual([wanted]);
    expect(two.receiver.frames).toEqual([]);
    const refusals = one.log.filter((line) => line.level === "error");
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.fields).toMatchObject({ code: "TRANSPORT_PEER_REFUSED", reason });
    expect(two.log.filter((line) => line.level === "warn")).toHaveLength(1);
    const announcement = message({ type: "MsgSnap", from: 1, to: wanted, term: 1 });
    const content = async function* () {};
    await expect(one.channel.sendSnapshot(announcement, content())).rejects.toMatchObject({
      code: "TRANSPORT_PEER_REFUSED",
      details: { reason },
    });
  });

  test("is one that claims this node's own id", async () => {
    const node = await startNode(1);
    const { stream, trailers } = await rawCall(node);
    stream.write(helloFrame(node, 1));
    expect(await trailers).toMatchObject({ "grpc-status": "9" });
    expect(node.log.find((line) => line.level === "warn")?.fields).toMatchObject({ reason: "SENDER_INVALID" });
  });

  test("is an older start of a node of which a newer one was seen", async () => {
    const two = await startNode(2);
    const newer = await startNode(1, { incarnation: 5 });
    introduce(newer, two);
    await sendUntilReceived(newer.channel, two.receiver, numbered(1, 2, 1));
    const older = await startNode(1, { incarnation: 4, refusedBackoffMs: 1 });
    introduce(older, two);
    older.channel.send([numbered(1, 2, 2)]);
    await older.receiver.until(() => older.receiver.unreachables.length > 0, "a refusal");
    expect(older.log.find((line) => line.level === "error")?.fields).toMatchObject({ reason: "INCARNATION_STALE" });
    // What was sent until it was received may have come twice.
    expect(new Set(two.receiver.numbers(1))).toEqual(new Set([1]));
  });
});

describe("bytes that are not the protocol", () => {
  async function expectAlive(node: TestNode): Promise<void> {
    const friend = await startNode(7);
    introduce(friend, node);
    await sendUntilReceived(friend.channel, node.receiver, numbered(7, node.nodeId, 777));
  }

  test("on the bare port end that connection, are counted, and disturb no other connection", async () => {
    const node = await startNode(1);
    for (const bytes of ["GET /\r\n\r\n", "\u0016\u0003\u0001 hello TLS", "garbage".repeat(1000)]) {
      const [host, port] = node.server.address.split(":");
      const socket = net.connect(Number(port), host);
      socket.on("error", () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    }
    expect(node.counters.sessionsRejected).toBeGreaterThanOrEqual(1);
    await expectAlive(node);
  });

  test("are not those of a caller that spoke the protocol and cancels its connection", async () => {
    const node = await startNode(1);
    const session = http2.connect(`http://${node.server.address}`);
    session.on("error", () => {});
    cleanUps.push(() => session.destroy());
    await once(session, "remoteSettings");
    session.goaway(http2.constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(node.log.map((line) => line.text)).toContain("a connection was cut"));
    expect(node.counters.sessionsRejected).toBe(0);
  });

  test.each([
    ["no protobuf before the hello", () => [frameOf(Buffer.from([0xff, 0xff, 0xff]))]],
    ["no hello in the first frame", () => [frameOf(Buffer.alloc(0))]],
    ["a frame that is not protobuf", (node: TestNode) => [helloFrame(node, 5), frameOf(Buffer.from([0x12, 0x7f, 1]))]],
    [
      "a message that is not one",
      (node: TestNode) => [helloFrame(node, 5), frameOf(Buffer.from("1206080112020aff", "hex"))],
    ],
    ["a batch without a group", (node: TestNode) => [helloFrame(node, 5), frameOf(Buffer.from("1202120008", "hex"))]],
    ["a second hello", (node: TestNode) => [helloFrame(node, 5), helloFrame(node, 5)]],
    ["a compressed frame", (node: TestNode) => [helloFrame(node, 5), Buffer.from("0100000000", "hex")]],
  ] as const)("get an error and are counted: %s", async (_what, frames) => {
    const node = await startNode(1);
    const { stream, trailers } = await rawCall(node);
    for (const frame of frames(node)) stream.write(frame);
    expect((await trailers)["grpc-status"]).toBe("3");
    expect(node.counters.framesRejected).toBe(1);
    expect(node.receiver.frames).toEqual([]);
    await expectAlive(node);
  });

  test("get the same error when the caller has ended its side already", async () => {
    const node = await startNode(1);
    const { stream, trailers } = await rawCall(node);
    stream.end(frameOf(Buffer.from([0xff, 0xff, 0xff])));
    expect((await trailers)["grpc-status"]).toBe("3");
    expect(node.counters.framesRejected).toBe(1);
  });

  test("that claim to be a huge frame are refused before they come", async () => {
    const node = await startNode(1, { maxFrameBytes: 1_000_000 });
    const { stream, trailers } = await rawCall(node);
    stream.write(helloFrame(node, 5));
    stream.write(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]));
    expect((await trailers)["grpc-message"]).toContain("maxFrameBytes");
    await expectAlive(node);
  });

  test("in other frames than its own do not pass for another sender's messages", async () => {
    const node = await startNode(1);
    const liar = await startNode(5);
    introduce(liar, node);
    liar.channel.send([{ ...numbered(5, 1, 1), from: 6 }, numbered(5, 1, 2)]);
    await node.receiver.untilNumber(5, 2);
    expect(node.receiver.numbers(5)).toEqual([2]);
    expect(node.counters.framesRejected).toBe(1);
  });

  test("in a snapshot get a refusal, and the receiver sees no regular end", async () => {
    const node = await startNode(1);
    const client = createClient(PeerService, createGrpcTransport({ baseUrl: `http://${node.server.address}` }));
    const self = { clusterId: "default", nodeId: 5, incarnation: 0, address: undefined };
    let ends = 0;
    node.receiver.onSnapshot = async (_, chunks) => {
      for await (const _chunk of chunks);
      ends++;
    };
    const bytes = encodeMessage(snapshotAnnouncement(5, 1));
    const begin = { case: "begin" as const, value: { hello: helloTo(1, self), groupId: 1n, message: bytes } };
    const data = (crc32: number, offset = 0n) => ({
      case: "data" as const,
      value: { offset, data: Buffer.from("abc"), crc32 },
    });
    const end = (totalBytes: bigint, crc32: number) => ({ case: "end" as const, value: { totalBytes, crc32 } });
    const ABC = 0x352441c2;
    const send = async (...parts: (typeof begin | ReturnType<typeof data> | ReturnType<typeof end>)[]) => {
      const requests = async function* () {
        for (const part of parts) yield { part };
      };
      let last: string | undefined;
      for await (const { outcome } of client.sendSnapshot(requests())) {
        last = outcome.case === "refusal" ? outcome.value.message : outcome.case;
      }
      return last;
    };
    expect(await send(begin, data(1), end(3n, 1))).toContain("another checksum");
    expect(await send(begin, data(ABC, 5n), end(3n, ABC))).toContain("offset 5");
    expect(await send(begin, data(ABC))).toContain("without an end record");
    expect(await send(begin, data(ABC), end(4n, ABC))).toContain("3 of 4 bytes");
    expect(await send(data(ABC))).toContain("begins with");
    expect(ends).toBe(0);
    expect(await send(begin, data(ABC), end(3n, ABC))).toBe("stored");
    expect(ends).toBe(1);
  });
});

describe("a snapshot on its way to a peer that does not read", () => {
  test.each(["its group closes", "the transport is shut down"])("is given up when %s", async (what) => {
    const one = await startNode(1);
    const two = await startNode(2);
    introduce(one, two);
    const begun = Promise.withResolvers<void>();
    two.receiver.onSnapshot = async () => await new Promise(() => {});
    let isReleased = false;
    const content = async function* () {
      try {
        for (;;) {
          begun.resolve();
          yield new Uint8Array(100_000);
        }
      } finally {
        isReleased = true;
      }
    };
    const sent = one.channel.sendSnapshot(snapshotAnnouncement(1, 2), content());
    sent.catch(() => {});
    await begun.promise;
    if (what === "its group closes") one.channel.close();
    else await one.transport.shutdown();
    await expect(sent).rejects.toMatchObject({ code: "TRANSPORT_CLOSED" });
    expect(isReleased).toBe(true);
  });
});

describe("the peer stream", () => {
  test("is real gRPC: a Connect client can open it", async () => {
    const node = await startNode(1);
    const client = createClient(PeerService, createGrpcTransport({ baseUrl: `http://${node.server.address}` }));
    const self = { clusterId: "default", nodeId: 5, incarnation: 0, address: undefined };
    const requests = async function* () {
      yield { hello: helloTo(1, self) };
    };
    const answers: (string | undefined)[] = [];
    for await (const { answer } of client.exchange(requests())) answers.push(answer.case);
    expect(answers).toEqual(["accepted"]);
  });

  test("reconnects after the peer's process was killed and came back", async () => {
    const one = await startNode(1);
    const two = await startNode(2);
    introduce(one, two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    await two.stop();
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report of the outage");
    const again = await startNode(2, {}, two.server.address);
    await sendUntilReceived(one.channel, again.receiver, numbered(1, 2, 2));
    expect(one.receiver.unreachables).toEqual([2]);
  });

  test("notices a peer that accepts connections and never answers", async () => {
    const silent = net.createServer((socket) => socket.on("error", () => {}));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    cleanUps.push(() => silent.close());
    const one = await startNode(1, { connectTimeoutMs: 50 });
    one.transport.addNode({ nodeId: 2, address: `127.0.0.1:${(silent.address() as net.AddressInfo).port}` });
    one.channel.send([numbered(1, 2, 1)]);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report that the peer is silent");
  });

  test("notices a peer that stops answering pings in the middle", async () => {
    const two = await startNode(2);
    const [host, port] = two.server.address.split(":");
    const links: net.Socket[] = [];
    const proxy = net.createServer((near) => {
      const far = net.connect(Number(port), host);
      for (const socket of [near, far]) socket.on("error", () => {});
      near.pipe(far).pipe(near);
      links.push(near, far);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    cleanUps.push(() => {
      for (const link of links) link.destroy();
      proxy.close();
    });
    const one = await startNode(1, { keepaliveIntervalMs: 10, keepaliveMisses: 3 });
    one.transport.addNode({ nodeId: 2, address: `127.0.0.1:${(proxy.address() as net.AddressInfo).port}` });
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    for (const link of links) link.unpipe();
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report that the peer is silent");
  });

  test("ends an outage at once when the peer calls, however long the backoff", async () => {
    const one = await startNode(1, { minBackoffMs: 600_000, maxBackoffMs: 600_000 });
    const two = await startNode(2);
    introduce(one, two);
    await two.stop();
    one.channel.send([numbered(1, 2, 1)]);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report of the outage");
    expect(one.transport.peer(1).connectionState(2)).toBe("backoff");
    const again = await startNode(2, {}, two.server.address);
    introduce(again, one);
    await sendUntilReceived(again.channel, one.receiver, numbered(2, 1, 1));
    await sendUntilReceived(one.channel, again.receiver, numbered(1, 2, 2));
  });

  test("lets a peer that was not introduced be answered at the address it names", async () => {
    const one = await startNode(1);
    const two = await startNode(2);
    introduce(one, two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 2));
  });

  test("drops a message that no frame can carry, says so, and carries the next", async () => {
    const one = await startNode(1, { maxFrameBytes: 300_000 });
    const two = await startNode(2);
    introduce(one, two);
    const entries = [{ term: 1, index: 1, type: "EntryNormal" as const, data: new Uint8Array(400_000) }];
    one.channel.send([message({ type: "MsgApp", from: 1, to: 2, commit: 1, entries }), numbered(1, 2, 2)]);
    await two.receiver.untilNumber(1, 2);
    expect(two.receiver.numbers(1)).toEqual([2]);
    expect(one.counters.messagesDropped).toBe(1);
    expect(one.log.some((line) => line.level === "error" && line.text.includes("maxFrameBytes"))).toBe(true);
  });
});
