// The services of a node's port, asked by anybody with anything: each call ends, and the node goes on.
import http2, { type ClientHttp2Session } from "node:http2";
import { damaged, EDIT_KINDS, numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { encodeMessage, message } from "@raftoral/raft-core/transport";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { RaftService } from "../gen/raftoral/raft_service_pb.ts";
import { PeerService } from "../gen/raftoral/v1/peer_pb.ts";
import { RecordingNode } from "../testing/recording-node.ts";
import { frameOf } from "../wire/grpc-framing.ts";
import {
  decodeDiscoveryResponse,
  decodeMessageResponse,
  encodeDiscoveryResponse,
  encodeMessageResponse,
  encodeRaftMessage,
} from "../wire/raft-service-codec.ts";

const edits = fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() }), {
  minLength: 1,
  maxLength: 4,
});
const anyBytes = fc.uint8Array({ maxLength: 60 });

describe("whatever a node's services are asked", () => {
  let node: RecordingNode;
  let friend: RecordingNode;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    node = await RecordingNode.start(1, { maxFrameBytes: 100_000, snapshotChunkBytes: 10_000, connectTimeoutMs: 500 });
    friend = await RecordingNode.start(7);
    friend.knows(node);
    session = http2.connect(`http://${node.address}`);
    session.on("error", () => {});
  });
  afterAll(async () => {
    session.destroy();
    await friend.stop();
    await node.stop();
  });

  /** The call's gRPC or HTTP status. */
  function call(path: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}) {
    return new Promise<number | undefined>((resolve) => {
      let status: number | undefined;
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc+proto",
        te: "trailers",
        ...headers,
      });
      const read = (fields: Readonly<Record<string, unknown>>) => {
        const found = fields["grpc-status"] ?? (fields[":status"] === 200 ? undefined : fields[":status"]);
        if (found !== undefined) status = Number(found);
      };
      stream.on("response", read);
      stream.on("trailers", read);
      stream.on("error", () => {});
      stream.on("close", () => resolve(status));
      stream.resume();
      stream.end(body);
    });
  }

  test("each call ends with a status, and what was for a group that is there still arrives", async () => {
    const paths = [RaftService, PeerService, Health, ServerReflection].flatMap((service) => {
      return service.methods.map(({ name }) => `/${service.typeName}/${name}`);
    });
    // Watches a service for as long as the caller likes.
    const ending = [...paths.filter((path) => !path.endsWith("/Watch")), "/unknown.Service/Method", "/", "/%ff"];
    const raft = encodeMessage(message({ type: "MsgHeartbeat", from: 5, to: 1, term: 1, commit: 3 }));
    const valid = fc.constantFrom(
      encodeRaftMessage({ raftMessage: raft }),
      encodeRaftMessage({ command: Uint8Array.of(1, 2, 3) }),
      // Reflection: a symbol and a file.
      Buffer.from("220f726166746f72616c2e526166744e6f", "hex"),
      Buffer.from("1a0e726166746f72616c2e70726f746f", "hex"),
    );
    const content = fc.oneof(
      anyBytes,
      valid,
      fc.tuple(valid, edits).map(([bytes, chosen]) => damaged(bytes, chosen)),
    );
    const body = fc.oneof(
      content.map((bytes) => frameOf(bytes)),
      fc.tuple(content, edits).map(([bytes, chosen]) => damaged(frameOf(bytes), chosen)),
      fc.constantFrom(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff), frameOf(new Uint8Array(200_000))),
    );
    const headers = fc.constantFrom<Record<string, string>>(
      {},
      { "raftoral-group": "1" },
      { "raftoral-group": "-1" },
      { "raftoral-group": "9007199254740991" },
      { "raftoral-group": "x" },
      { "grpc-timeout": "99999999H" },
      { "grpc-timeout": "1n" },
      { "grpc-encoding": "none-such" },
      { "content-type": "application/json" },
    );
    const calls = fc.array(fc.tuple(fc.constantFrom(...ending), body, headers), { minLength: 30, maxLength: 30 });
    const property = fc.asyncProperty(calls, async (all) => {
      const statuses = await Promise.all(all.map((each) => call(...each)));
      expect(statuses).not.toContain(undefined);
    });
    await fc.assert(property, { numRuns: 10 });
    const { framesRejected, messagesUnroutable } = node.transport.counters(1);
    expect(framesRejected + messagesUnroutable).toBeGreaterThan(10);
    await sendUntilReceived(friend.channel, node.receiver, numbered(7, 1, 1));
  });

  test.each([
    ["grpc-timeout", "99999999H"],
    ["grpc-timeout", "99999999M"],
    ["grpc-timeout", "99999999S"],
    ["connect-timeout-ms", "9999999999"],
  ])("a deadline of thousands of years is a long one, and not over at once: %s %s", async (name, value) => {
    const warnings: string[] = [];
    const hear = (warning: Error) => warnings.push(warning.name);
    process.on("warning", hear);
    try {
      const isGrpc = name === "grpc-timeout";
      const headers = { [name]: value, ...(isGrpc ? {} : { "content-type": "application/proto" }) };
      const body = isGrpc ? frameOf(new Uint8Array(0)) : new Uint8Array(0);
      // By Connect's own protocol a status is there only for failures.
      expect(await call("/raftoral.RaftService/Discover", body, headers)).toBe(isGrpc ? 0 : undefined);
      // Warnings are told in a turn of their own.
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", hear);
    }
  });

  test.each([
    ["both", encodeRaftMessage({ raftMessage: Uint8Array.of(1), command: Uint8Array.of(1) }), {}],
    ["neither", new Uint8Array(0), {}],
    ["a group id that is none", encodeRaftMessage({ command: Uint8Array.of(1) }), { "raftoral-group": "0" }],
    ["a group that is not here", encodeRaftMessage({ command: Uint8Array.of(1) }), { "raftoral-group": "99" }],
    ["bytes that are no message", encodeRaftMessage({ raftMessage: Uint8Array.of(0xff) }), {}],
    ["another's message", encodeRaftMessage({ raftMessage: encodeMessage(numbered(7, 2, 1)) }), {}],
    [
      "a snapshot's announcement",
      encodeRaftMessage({ raftMessage: encodeMessage(message({ type: "MsgSnap", from: 7, to: 1, term: 1 })) }),
      {},
    ],
  ])("SendMessage counts what it turns away: %s", async (_what, body, headers) => {
    const turnedAway = () => {
      const { framesRejected, messagesUnroutable } = node.transport.counters(1);
      return framesRejected + messagesUnroutable;
    };
    const before = turnedAway();
    expect(await call("/raftoral.RaftService/SendMessage", frameOf(body), headers)).toBe(0);
    expect(turnedAway()).toBe(before + 1);
  });
});

test("a client makes something of any answer, or says that it is none", () => {
  const discovered = { nodeId: 2, role: "LEADER", highestKnownNodeId: 5, address: "127.0.0.1:5001" } as const;
  const answers: readonly (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[] = [
    [encodeMessageResponse({ success: false, error: "no" }), decodeMessageResponse],
    [encodeDiscoveryResponse(discovered), decodeDiscoveryResponse],
  ];
  for (const [valid, decode] of answers) {
    const property = fc.property(
      fc.oneof(
        anyBytes,
        edits.map((chosen) => damaged(valid, chosen)),
      ),
      (bytes) => {
        let read: unknown;
        try {
          read = decode(bytes);
        } catch (error) {
          // Protobuf's own; through a client it is TRANSPORT_REQUEST_FAILED.
          expect(error).toBeInstanceOf(Error);
          return;
        }
        expect(read).toEqual(expect.any(Object));
      },
    );
    fc.assert(property, { numRuns: 1000 });
  }
});
