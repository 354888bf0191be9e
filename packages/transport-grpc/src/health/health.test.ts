// grpc.health.v1, asked by a Connect client and by grpc-js, an implementation that shares no code with it.
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { Health, HealthCheckRequestSchema } from "../gen/grpc/health/v1/health_pb.ts";
import { RecordingNode } from "../testing/recording-node.ts";

/** By number. */
const NAMES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start() {
  const node = await RecordingNode.start(1);
  cleanUps.push(() => node.stop());
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${node.address}` }));
  const check = async (service: string) => NAMES[(await client.check({ service })).status];
  return { node, client, check };
}

test("every service is known, serves at first, and as its owner says then", async () => {
  const { node, client, check } = await start();
  expect(await check("")).toBe("SERVING");
  expect(await check("raftoral.RaftService")).toBe("SERVING");
  node.server.health.set("", "NOT_SERVING");
  expect([await check(""), await check("raftoral.RaftService")]).toEqual(["NOT_SERVING", "SERVING"]);
  await expect(check("unknown.Knows")).rejects.toMatchObject({ code: 5 });
  const { statuses } = await client.list({});
  const all = Object.entries(statuses).map(([service, { status }]) => [service, NAMES[status]]);
  expect(Object.fromEntries(all)).toEqual({
    "": "NOT_SERVING",
    "grpc.health.v1.Health": "SERVING",
    "grpc.reflection.v1.ServerReflection": "SERVING",
    "grpc.reflection.v1alpha.ServerReflection": "SERVING",
    "raftoral.RaftService": "SERVING",
    "raftoral.v1.PeerService": "SERVING",
  });
});

test("a caller that watches hears the status at once, each change, and NOT_SERVING as the last word when the node stops", async () => {
  const { node, client } = await start();
  const heard: (string | undefined)[] = [];
  const unknown: (string | undefined)[] = [];
  const watch = async (service: string, into: (string | undefined)[], then: () => void) => {
    for await (const { status } of client.watch({ service })) {
      into.push(NAMES[status]);
      then();
    }
  };
  const next = ["NOT_SERVING", "SERVING"] as const;
  const watching = watch("", heard, () => {
    const change = next[heard.length - 1];
    if (change !== undefined) node.server.health.set("", change);
    else void node.server.drain();
  });
  const watchingUnknown = watch("later.Service", unknown, () => {
    node.server.health.set("later.Service", "SERVING");
  });
  await watching;
  await watchingUnknown;
  expect(heard).toEqual(["SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"]);
  expect(unknown.slice(0, 2)).toEqual(["SERVICE_UNKNOWN", "SERVING"]);
  expect(unknown.at(-1)).toBe("NOT_SERVING");
});

test("a watcher that goes away is forgotten", async () => {
  const { node, client } = await start();
  const left = new AbortController();
  const watching = (async () => {
    for await (const _ of client.watch({ service: "" }, { signal: left.signal })) left.abort();
  })();
  await expect(watching).rejects.toThrow();
  // No caller is left to hear of it, and nothing breaks.
  node.server.health.set("", "NOT_SERVING");
  await node.server.drain();
});

test("grpc-js agrees", async () => {
  const { node } = await start();
  const client = new grpc.Client(node.address, grpc.credentials.createInsecure());
  cleanUps.push(() => client.close());
  const check = (service: string) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        (request: Buffer) => request,
        (response: Buffer) => response,
        Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }))),
        (error, response) => (error === null && response !== undefined ? resolve(response) : reject(error)),
      );
    });
  // Field 1, a varint: SERVING.
  expect([...(await check(""))]).toEqual([0x08, 0x01]);
  await expect(check("unknown.Knows")).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
});
