// A server that stops: health says so first, calls under way finish, new ones go elsewhere, peers are talked to until the end.
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { AnyExecutor } from "@raftoral/raft-core";
import { numbered, RecordingReceiver, sendUntilReceived } from "@raftoral/raft-core/testing";
import { afterEach, expect, test } from "vitest";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { RaftService } from "../gen/raftoral/raft_service_pb.ts";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import { startGrpcServer } from "./start-grpc-server.ts";

/** By number. */
const NAMES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A node whose commands are answered when the test says so. */
async function startNode() {
  const transport = new GrpcClusterTransport<AnyExecutor>([], { minBackoffMs: 5, maxBackoffMs: 20 });
  const receiver = new RecordingReceiver();
  const called = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  receiver.receiveCommand = async () => {
    called.resolve();
    await held.promise;
  };
  const server = await startGrpcServer("127.0.0.1:0", transport, 1);
  await transport.start();
  const channel = transport.peer(1).open(1, receiver);
  cleanUps.push(async () => {
    held.resolve();
    await server.close({ graceMs: 0 });
    await transport.shutdown();
  });
  const baseUrl = `http://${server.address}`;
  const call = () =>
    createClient(RaftService, createGrpcTransport({ baseUrl })).sendMessage({ command: new Uint8Array([1]) });
  const health = async () => {
    const { status } = await createClient(Health, createGrpcTransport({ baseUrl })).check({});
    return NAMES[status];
  };
  return { transport, server, channel, receiver, called: called.promise, answer: held.resolve, call, health };
}

test("a call under way finishes; health answers NOT_SERVING; a new call is told to go elsewhere", async () => {
  const node = await startNode();
  const running = node.call();
  await node.called;
  const order: string[] = [];
  const draining = node.server.drain({ graceMs: 60_000 }).then(() => order.push("drained"));
  expect(await node.health()).toBe("NOT_SERVING");
  await expect(node.call()).rejects.toMatchObject({
    code: Code.Unavailable,
    rawMessage: "node 1 is stopping; ask another",
  });
  expect(order).toEqual([]);
  node.answer();
  expect(await running).toMatchObject({ success: true });
  await draining;
  await node.server.close();
  await expect(node.health()).rejects.toMatchObject({ code: Code.Unavailable });
});

test("a call that does not finish is waited for no longer than was said", async () => {
  const node = await startNode();
  const running = node.call();
  running.catch(() => {});
  await node.called;
  await node.server.drain({ graceMs: 20 });
  await node.server.close({ graceMs: 20 });
  await expect(running).rejects.toMatchObject({ code: expect.any(Number) });
});

test("peers are talked to while clients are drained", async () => {
  const one = await startNode();
  const transport = new GrpcClusterTransport<AnyExecutor>([{ nodeId: 1, address: one.server.address }]);
  await transport.start();
  transport.addNode({ nodeId: 2, address: "127.0.0.1:1" });
  cleanUps.push(() => transport.shutdown());
  const channel = transport.peer(2).open(1, new RecordingReceiver());
  await sendUntilReceived(channel, one.receiver, numbered(2, 1, 1));
  await one.server.drain();
  channel.send([numbered(2, 1, 2)]);
  await one.receiver.untilNumber(2, 2);
});
