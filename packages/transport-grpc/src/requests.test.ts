// Requests of applications over sockets: the connection that they have for themselves, and what strangers send instead of them.
import { once } from "node:events";
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { type AnyExecutor, silentLogger } from "@raftoral/raft-core";
import { RecordingReceiver } from "@raftoral/raft-core/testing";
import { MAX_PEER_REQUEST_BYTES } from "@raftoral/raft-core/transport";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { AskRequestSchema } from "./gen/raftoral/v1/peer_pb.ts";
import { GrpcClusterTransport } from "./grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "./options.ts";
import { startGrpcServer } from "./server/start-grpc-server.ts";
import { frameOf, frameWithField } from "./wire/grpc-framing.ts";
import { ASK_PATH } from "./wire/h2.ts";
import { helloTo } from "./wire/hello.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startNode(nodeId: number, options: GrpcTransportOptions = {}) {
  const transport = new GrpcClusterTransport<AnyExecutor>([], { logger: silentLogger, ...options });
  const server = await startGrpcServer("127.0.0.1:0", transport, nodeId);
  await transport.start();
  cleanUps.push(async () => {
    await server.close({ graceMs: 0 });
    await transport.shutdown();
  });
  const receiver = new RecordingReceiver();
  const channel = transport.peer(nodeId).open(1, receiver);
  return { nodeId, transport, server, receiver, channel, counters: transport.counters(nodeId) };
}
type TestNode = Awaited<ReturnType<typeof startNode>>;

/** Two nodes that know each other. */
async function pair(options: GrpcTransportOptions = {}) {
  const [one, two] = [await startNode(1, options), await startNode(2, options)];
  one.transport.addNode({ nodeId: 2, address: two.server.address });
  two.transport.addNode({ nodeId: 1, address: one.server.address });
  return [one, two] as const;
}

const REQUEST = Uint8Array.of(1, 2, 3);

test("a frame whose bytes are copied once is the one that an encoder makes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40_000 }), fc.nat(), (request, group) => {
      const call = { groupId: BigInt(group), hello: { clusterId: "c", fromNodeId: 1n } };
      const encoded = frameOf(toBinary(AskRequestSchema, create(AskRequestSchema, { ...call, request })));
      const around = toBinary(AskRequestSchema, create(AskRequestSchema, call));
      expect(frameWithField(around, AskRequestSchema.field.request.number, request).equals(encoded)).toBe(true);
    }),
  );
});

test("requests to a peer share one connection, which nothing else uses", async () => {
  const [one, two] = await pair();
  two.receiver.onRequest = async (_, request) => request.slice();
  for (let i = 0; i < 20; i++) await one.channel.request?.(2, REQUEST);
  await Promise.all(Array.from({ length: 20 }, () => one.channel.request?.(2, REQUEST)));
  // No stream of messages was opened for them, and none is counted.
  expect(one.counters.framesSent).toBe(0);
  expect(one.counters.connectionsOpened).toBe(0);
});

test("a peer that does not answer is given up after its silence, and the next request goes well", async () => {
  const [one, two] = await pair({ snapshotIdleTimeoutMs: 100 });
  two.receiver.onRequest = () => new Promise(() => {});
  await expect(one.channel.request?.(2, REQUEST)).rejects.toMatchObject({
    code: "TRANSPORT_PEER_UNREACHABLE",
    retryable: true,
    message: expect.stringContaining("no answer within 100 ms"),
  });
  two.receiver.onRequest = async () => REQUEST;
  expect(await one.channel.request?.(2, REQUEST)).toHaveLength(3);
});

test("requests under way end with their group", async () => {
  const [one, two] = await pair();
  const begun = Promise.withResolvers<void>();
  two.receiver.onRequest = () => {
    begun.resolve();
    return new Promise(() => {});
  };
  const asked = expect(one.channel.request?.(2, REQUEST)).rejects.toMatchObject({ code: "TRANSPORT_CLOSED" });
  await begun.promise;
  one.channel.close();
  await asked;
});

test("a request to a node that is not known fails, and says so", async () => {
  const one = await startNode(1);
  await expect(one.channel.request?.(9, REQUEST)).rejects.toMatchObject({
    code: "TRANSPORT_PEER_UNREACHABLE",
    message: expect.stringContaining("not known here"),
  });
});

describe("what is not a peer's request", () => {
  const self = { clusterId: "default", nodeId: 5, incarnation: 0, address: undefined };
  const asked = (more: object = {}) =>
    frameOf(
      toBinary(
        AskRequestSchema,
        create(AskRequestSchema, { hello: helloTo(1, self), groupId: 1n, request: REQUEST, ...more }),
      ),
    );

  async function ask(node: TestNode, bytes: Uint8Array): Promise<string> {
    const session = http2.connect(`http://${node.server.address}`);
    session.on("error", () => {});
    cleanUps.push(() => session.destroy());
    const stream = session.request({ ":method": "POST", ":path": ASK_PATH, "content-type": "application/grpc" });
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
    ["no hello", asked({ hello: undefined }), "hello"],
    ["another cluster's hello", asked({ hello: helloTo(1, { ...self, clusterId: "blue" }) }), "cluster"],
    ["for another node", asked({ hello: helloTo(2, self) }), "wants node 2"],
    ["for a group that is not here", asked({ groupId: 8n }), "no group 8"],
    ["no request", new Uint8Array(0), "without a request"],
    ["a frame that is not protobuf", frameOf(Buffer.from("0aff", "hex")), ""],
    ["a frame that is too large", Buffer.from("00ffffffff00", "hex"), "above the bound"],
    ["more than there may be", asked({ request: new Uint8Array(2 * MAX_PEER_REQUEST_BYTES) }), "above the bound"],
  ])("is refused and counted: %s", async (_what, bytes, why) => {
    const node = await startNode(1);
    let heard = 0;
    node.receiver.onRequest = async () => {
      heard += 1;
      return REQUEST;
    };
    expect(await ask(node, bytes)).toContain(why);
    expect([heard, node.counters.framesRejected]).toEqual([0, 1]);
    await ask(node, asked());
    expect([heard, node.counters.framesRejected]).toEqual([1, 1]);
  });

  test("is refused whatever the bytes are, and the next request is answered", async () => {
    const node = await startNode(1);
    node.receiver.onRequest = async (_, request) => request.slice();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await ask(node, bytes);
      }),
      { numRuns: 50 },
    );
    expect(await ask(node, asked())).toContain("\u0001\u0002\u0003");
  });
});
