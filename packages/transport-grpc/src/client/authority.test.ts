// What calls name as their authority: an IPv6 address in its brackets, which Node's own client leaves out.
import { once } from "node:events";
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { fixedContent, numbered, snapshotAnnouncement } from "@raftoral/raft-core/testing";
import { afterEach, expect, test } from "vitest";
import { RecordingNode } from "../testing/recording-node.ts";
import { RaftClient } from "./raft-client.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server on IPv6 that hangs up on each call, and the authorities that were named, by path. */
async function startServer() {
  const authorities = new Map<string, string | undefined>();
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  const server = http2.createServer();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    authorities.set(String(headers[":path"]), headers[":authority"]);
    for (const wake of waiting) wake();
    stream.close(http2.constants.NGHTTP2_CANCEL);
  });
  server.listen(0, "::1");
  await once(server, "listening");
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const authorityOf = async (path: string) => {
    while (!authorities.has(path)) await new Promise<void>((resolve) => waiting.add(resolve));
    return authorities.get(path);
  };
  return { address: `[::1]:${(server.address() as AddressInfo).port}`, authorityOf };
}

test("clients, streams of peers, snapshots and requests for them name an IPv6 address in brackets", async () => {
  const { address, authorityOf } = await startServer();
  const client = await RaftClient.connect(address);
  cleanUps.push(() => client.close());
  client.discover().catch(() => {});
  expect(await authorityOf("/raftoral.RaftService/Discover")).toBe(address);

  const node = await RecordingNode.start(1);
  cleanUps.push(() => node.stop());
  node.transport.addNode({ nodeId: 2, address });
  node.transport.addNode({ nodeId: 3, address });
  node.channel.send([numbered(1, 2, 1)]);
  expect(await authorityOf("/raftoral.v1.PeerService/Exchange")).toBe(address);
  node.channel.sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(new Uint8Array(10))).catch(() => {});
  expect(await authorityOf("/raftoral.v1.PeerService/SendSnapshot")).toBe(address);
  node.channel.delegateSnapshot?.(2, snapshotAnnouncement(1, 3), 1).catch(() => {});
  expect(await authorityOf("/raftoral.v1.PeerService/DelegateSnapshot")).toBe(address);
});
