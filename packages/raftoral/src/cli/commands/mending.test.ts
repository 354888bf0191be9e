import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

const ask = (...args: readonly string[]) => raftoral(args, { RAFTORAL_NODE: server.address });

test.each<[args: readonly string[], action: object, says: RegExp, json: object]>([
  [["pause", "A17"], { kind: "pause", isNow: false }, /A17 is to pause once/, { pauseRequested: true }],
  [["pause", "A17", "--now"], { kind: "pause", isNow: true }, /A17 is paused/, { pauseRequested: true }],
  [["terminate", "A17"], { kind: "terminate" }, /A17 was terminated/, { terminated: true }],
  [["retry", "A17"], { kind: "retry", from: undefined }, /A17 goes on/, { retried: true }],
  [["retry", "A17", "--from", "a#1"], { kind: "retry", from: "a#1" }, /A17 goes on/, { retried: true }],
  [
    ["complete", "A17", "a", "--value", '{"b":1}'],
    { kind: "complete-step", path: "a#0", value: { b: 1 } },
    /Step a of run A17 has its value/,
    { step: "a", completed: true },
  ],
  [
    ["skip", "A17", "a#2"],
    { kind: "complete-step", path: "a#2", value: undefined },
    /Step a#2 of run A17 is skipped/,
    { step: "a#2", skipped: true },
  ],
  [
    ["fork", "A17", "--id", "B", "--from", "a", "--input", "[1]"],
    { kind: "fork", runId: "B", from: "a", input: [1] },
    /Run B goes on from A17/,
    { runId: "B", source: "A17" },
  ],
])("%j asks the node, and says what was done", async (args, action, says, json) => {
  const told = await ask(...args, "--reason", "why not");
  expect(told).toMatchObject({ code: 0, err: "" });
  expect(told.out).toMatch(says);
  expect(node.mends.at(-1)).toEqual(["A17", action, "why not"]);
  node.runs.set("A17", run("A17"));
  expect(JSON.parse((await ask(...args, "--json")).out)).toEqual({ runId: "A17", ...json });
  expect(node.mends.at(-1)).toEqual(["A17", action, "on request"]);
});

test("takes the bytes of a file, and refuses a file that is not there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "raftoral-cli-"));
  try {
    const file = join(folder, "picture");
    await writeFile(file, Uint8Array.of(0xff, 0, 1));
    expect(await ask("complete", "A17", "a", "--file", file)).toMatchObject({ code: 0, err: "" });
    const value = Uint8Array.of(0xff, 0, 1);
    expect(node.mends.at(-1)?.[1]).toEqual({ kind: "complete-step", path: "a#0", value });
    await ask("fork", "A17", "--id", "B", "--file", file);
    expect(node.mends.at(-1)?.[1]).toMatchObject({ kind: "fork", input: value });
    await ask("set", "A17", "picture", "--file", file);
    expect(node.mends.at(-1)?.[1]).toMatchObject({ kind: "set-variable", value });
    await ask("signal", "A17", "picture", "--file", file);
    expect(node.signals.at(-1)).toContainEqual(value);
    expect(await ask("complete", "A17", "a", "--file", file, "--value", "1")).toMatchObject({ code: 2 });
    const missing = await ask("complete", "A17", "a", "--file", join(folder, "none"));
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("cannot be read") });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("refuses a value that is no JSON, a completion without one, and tells of a run that is not there", async () => {
  expect(await ask("complete", "A17", "a", "--value", "{")).toMatchObject({ code: 2, out: "" });
  expect(await ask("complete", "A17", "a")).toMatchObject({ code: 2, out: "" });
  const { code, err } = await ask("retry", "none");
  expect(code).toBe(1);
  expect(err).toContain("WORKFLOW_NOT_FOUND");
  expect(node.mends).toEqual([]);
});

test("show says what a run waits for, and until when; --watch goes on until the run has ended", async () => {
  node.waits.push({ kind: "sleep", path: "sleep#0", untilMs: Date.UTC(2030, 0, 2), step: undefined });
  expect((await ask("show", "A17")).out).toMatch(/WAITS FOR.*\nsleep +sleep#0 +2030-01-02 00:00:00/);
  expect(JSON.parse((await ask("show", "A17", "--json")).out).pending).toMatchObject([{ kind: "sleep" }]);
  const watched = ask("show", "A17", "--watch");
  await expect.poll(() => node.polls.length).toBeGreaterThan(0);
  node.runs.set("A17", run("A17", { status: "completed", endedAtMs: 1_700_000_001_000, result: "sent" }));
  const { code, out } = await watched;
  expect(code).toBe(0);
  expect(out.match(/^Run: /gm)).toHaveLength(2);
  expect(out).toMatch(/completed after/);
});

test("a paused run is listed and shown as one, with the reason", async () => {
  await ask("pause", "A17", "--reason", "the bank is closed");
  expect((await ask("list", "--status", "paused")).out).toMatch(/^A17 .* paused/m);
  expect((await ask("show", "A17")).out).toMatch(/the bank is closed.*raftoral resume A17/);
});
