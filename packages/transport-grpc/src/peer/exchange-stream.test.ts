import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Clock, platformClock } from "@raftoral/raft-core";
import { afterEach, expect, test } from "vitest";
import { ExchangeResponseSchema } from "../gen/raftoral/v1/peer_pb.ts";
import { transportSettings } from "../options.ts";
import { frameOf } from "../wire/grpc-framing.ts";
import { helloTo } from "../wire/hello.ts";
import { ExchangeStream } from "./exchange-stream.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server that accepts every hello, and a stream to it whose pings the test sends. */
async function open(keepaliveMisses: number) {
  const server = http2.createServer();
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("sessionError", () => {});
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    const answer = { case: "accepted" as const, value: { formatVersion: 1, maxFrameBytes: 1_000_000 } };
    stream.write(frameOf(toBinary(ExchangeResponseSchema, create(ExchangeResponseSchema, { answer }))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  let ping = (): void => {};
  const clock: Clock = {
    ...platformClock,
    every: (_periodMs, fn) => {
      ping = fn;
      return () => {
        ping = () => {};
      };
    },
  };
  const accepted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const stream = new ExchangeStream({
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    knownAddress: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    hello: helloTo(2, { clusterId: "default", nodeId: 1, incarnation: 0, address: undefined }),
    encoding: undefined,
    settings: transportSettings({ keepaliveMisses }),
    clock,
    events: {
      connected: () => {},
      accepted: () => accepted.resolve(),
      refused: () => {},
      ended: (reason) => ended.resolve(reason),
      drained: () => {},
      roundTrip: () => {},
    },
  });
  cleanUps.push(() => stream.close());
  await accepted.promise;
  return { ended: ended.promise, ping: () => ping() };
}

// Node cancels pings beyond ten outstanding ones, and calls back with an error as it does for every ping of a session that ends.
test("takes a ping that was never sent for an unanswered one, however many may be missed", async () => {
  const { ended, ping } = await open(20);
  // No turn of the event loop in which an answer could come.
  for (let i = 0; i <= 20; i++) {
    ping();
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
  expect(await ended).toContain("20 pings");
});
