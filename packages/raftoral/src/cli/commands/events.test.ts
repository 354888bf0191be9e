import { afterEach, beforeEach, expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import { FakeNode } from "../../testing/fake-node.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  const run = { runId: "A17", workflowType: "order" };
  node.events = [
    {
      ...run,
      type: "record-committed",
      position: "1",
      atMs: 1_000,
      path: "price#0",
      kind: "step",
      owner: 1,
      epoch: 2,
      value: Payload.of({ price: 30 }, "a value"),
    },
    {
      ...run,
      type: "attempt-failed",
      position: "2",
      atMs: 2_000,
      path: "charge#0",
      failedAttempts: 1,
      error: { name: "Error", message: "The bank is closed." },
      nextAttemptAtMs: 3_000,
    },
    { type: "events-missed", position: "3", atMs: 4_000 },
    {
      type: "run-ended",
      position: "4",
      atMs: 5_000,
      runId: "B1",
      workflowType: "order",
      status: "cancelled",
      reason: "no",
    },
  ];
  server = await serveFake(node);
});
afterEach(() => server.close());

const events = (...args: readonly string[]) => raftoral(["events", ...args], { RAFTORAL_NODE: server.address });

test("prints an event on each line: time, type, run, and what else there is", async () => {
  const { code, out, err } = await events("--values");
  expect([code, err]).toEqual([0, ""]);
  expect(out.trimEnd().split("\n")).toEqual([
    '1970-01-01T00:00:01.000Z  record-committed  A17  (order)  path=price#0  kind=step  owner=1  epoch=2  value={"price":30}',
    '1970-01-01T00:00:02.000Z  attempt-failed  A17  (order)  path=charge#0  failedAttempts=1  nextAttemptAtMs=3000  error="The bank is closed."',
    "1970-01-01T00:00:04.000Z  events-missed",
    "1970-01-01T00:00:05.000Z  run-ended  B1  (order)  status=cancelled  reason=no",
  ]);
});

test("goes on after a position, of one run, and prints JSON for programs", async () => {
  const { out } = await events("--after", "1", "--run", "B1", "--json", "--follow");
  const printed = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(printed).toEqual([
    {
      type: "run-ended",
      position: "4",
      atMs: 5_000,
      runId: "B1",
      workflowType: "order",
      status: "cancelled",
      reason: "no",
    },
  ]);
});

test("refuses a type that no event has", async () => {
  const { code, err } = await events("--event", "run-eaten");
  expect(code).toBe(2);
  expect(err).toContain("run-started");
});
