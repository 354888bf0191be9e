import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkflowError } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import { FakeNode } from "../../testing/fake-node.ts";
import { failed, run } from "../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";
import { formatRun } from "./show.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (args: readonly string[]) => raftoral(args, { RAFTORAL_NODE: server.address });

test("show has steps and history", async () => {
  node.runs.set(
    "A17",
    run("A17", {
      input: { item: "tea" },
      history: [
        { path: "inventory#1", kind: "step", value: true, recordedAtMs: 1_700_000_000_120, epoch: 7, position: "12" },
        { path: "charge#1", kind: "step", value: "x\ny", recordedAtMs: 1_700_000_001_500, epoch: 9, position: "19" },
      ],
      takeovers: 3,
    }),
  );
  const { out } = await ask(["show", "A17"]);
  expect(out).toContain("Workflow:   process_order, version 1\n");
  expect(out).toContain('Input:      {"item":"tea"}\n');
  expect(out).toContain("inventory#1  step  +120ms  true\n");
  expect(out).toContain('charge#1     step   +1.5s  "x\\ny"\n');
  expect(out).toContain("2023-11-14 22:13:20  started     as process_order, version 1\n");
  expect(out).toContain("2023-11-14 22:13:21  taken-over  another owner recorded charge#1 first\n");
  expect(out).toContain("-                    taken-over  2 more changes of owner that recorded nothing\n");
  expect(JSON.parse((await ask(["show", "A17", "--json"])).out)).toMatchObject({
    runId: "A17",
    input: { item: "tea" },
    history: [{ path: "inventory#1", value: true }, { value: "x\ny" }],
  });
});

test("show has the steps under way, with their failed attempts and heartbeats", async () => {
  const step = {
    path: "charge#0",
    failedAttempts: 2,
    error: { name: "Error", message: "the bank is away" },
    nextAttemptAtMs: 1_700_000_060_000,
    beganAtMs: 1_700_000_000_000,
    heartbeat: Payload.of({ done: 17 }, "it"),
  };
  const begun = { ...step, path: "pack#0", failedAttempts: 0, error: undefined, nextAttemptAtMs: undefined };
  node.runs.set(
    "retries",
    run("retries", { stepsInProgress: [step, { ...begun, heartbeat: Payload.of(undefined, "it") }] }),
  );
  const { out } = await ask(["show", "retries"]);
  expect(out).toMatch(/step +charge#0 +2023-11-14 22:14:20\S* +2 +Error: the bank is away +\{"done":17\}/);
  expect(out).toMatch(/pack#0 +- +0 +- +-/);
  // A node that has not the run's code cannot tell what the run waits for, and shows what the state has.
  node.before = async (name) => {
    if (name === "pending")
      throw new WorkflowError("QUERY_UNAVAILABLE", "Run retries cannot be asked here. Ask another node.");
  };
  const stated = await ask(["show", "retries"]);
  expect(stated).toMatchObject({ code: 0 });
  expect(stated.out).toMatch(/STEP UNDER WAY[\s\S]*charge#0 +2 +2023-11-14 22:14:20\S* +Error: the bank is away/);
  expect(JSON.parse((await ask(["show", "retries", "--json"])).out).stepsInProgress).toMatchObject([
    { path: "charge#0", failedAttempts: 2, heartbeat: { done: 17 } },
    { path: "pack#0", failedAttempts: 0 },
  ]);
});

test("show has the parent, the generation and the running children", async () => {
  const children = [{ runId: "family/ship#0", workflowType: "ship", path: "ship#0" }];
  node.runs.set("family", run("family", { parent: { runId: "P1", path: "order#0" }, generation: 3, children }));
  const { out } = await ask(["show", "family"]);
  expect(out).toMatch(/Generation: +3\n/);
  expect(out).toMatch(/Parent: +P1, at order#0\n/);
  expect(out).toMatch(/family\/ship#0 +ship +ship#0\n/);
  expect(JSON.parse((await ask(["show", "family", "--json"])).out)).toMatchObject({ generation: 3, children });
  node.runs.set("alone", run("alone"));
  expect((await ask(["show", "alone"])).out).not.toMatch(/Generation|Parent|CHILD/);
});

test("show has the stack, the causes and the parts of what a run failed with", async () => {
  const cause = failed("Error", "connect ECONNREFUSED", { code: "ECONNREFUSED", stack: "Error: x\n    at net.js:1" });
  const parts = [failed("Error", "first"), failed("RangeError", "second\u001b[2J")];
  const error = failed("AggregateError", "all failed", {
    stack: "AggregateError\n    at a.ts:7:1",
    cause,
    errors: parts,
  });
  node.runs.set("bad", run("bad", { status: "failed", endedAtMs: 1_700_000_000_500, error }));
  const { out } = await ask(["show", "bad"]);
  expect(out).toContain("Error:      AggregateError: all failed\n");
  expect(out).toContain(
    [
      "AggregateError: all failed",
      "  at a.ts:7:1",
      "  Caused by:",
      "    Error (ECONNREFUSED): connect ECONNREFUSED",
      "      at net.js:1",
      "  Error 1 of 2:",
      "    Error: first",
      "  Error 2 of 2:",
      "    RangeError: second\\u001b[2J",
      "",
    ].join("\n"),
  );
  expect(JSON.parse((await ask(["show", "bad", "--json"])).out).error).toEqual(error);
});

test("show cuts long values, and prints them whole with --full", async () => {
  const long = "v".repeat(500);
  node.runs.set(
    "long",
    run("long", {
      input: { long },
      history: [
        {
          path: `${"p".repeat(100)}#1`,
          kind: "step",
          value: long,
          recordedAtMs: 1_700_000_000_000,
          epoch: 1,
          position: "1",
        },
      ],
    }),
  );
  const { out } = await ask(["show", "long"]);
  expect(out).not.toContain(long);
  expect(out).toContain("…");
  const full = await ask(["show", "long", "--full"]);
  expect(full.out).toContain(`Input:      {"long":"${long}"}\n`);
  expect(full.out).toContain(`${"p".repeat(100)}#1  step  +0ms  "${long}"\n`);
  expect(full.out).not.toContain("…");
});

test("show has 140,000 records, more than a call takes arguments", { tags: ["slow"] }, () => {
  const records = 140_000;
  const description = run("long", { recordCount: records, takeovers: records });
  const history = Array.from({ length: records }, (_, at) => {
    const value = Payload.of(at, "a value");
    return {
      path: `step#${at}`,
      kind: "step",
      value,
      recordedAtMs: description.startedAtMs,
      epoch: at,
      position: `${at}`,
    };
  });
  const lines = formatRun(
    { description, input: Payload.of("in", "the input"), ended: undefined, pending: [], history },
    true,
  ).split("\n");
  expect(lines.filter((line) => line.startsWith("step#"))).toHaveLength(records);
  // Each record is of another owner.
  expect(lines.filter((line) => line.includes("taken-over"))).toHaveLength(records);
});

test("show has the latest records, and all with --full", async () => {
  const history = Array.from({ length: 30 }, (_, at) => {
    return {
      path: `step#${at}`,
      kind: "step",
      value: at,
      recordedAtMs: 1_700_000_000_000,
      epoch: 1,
      position: `${at}`,
    };
  });
  node.runs.set("long", run("long", { history }));
  const stepsIn = (out: string): readonly string[] => out.split("\n").filter((line) => line.startsWith("step#"));
  const { out } = await ask(["show", "long"]);
  expect(out).toContain("18 earlier records; --full has all of them.\n");
  expect(stepsIn(out)).toHaveLength(12);
  expect(stepsIn(out)[0]).toMatch(/^step#18 /);
  expect(stepsIn((await ask(["show", "long", "--full"])).out)).toHaveLength(30);
});

test("show has moments as times", async () => {
  const record = (kind: string, value: unknown, at: number) => {
    return { path: `${kind}#${at}`, kind, value, recordedAtMs: 1_700_000_000_000, epoch: 1, position: `${at}` };
  };
  const atMs = Date.UTC(2026, 0, 31, 12, 30, 1);
  const history = [
    record("sleep", atMs, 1),
    record("wait-deadline", atMs, 2),
    record("now", atMs, 3),
    record("step", atMs, 4),
    record("sleep", "odd", 5),
    record("now", 1e300, 6),
  ];
  node.runs.set("times", run("times", { history }));
  const { out } = await ask(["show", "times"]);
  expect(out.split("\n").filter((line) => line.includes("+0ms"))).toEqual([
    "sleep#1          sleep          +0ms  until 2026-01-31 12:30:01 UTC",
    "wait-deadline#2  wait-deadline  +0ms  until 2026-01-31 12:30:01 UTC",
    "now#3            now            +0ms  2026-01-31 12:30:01 UTC",
    `step#4           step           +0ms  ${atMs}`,
    'sleep#5          sleep          +0ms  "odd"',
    "now#6            now            +0ms  1e+300",
  ]);
});

test("show --export writes the history for replays, to a file or to standard output", async () => {
  const recordedAtMs = 1_700_000_000_120;
  const history = [{ path: "charge#0", kind: "step", value: [1], recordedAtMs, epoch: 7, position: "12" }];
  node.runs.set(
    "A17",
    run("A17", { input: { item: "tea" }, status: "completed", result: 7, endedAtMs: recordedAtMs, history }),
  );
  const expected = {
    format: "raftoral-history/1",
    runId: "A17",
    workflowType: "process_order",
    version: 1,
    seed: "AAECAwQFBgcICQoLDA0ODw==",
    startedAtMs: 1_700_000_000_000,
    input: { value: { item: "tea" } },
    records: [{ path: "charge#0", kind: "step", recordedAtMs, value: [1] }],
    pendingSignals: [],
    outcome: { status: "completed", endedAtMs: recordedAtMs, value: 7 },
  };
  expect(JSON.parse((await ask(["show", "A17", "--export"])).out)).toEqual(expected);
  const folder = await mkdtemp(join(tmpdir(), "raftoral-export-"));
  try {
    const file = join(folder, "A17.json");
    const { code, out } = await ask(["show", "A17", "--export", file]);
    expect([code, out]).toEqual([0, `The history of run A17, 1 records, is in ${file}.\n`]);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(expected);
    const refused = await ask(["show", "A17", "--export", join(folder, "no", "A17.json")]);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("cannot be written to");
    expect(refused.err).toContain("Give a file in a folder that exists");
    expect((await ask(["show", "none", "--export"])).err).toContain("There is no run none");
  } finally {
    await rm(folder, { recursive: true });
  }
});
