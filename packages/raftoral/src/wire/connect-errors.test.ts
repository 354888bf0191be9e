import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { RaftError, RaftoralError } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { ClusterService } from "../gen/raftoral/v1/cluster_service_pb.ts";
import { fromConnectError, toConnectError } from "./connect-errors.ts";

/** Throws `error` in a service and returns what a client makes of it, over the real encoding of statuses. */
async function acrossTheWire(error: unknown): Promise<RaftoralError> {
  const transport = createRouterTransport(({ service }) => {
    service(ClusterService, {
      getStatus: () => {
        throw toConnectError(error);
      },
    });
  });
  try {
    await createClient(ClusterService, transport).getStatus({});
  } catch (caught) {
    return fromConnectError(caught, "10.0.0.1:5001");
  }
  throw new Error("the call did not fail");
}

test("E1: code, message, retryable and details are the same on both sides", async () => {
  const sent = new RaftError("NO_LEADER", "No leader is known.", { retryable: true, details: { leaderHint: 3 } });
  const received = await acrossTheWire(sent);
  expect(received).toBeInstanceOf(RaftoralError);
  expect(received).toMatchObject({
    code: "NO_LEADER",
    message: "No leader is known.",
    retryable: true,
    details: { leaderHint: 3 },
  });
});

test("E1: a code this package does not know crosses too", async () => {
  const received = await acrossTheWire(new RaftoralError("CODE_OF_TOMORROW", "Something new."));
  expect(received).toMatchObject({ code: "CODE_OF_TOMORROW", retryable: false, details: {} });
});

test("details that JSON cannot hold do not hide the failure", async () => {
  const received = await acrossTheWire(new RaftError("OVERLOADED", "Too much.", { details: { count: 1n } }));
  expect(received).toMatchObject({ code: "OVERLOADED", message: "Too much.", details: {} });
});

test("E2: an unexpected error leaves as INTERNAL, without its stack", async () => {
  const received = await acrossTheWire(new TypeError("x is not a function"));
  expect(received.code).toBe("INTERNAL");
  expect(received.message).toMatch(/unexpected error: x is not a function$/);
});

test.each([
  [Code.DeadlineExceeded, "DEADLINE_EXCEEDED", true],
  [Code.Canceled, "NODE_UNREACHABLE", true],
  [Code.Unavailable, "NODE_UNREACHABLE", true],
  [Code.ResourceExhausted, "PAYLOAD_TOO_LARGE", false],
  [Code.Unimplemented, "NODE_UNREACHABLE", false],
  [Code.PermissionDenied, "INTERNAL", false],
])("E3: a status %s without detail becomes %s", (status, code, retryable) => {
  const failure = fromConnectError(new ConnectError("why", status), "10.0.0.1:5001");
  expect(failure).toMatchObject({ code, retryable });
  expect(failure.message).toContain("10.0.0.1:5001");
});

test("generic clients see a gRPC code that fits", () => {
  const status = (code: string, retryable = false): Code =>
    toConnectError(new RaftoralError(code, "", { retryable })).code;
  expect(status("DEADLINE_EXCEEDED")).toBe(Code.DeadlineExceeded);
  expect(status("PAYLOAD_TOO_LARGE")).toBe(Code.ResourceExhausted);
  expect(status("SOMETHING", true)).toBe(Code.Unavailable);
  expect(status("SOMETHING", false)).toBe(Code.Unknown);
  expect(status("constructor", false)).toBe(Code.Unknown);
  expect(status("WORKFLOW_NOT_FOUND")).toBe(Code.NotFound);
});
