// Everything of this package that reads what others sent or wrote: a value or the error that is documented, whatever it is.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { silentLogger } from "@raftoral/raft-core";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import { valueDigest } from "@raftoral/workflow";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Payload } from "./api/payloads/payload.ts";
import { readConfigFile } from "./cli/config-file.ts";
import {
  ClusterService,
  type GetStatusResponse,
  GetStatusResponseSchema,
} from "./gen/raftoral/v1/cluster_service_pb.ts";
import { EventService } from "./gen/raftoral/v1/event_service_pb.ts";
import {
  type HistoryRecord,
  HistoryRecordSchema,
  type Outcome,
  OutcomeSchema,
  type Run,
  RunSchema,
} from "./gen/raftoral/v1/run_pb.ts";
import { ScheduleService } from "./gen/raftoral/v1/schedule_service_pb.ts";
import { WorkflowService } from "./gen/raftoral/v1/workflow_service_pb.ts";
import { PrometheusEndpoint } from "./metrics/prometheus-endpoint.ts";
import { type NodeSettings, nodeConfig, SETTING_NAMES } from "./node/config/node-config.ts";
import { FakeNode } from "./testing/fake-node.ts";
import { failed, run } from "./testing/fake-run.ts";
import { type FakeServer, serveFake } from "./testing/fake-server.ts";
import { nodeStatusFromWire, nodeStatusToWire } from "./wire/cluster-messages.ts";
import {
  descriptionFromWire,
  outcomeFromWire,
  outcomeToWire,
  recordFromWire,
  recordToWire,
  runToWire,
  summaryFromWire,
} from "./wire/run-messages.ts";

/** 2^64 - 1. */
const MOST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

const edits = fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() }), {
  minLength: 1,
  maxLength: 4,
});

function anyDamaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(valid, edits).map(([bytes, chosen]) => damaged(bytes, chosen)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  );
}

/** Throws again what is not one of `codes`. */
function expectOneOf(codes: readonly string[], error: unknown): void {
  if (!codes.includes(String((error as { code?: unknown }).code))) throw error;
}

describe("a configuration", () => {
  const REFUSALS = ["OPTIONS_INVALID", "JSON_INVALID"];
  const anyKey = fc.constantFrom(...SETTING_NAMES, "workflows", "logLevel", "logFormat", "__proto__", "x");
  const anyValue = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>([], {}, [null], [{}], "", "host:1", "host:99999999999999999999", -1, 0, 1e308, 2 ** 53),
  );
  const anySettings = fc
    .uniqueArray(fc.tuple(anyKey, anyValue), { maxLength: 4, selector: ([key]) => key })
    .map((entries) => Object.fromEntries([["listen", "127.0.0.1:0"], ...entries]));

  test("of any shape is one or OPTIONS_INVALID", () => {
    const property = fc.property(anySettings, (settings) => {
      try {
        nodeConfig(settings as unknown as NodeSettings);
      } catch (error) {
        expectOneOf(REFUSALS, error);
      }
    });
    fc.assert(property, { numRuns: 5000 });
  });

  test("in a file of any content is one, OPTIONS_INVALID or JSON_INVALID", async () => {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-config-"));
    const file = join(folder, "node.json");
    try {
      const text = anySettings.map((settings) => new TextEncoder().encode(JSON.stringify(settings)));
      const property = fc.asyncProperty(fc.oneof(text, anyDamaged(text)), async (bytes) => {
        await writeFile(file, bytes);
        await readConfigFile(file).catch((error: unknown) => expectOneOf(REFUSALS, error));
      });
      await fc.assert(property, { numRuns: 300 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a payload", () => {
  test("of any bytes is a value or VALUE_UNREADABLE, can be shown, and has a digest if it is one", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const payload = Payload.ofBytes(bytes, "it");
      let isValue = true;
      try {
        payload.value();
      } catch (error) {
        isValue = false;
        expectOneOf(["VALUE_UNREADABLE"], error);
      }
      if (bytes.length > 0) expect(JSON.stringify(payload)).toEqual(expect.any(String));
      if (valueDigest(bytes) !== undefined) expect(isValue).toBe(true);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("that is nested deeper than a step's value may be is refused when it is to be sent, and has no digest", () => {
    const deep = new TextEncoder().encode(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
    const value = Payload.ofBytes(deep, "it").value();
    expect(() => Payload.of(value, "it")).toThrow(expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE" }));
    expect(valueDigest(deep)).toBeUndefined();
  });
});

describe("what a node answers to a client", () => {
  const failure = failed("TypeError", "no", {
    code: "E1",
    cause: failed("Error", "deeper"),
    errors: [failed("E", "e")],
  });
  const description = {
    ...run("A17", { status: "failed", error: failure, endedAtMs: 2 ** 41, pendingSignals: ["a"] }),
  };
  const ended = { runId: "A17", workflowType: "t", endedAtMs: 2 ** 41, status: "failed", error: failure } as const;
  const record = {
    path: "a#1",
    kind: "step",
    value: Payload.of([1], "it"),
    recordedAtMs: 2 ** 41,
    epoch: 7,
    position: "12",
  };
  const bytesOf = (schema: DescMessage, message: Record<string, unknown>) => toBinary(schema, create(schema, message));
  interface Answer {
    readonly what: string;
    readonly schema: DescMessage;
    readonly valid: () => Promise<Uint8Array>;
    readonly read: (message: Message) => unknown;
  }
  const answers: readonly Answer[] = [
    {
      what: "a run",
      schema: RunSchema,
      valid: async () => bytesOf(RunSchema, runToWire(description)),
      read: (message) => descriptionFromWire(message as Run),
    },
    {
      what: "a run in a list",
      schema: RunSchema,
      valid: async () => bytesOf(RunSchema, runToWire(description)),
      read: (message) => summaryFromWire(message as Run),
    },
    {
      what: "the end of a run",
      schema: OutcomeSchema,
      valid: async () => bytesOf(OutcomeSchema, outcomeToWire(ended)),
      read: (message) => outcomeFromWire("A17", message as Outcome),
    },
    {
      what: "a record",
      schema: HistoryRecordSchema,
      valid: async () => bytesOf(HistoryRecordSchema, recordToWire(record)),
      read: (message) => recordFromWire(message as HistoryRecord),
    },
    {
      what: "a status",
      schema: GetStatusResponseSchema,
      valid: async () => bytesOf(GetStatusResponseSchema, nodeStatusToWire(await new FakeNode().cluster.status())),
      read: (message) => nodeStatusFromWire(message as GetStatusResponse),
    },
  ];

  test.each(answers)("is understood or refused, if it is protobuf at all: $what", async ({ schema, valid, read }) => {
    const property = fc.property(anyDamaged(fc.constant(await valid())), (bytes) => {
      let message: Message;
      try {
        message = fromBinary(schema, bytes);
      } catch {
        // Connect refuses it as Internal before anybody here sees it.
        return;
      }
      try {
        read(message);
      } catch (error) {
        expectOneOf(["REQUEST_INVALID"], error);
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe("a node's services", () => {
  let server: FakeServer;
  let session: http2.ClientHttp2Session;
  beforeAll(async () => {
    server = await serveFake(new FakeNode());
    session = http2.connect(`http://${server.address}`);
    session.on("error", () => {});
  });
  afterAll(async () => {
    session.destroy();
    await server.close();
  });

  /** The call's gRPC status; "unexpected" for the answer to an error that was not foreseen. */
  function call(path: string, body: Uint8Array): Promise<number | "unexpected" | undefined> {
    return new Promise((resolve) => {
      let status: number | "unexpected" | undefined;
      const read = (headers: Readonly<Record<string, unknown>>) => {
        if (headers["grpc-status"] === undefined) return;
        const text = decodeURIComponent(String(headers["grpc-message"] ?? ""));
        status = text.includes("unexpected error") ? "unexpected" : Number(headers["grpc-status"]);
      };
      const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
      const stream = session.request(headers);
      stream.on("response", read);
      stream.on("trailers", read);
      stream.on("error", () => {});
      stream.on("close", () => resolve(status));
      stream.resume();
      stream.end(body);
    });
  }

  function framed(content: Uint8Array): Uint8Array {
    const frame = new Uint8Array(5 + content.length);
    new DataView(frame.buffer).setUint32(1, content.length);
    frame.set(content, 5);
    return frame;
  }

  const paths = [WorkflowService, ClusterService, EventService, ScheduleService].flatMap((service) => {
    return service.methods.map(({ name }) => `/${service.typeName}/${name}`);
  });
  /** Fields that most requests have: texts, bytes and numbers at the edges. */
  const field = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.uint8Array({ maxLength: 12 }))
      .map(([number, bytes]) => [(number << 3) | 2, bytes.length, ...bytes]),
    fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom([0], [1], [0xff, 0xff, 0xff, 0xff, 0x0f], MOST))
      .map(([number, value]) => [number << 3, ...value]),
  );
  const body = fc.array(field, { maxLength: 4 }).map((fields) => Uint8Array.from(fields.flat()));

  test("answer any request with a status, none of which is that something unexpected happened", async () => {
    const request = fc.oneof(
      body.map(framed),
      anyDamaged(body).map(framed),
      anyDamaged(body.map(framed)),
      // Lengths that nothing follows.
      fc.constantFrom(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff), Uint8Array.of(1, 0, 0, 0, 1, 0)),
    );
    const UNKNOWN = 2;
    const seen = new Set<number>();
    const calls = fc.array(fc.tuple(fc.constantFrom(...paths), request), { minLength: 30, maxLength: 30 });
    const property = fc.asyncProperty(calls, async (all) => {
      const statuses = await Promise.all(all.map(([path, bytes]) => call(path, bytes)));
      for (const status of statuses) {
        expect(status).toEqual(expect.any(Number));
        expect(status).not.toBe(UNKNOWN);
        seen.add(Number(status));
      }
    });
    await fc.assert(property, { numRuns: 8 });
    expect(seen.size).toBeGreaterThan(2);
    expect(await call(`/${ClusterService.typeName}/GetStatus`, framed(new Uint8Array(0)))).toBe(0);
  });
});

describe("the metrics endpoint", () => {
  test("goes on after whatever is not HTTP, and ends those connections", async () => {
    const endpoint = await PrometheusEndpoint.open("127.0.0.1:0", silentLogger);
    endpoint.serve(async () => "up 1\n");
    try {
      const [host = "", port] = endpoint.address.split(":");
      const request = new TextEncoder().encode("GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      const say = (bytes: Uint8Array): Promise<void> => {
        return new Promise((resolve) => {
          const socket = connect(Number(port), host);
          socket.on("error", () => {});
          socket.on("close", () => resolve());
          socket.resume();
          socket.end(bytes);
        });
      };
      await fc.assert(fc.asyncProperty(anyDamaged(fc.constant(request)), say), { numRuns: 200 });
      await say(new Uint8Array(1_000_000).fill(0x41));
      expect(await (await fetch(`http://${endpoint.address}/metrics`)).text()).toBe("up 1\n");
    } finally {
      await endpoint.close();
    }
  });
});
