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
  node.chunks.set("tokens", ["Hello", "two\nlines", { done: 1 }, null, undefined]);
  server = await serveFake(node);
});
afterEach(() => server.close());

const stream = (...args: readonly string[]) => raftoral(["stream", ...args], { RAFTORAL_NODE: server.address });

test("prints a chunk on each line: text as it is, other values as JSON", async () => {
  expect(await stream("A17", "tokens")).toMatchObject({
    code: 0,
    out: 'Hello\ntwo\\nlines\n{"done":1}\nnull\n\n',
    err: "",
  });
  expect(await stream("A17", "none")).toMatchObject({ code: 0, out: "" });
});

test("begins at an offset, follows, and prints JSON for programs", async () => {
  const { out } = await stream("A17", "tokens", "--from", "2", "--follow", "--json");
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { offset: 2, epoch: 1, value: { done: 1 } },
    { offset: 3, epoch: 1, value: null },
    { offset: 4, epoch: 1 },
  ]);
});

test("refuses what is no offset, and tells of a run that is not there", async () => {
  for (const from of ["-1", "x", "1.5", "99999999999999999999"]) {
    expect(await stream("A17", "tokens", `--from=${from}`)).toMatchObject({ code: 2, out: "" });
  }
  const { code, err } = await stream("none", "tokens");
  expect(code).toBe(1);
  expect(err).toContain("WORKFLOW_NOT_FOUND");
});
