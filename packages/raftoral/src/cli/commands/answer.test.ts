import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../testing/fake-node.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const answer = (...args: readonly string[]) => raftoral(["answer", ...args], { RAFTORAL_NODE: server.address });

test("answers a token with a value, with nothing, or with a failure", async () => {
  expect(await answer("rt_1.x", "--value", '{"by":"me"}')).toMatchObject({
    code: 0,
    out: "The answer was recorded.\n",
  });
  expect(await answer("rt_2.x")).toMatchObject({ code: 0 });
  expect(await answer("rt_3.x", "--fail", "declined")).toMatchObject({ code: 0 });
  expect(node.answers).toEqual([
    ["rt_1.x", { by: "me" }],
    ["rt_2.x", undefined],
    ["rt_3.x", { name: "Error", message: "declined" }],
  ]);
  const { out } = await answer("rt_1.x", "--json");
  expect(JSON.parse(out)).toEqual({ token: "rt_1.x", answered: true });
});

test("refuses what is no JSON, and a value with a failure", async () => {
  expect(await answer("rt_1.x", "--value", "{")).toMatchObject({ code: 2, out: "" });
  expect(await answer("rt_1.x", "--value", "1", "--fail", "x")).toMatchObject({ code: 2, out: "" });
  expect(node.answers).toEqual([]);
});
