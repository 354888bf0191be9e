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
  node.runs.set("bare", run("bare"));
  node.variables.set("A17", { status: "two\nlines", "ship/count": 3, nothing: undefined });
  server = await serveFake(node);
});
afterEach(() => server.close());

const variables = (...args: readonly string[]) => raftoral(["variables", ...args], { RAFTORAL_NODE: server.address });

test("prints a table by name, and the value of one", async () => {
  const { code, out } = await variables("A17");
  expect(code).toBe(0);
  expect(out.split("\n").map((line) => line.split(/ {2,}/).slice(0, 2).join("|"))).toEqual([
    "NAME|VALUE",
    "nothing|1970-01-01 00:00:01",
    "ship/count|3",
    "status|two\\nlines",
    "",
  ]);
  expect((await variables("A17", "status")).out).toBe("two\\nlines\n");
  expect((await variables("A17", "ship/count")).out).toBe("3\n");
  expect((await variables("A17", "none")).out).toBe("Run A17 has no variable none.\n");
  expect((await variables("bare")).out).toBe("No variables.\n");
});

test("prints JSON for programs, and tells of a run that is not there", async () => {
  const { out } = await variables("A17", "ship/count", "--json");
  expect(JSON.parse(out)).toEqual([{ name: "ship/count", value: 3, recordedAtMs: 1_000 }]);
  const { code, err } = await variables("none");
  expect(code).toBe(1);
  expect(err).toContain("WORKFLOW_NOT_FOUND");
});
