import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../../testing/fake-node.ts";
import { run } from "../../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../../testing/fake-server.ts";
import { raftoral } from "../../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (args: readonly string[], isTty = false) => raftoral(args, { RAFTORAL_NODE: server.address }, "", isTty);

const PIECES = [
  { runs: ["a", "b"].map((runId) => ({ runId, outcome: "done" })), position: "1" },
  {
    runs: [
      { runId: "c", outcome: "RETRY_COMPENSATED" },
      { runId: "d", outcome: "unchanged" },
    ],
    position: undefined,
  },
];

test("bulk says without --apply what would be done, and does nothing", async () => {
  const runs = Array.from({ length: 12 }, (_, at) => ({ runId: `run-${at}`, outcome: "fits" }));
  node.operator.pieces = [{ runs, position: undefined }];
  const { out, code } = await ask(["bulk", "retry", "--status", "failed"]);
  expect(code).toBe(0);
  expect(out).toContain("12 runs fit:\n  run-0\n");
  expect(out).toContain("  and 2 more\nNothing was done. Add --apply to retry them.\n");
  expect(node.operator.bulks.map(({ isDry, action, filter }) => [isDry, action, filter.statuses])).toEqual([
    [true, "retry", ["failed"]],
  ]);
  const json = JSON.parse((await ask(["bulk", "retry", "--status", "failed", "--json"])).out);
  expect(json).toMatchObject({ applied: false, count: 12 });
});

test("bulk does it with --apply, shows how far it is on terminals only, and names what was refused", async () => {
  node.operator.pieces = PIECES;
  const applied = await ask(["bulk", "retry", "--status", "failed", "--apply", "--reason", "again"], true);
  expect(applied.out).toBe("retry: done to 2, 1 left as they were, 1 refused.\n  c: RETRY_COMPENSATED\n");
  expect(applied.bars.at(-1)).toBe("");
  expect(applied.bars[0]).toContain("2 of 4");
  expect(node.operator.bulks.map(({ isDry, reason }) => [isDry, reason]).slice(-1)).toEqual([[false, "again"]]);
  const quiet = await ask(["bulk", "retry", "--status", "failed", "--apply", "--json"]);
  expect(quiet.bars).toEqual([]);
  expect(JSON.parse(quiet.out)).toMatchObject({ done: 2, unchanged: 1, refused: 1 });
  const last = await ask(["bulk", "retry", "--status", "failed", "--apply", "--position", "1"]);
  expect(last.out).toContain("done to 0");
});

test("bulk wants a condition, or --all, and an action that there is", async () => {
  const { code, err } = await ask(["bulk", "delete", "--apply"]);
  expect([code, err]).toEqual([2, expect.stringContaining("--all")]);
  expect((await ask(["bulk", "forget", "--all"])).code).toBe(2);
  expect((await ask(["bulk", "delete", "--all"])).code).toBe(0);
});

test("bulk says where to go on when it fails half-way", async () => {
  node.operator.pieces = PIECES;
  node.before = async (name) => {
    // Two for the dry run, and one piece.
    if (name === "mendPiece" && node.operator.bulks.length === 3) node.failure = new Error("the node is broken");
  };
  const { code, err } = await ask(["bulk", "retry", "--status", "failed", "--apply", "--timeout", "300ms"]);
  expect(code).toBe(1);
  expect(err).toContain("done to 2");
  expect(err).toContain("--position 1");
});

test("types are paused, listed and resumed", async () => {
  expect((await ask(["paused-types"])).out).toBe("No type is paused.\n");
  expect((await ask(["pause-type", "order", "--reason", "closed"])).out).toContain("Type order is paused.");
  expect((await ask(["paused-types"])).out).toContain("order  1970-01-01 00:00:00  ada  closed\n");
  expect(JSON.parse((await ask(["resume-type", "order", "--json"])).out)).toEqual({
    workflowType: "order",
    resumed: true,
  });
  expect(JSON.parse((await ask(["paused-types", "--json"])).out)).toEqual([]);
});

test("a variable is set", async () => {
  node.runs.set("A17", run("A17"));
  expect((await ask(["set", "A17", "ship/limit", "--value", "10"])).out).toBe(
    "Variable ship/limit of run A17 is set.\n",
  );
  expect(node.mends).toEqual([["A17", { kind: "set-variable", variable: "ship/limit", value: 10 }, "on request"]]);
  expect((await ask(["set", "none", "x", "--value", "1"])).code).toBe(1);
});

test("the audit is a table, or JSON", async () => {
  const entry = { position: 7, atMs: 1000, by: "ada", action: "cancel", subject: "A17", detail: "", reason: "twice" };
  node.operator.entries = [entry];
  expect((await ask(["audit"])).out).toContain("1970-01-01 00:00:01  ada  cancel  A17              twice\n");
  expect(JSON.parse((await ask(["audit", "--json"])).out)).toEqual([entry]);
  node.operator.entries = [];
  expect((await ask(["audit"])).out).toBe("Nothing is recorded.\n");
});

test("a deletion says where to look, and erased says what each node still has", async () => {
  node.runs.set("A17", run("A17", { status: "failed" }));
  node.known = [
    { nodeId: 1, address: server.address, voter: true },
    { nodeId: 2, address: "127.0.0.1:1", voter: true },
  ];
  expect((await ask(["delete", "A17"])).out).toContain("raftoral erased 77");
  node.shown = { applied: 80, firstIndex: 60, snapshotIndex: 78, isSwept: true };
  const { out } = await ask(["erased", "77", "--timeout", "2s"]);
  expect(out).toMatch(/1 {2}127\.0\.0\.1:\d+ +gone +kept +gone\n/);
  expect(out).toMatch(/2 {2}127\.0\.0\.1:1 +unknown +unknown +unknown\n/);
});

test("tail prints what happened to a run, and ends with it", async () => {
  node.runs.set("A17", run("A17", { status: "completed", endedAtMs: 2 }));
  const of = { runId: "A17", workflowType: "order", atMs: 1 };
  node.events = [{ ...of, position: "1", type: "cancel-requested", reason: "twice" }];
  const { out } = await ask(["tail", "A17"]);
  expect(out).toBe("1970-01-01T00:00:00.001Z  cancel-requested  A17  (order)  reason=twice\n");
  expect((await ask(["tail", "none"])).code).toBe(1);
});
