import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../testing/fake-node.ts";
import { run } from "../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  node.runs.set("A17", run("A17"));
  server = await serveFake(node);
});
afterEach(() => server.close());

const update = (...args: readonly string[]) => raftoral(["update", ...args], { RAFTORAL_NODE: server.address });

test("prints what the handler answers", async () => {
  expect(await update("A17", "limit", "--input", "5", "--id", "u1")).toMatchObject({
    code: 0,
    out: '{"limit":5}\n',
    err: "",
  });
  expect(node.updates).toEqual([["A17", "limit", 5, "u1"]]);
  const { out } = await update("A17", "limit", "--json");
  expect(JSON.parse(out)).toEqual({ limit: null });
});

test("refuses what is no JSON, and tells of a run that is not there", async () => {
  expect(await update("A17", "limit", "--input", "{")).toMatchObject({ code: 2, out: "" });
  const { code, err } = await update("none", "limit");
  expect(code).toBe(1);
  expect(err).toContain("WORKFLOW_NOT_FOUND");
});
