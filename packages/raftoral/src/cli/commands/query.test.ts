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

const query = (...args: readonly string[]) => raftoral(["query", ...args], { RAFTORAL_NODE: server.address });

test("prints what the handler answers", async () => {
  expect(await query("A17", "progress")).toMatchObject({ code: 0, out: '{"progress":null}\n', err: "" });
  expect((await query("A17", "line", "--input", '{"item":"tea"}')).out).toBe('{"line":{"item":"tea"}}\n');
  const { out } = await query("A17", "progress", "--json");
  expect(JSON.parse(out)).toEqual({ progress: null });
});

test("refuses what is no JSON, and tells of a run that is not there", async () => {
  expect(await query("A17", "line", "--input", "{")).toMatchObject({ code: 2, out: "" });
  const { code, err } = await query("none", "progress");
  expect(code).toBe(1);
  expect(err).toContain("WORKFLOW_NOT_FOUND");
});
