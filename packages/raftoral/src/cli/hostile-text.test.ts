// Texts of strangers on a terminal: whatever ids, types, errors, names and values hold, no command prints what a terminal obeys.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RaftError } from "@raftoral/raft-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeNode } from "../testing/fake-node.ts";
import { failed, run } from "../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../testing/fake-server.ts";
import { raftoral } from "../testing/run-cli.ts";

/** Clears the screen, sets the title, moves up, turns the text around, and begins a line of its own. */
const HOSTILE = "x\u001b[2J\u001b]0;title\u0007\u009b1A\u202e\u2066\r\nError OWNED: do as I say\u007f";
/** What a terminal obeys: everything but line ends and tabs. */
const OBEYED = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

let node: FakeNode;
let server: FakeServer;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-hostile-"));
  node = new FakeNode();
  const error = failed(HOSTILE, HOSTILE, {
    code: HOSTILE,
    stack: `Error\n    at ${HOSTILE}`,
    cause: failed("Error", HOSTILE),
  });
  const history = ["step", "sleep", HOSTILE].map((kind, at) => {
    return {
      path: `${HOSTILE}#${at}`,
      kind,
      value: HOSTILE,
      recordedAtMs: 1_700_000_000_000,
      epoch: at,
      position: `${at}`,
    };
  });
  const common = { workflowType: HOSTILE, input: { [HOSTILE]: HOSTILE }, history, endedAtMs: 1_700_000_000_500 };
  node.runs.set(HOSTILE, run(HOSTILE, { ...common, status: "failed", error }));
  node.events = [
    {
      type: "run-ended",
      position: "1",
      atMs: 1,
      runId: HOSTILE,
      workflowType: HOSTILE,
      status: "failed",
      error: { name: HOSTILE, message: HOSTILE },
    },
    { type: "signal-buffered", position: "2", atMs: 2, runId: HOSTILE, workflowType: HOSTILE, name: HOSTILE },
    { type: "runs-pruned", position: "3", atMs: 3, runIds: [HOSTILE] },
  ];
  node.chunks.set("out", [HOSTILE, { [HOSTILE]: HOSTILE }]);
  node.runs.set("completed", run("completed", { ...common, status: "completed", result: HOSTILE }));
  node.runs.set("cancelled", run("cancelled", { ...common, status: "cancelled", cancelReason: HOSTILE }));
  node.runs.set("running", run("running", { cancelReason: HOSTILE }));
  const members = [{ nodeId: 2, address: HOSTILE, voter: true }];
  node.shown = { address: HOSTILE, clusterId: HOSTILE, workflows: [HOSTILE], version: HOSTILE, members, leader: 2 };
  server = await serveFake(node);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const COMMANDS: readonly (readonly string[])[] = [
  ["list"],
  ["list", "--type", HOSTILE],
  ["show", HOSTILE],
  ["show", "completed"],
  ["show", "completed", "--full"],
  ["show", "cancelled", "--full"],
  ["show", "running"],
  ["show", `${HOSTILE} unknown`],
  ["run", HOSTILE, "--id", `${HOSTILE} new`],
  ["run", "t", "--id", HOSTILE],
  ["run", "t", "--id", "completed", "--wait"],
  ["run", "t", "--id", HOSTILE, "--wait"],
  ["run", "t", "--id", "cancelled", "--wait"],
  ["run", "t", "--input", `{${HOSTILE}`],
  ["run", "t", "--input", `@${HOSTILE}`],
  ["signal", "completed", HOSTILE],
  ["signal", HOSTILE, "go"],
  ["stream", "running", "out"],
  ["stream", HOSTILE, HOSTILE, "--follow"],
  ["stream", "running", "out", "--from", HOSTILE],
  ["events"],
  ["events", "--run", HOSTILE, "--type", HOSTILE, "--follow"],
  ["events", "--event", HOSTILE],
  ["cancel", "running", "--reason", HOSTILE],
  ["cancel", HOSTILE],
  ["status"],
  ["leave"],
  ["transfer", HOSTILE],
  ["backup", HOSTILE],
  [HOSTILE],
  ["list", `--${HOSTILE}`],
  ["start", "--config", HOSTILE],
  ["start", "--workflows", HOSTILE],
  ["start", "--listen", HOSTILE],
  ["check", HOSTILE],
  ["storage", "inspect", HOSTILE],
  ["storage", "verify", HOSTILE],
  ["storage", "backup", HOSTILE, HOSTILE],
  ["storage", "restore", HOSTILE, HOSTILE],
  ["storage", "recover", HOSTILE],
];

describe.each([
  ["a terminal", true],
  ["a pipe", false],
])("on %s", (_where, isTty) => {
  test.each(COMMANDS)("%j prints nothing that a terminal obeys", async (...args) => {
    for (const more of [[], ["--json"], ["--verbose"]]) {
      const { out, err } = await raftoral([...args, ...more], { RAFTORAL_NODE: server.address }, "", isTty);
      for (const line of (out + err).split("\n")) {
        expect(line.replaceAll("\t", "")).not.toMatch(OBEYED);
        // Lines of the program begin so; a stranger's do not.
        expect(line).not.toMatch(/^Error OWNED/);
      }
    }
  });

  test("a node's own error is told without its escapes", async () => {
    node.failure = new RaftError("CONF_CHANGE_INVALID", HOSTILE, { details: { hostile: HOSTILE } });
    for (const more of [[], ["--json"], ["--verbose"]]) {
      const { err } = await raftoral(["show", "x", ...more], { RAFTORAL_NODE: server.address }, "", isTty);
      expect(err.replaceAll("\n", "")).not.toMatch(OBEYED);
      expect(err).toContain("\\u001b[2J");
    }
  });

  test("JSON still means the same", async () => {
    const { out } = await raftoral(["show", HOSTILE, "--json"], { RAFTORAL_NODE: server.address }, "", isTty);
    expect(JSON.parse(out)).toMatchObject({
      runId: HOSTILE,
      input: { [HOSTILE]: HOSTILE },
      error: { message: HOSTILE },
    });
  });

  test("a file of workflows that fails with such a text, too", async () => {
    const file = join(folder, "broken.js");
    await writeFile(file, `throw new Error(${JSON.stringify(HOSTILE)});`);
    const { err } = await raftoral(["check", file], {}, "", isTty);
    expect(err.replaceAll("\n", "")).not.toMatch(OBEYED);
  });
});
