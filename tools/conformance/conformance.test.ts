import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkFile } from "./check-file.ts";
import { DEFAULT_FOLDER, NO_DATA } from "./default-folder.ts";
import { findFiles } from "./find-files.ts";
import { unifiedDiff } from "./unified-diff.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-conformance-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

describe("a file of conformance data", () => {
  test("passes when every directive prints what it says", async () => {
    const path = await file("interaction/one.txt", "add-nodes 1 voters=(1) index=2\n----\nok\n");
    expect(await checkFile(path)).toEqual({ checks: 1, failures: 0, problems: [] });
  });

  test("fails with a unified diff of what differs", async () => {
    const path = await file(
      "quorum/two.txt",
      "# two\nvote cfg=(1) votes=(y)\n----\nVoteLost\n\nvote cfg=(1) votes=(n)\n----\nVoteLost\n",
    );
    const { checks, failures, problems } = await checkFile(path);
    expect([checks, failures]).toEqual([2, 1]);
    expect(problems.slice(2)).toEqual([
      "@@ -1,7 +1,7 @@",
      " # two",
      " vote cfg=(1) votes=(y)",
      " ----",
      "-VoteLost",
      "+VoteWon",
      " ",
      " vote cfg=(1) votes=(n)",
      " ----",
    ]);
  });

  test("is known by its commands outside of the usual folders", async () => {
    const quorum = await file("q.txt", "vote cfg=(1) votes=(y)\n----\nVoteWon\n");
    const confChange = await file("c.txt", "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n");
    expect([(await checkFile(quorum)).failures, (await checkFile(confChange)).failures]).toEqual([0, 0]);
  });

  test.each([
    ["a.md", "text", "neither a script"],
    ["b.json", "{}", "not a vectors file"],
    ["c.json", "[", "JSON"],
    ["d.txt", "command without end\n", "----"],
  ])("fails with the reason when it cannot be understood: %s", async (name, content, reason) => {
    const { failures, problems } = await checkFile(await file(name, content));
    expect(failures).toBe(1);
    expect(problems.join("\n")).toContain(reason);
  });

  test("holds vectors that must match both ways", async () => {
    const good = { type: "eraftpb.HardState", fields: { term: 1, commit: 300 }, hex: "080118ac02" };
    const bad = { ...good, fields: { term: 2, commit: 300 } };
    const unknown = { ...good, type: "eraftpb.Nothing" };
    const extra = { ...good, fields: { colour: 1 } };
    const path = await file("wire/v.json", JSON.stringify([good, bad, unknown, extra]));
    const { checks, failures, problems } = await checkFile(path);
    expect([checks, failures]).toEqual([4, 3]);
    expect(problems).toContain("+080218ac02");
    expect(problems).toContain('- "term": 2');
    expect(problems.join("\n")).toMatch(/eraftpb\.Nothing: there is no codec/);
    expect(problems.join("\n")).toMatch(/the codec has no field colour/);
  });

  test.each([
    ["eraftpb.Entry", { term: 2, sync_log: true }, "10022801"],
    ["eraftpb.Message", { deprecated_priority: 5, entries: [{ sync_log: true }, {}] }, "3a0228013a007005"],
    ["eraftpb.Message", { snapshot: { metadata: { conf_state: {} } } }, "4a0412020a00"],
    ["eraftpb.Message", { msg_type: "MsgRequestVote", priority: -1 }, "08058001ffffffffffffffffff01"],
    ["eraftpb.ConfChangeSingle", { change_type: "RemoveNode", node_id: 300 }, "080110ac02"],
    ["eraftpb.ConfChangeSingle", {}, ""],
    ["raftoral.Checkpoint", { workflow_id: "a", value: "00ff" }, "0a01611a0200ff"],
    ["raftoral.DiscoveryRequest", {}, ""],
  ])("knows everything the contracts have, also what the core passes over: %s %j", async (type, fields, hex) => {
    const path = await file("wire/details.json", JSON.stringify([{ type, fields, hex }]));
    expect(await checkFile(path)).toEqual({ checks: 1, failures: 0, problems: [] });
    const other = await file("wire/other.json", JSON.stringify([{ type, fields, hex: `${hex}08` }]));
    expect((await checkFile(other)).failures).toBe(1);
  });
});

test("folders are searched for scripts and vectors, in order", async () => {
  const inner = join(folder, "search");
  for (const name of ["z.txt", "a/y.json", "a/ignored.md", "b/x.txt"]) await file(join("search", name), "");
  expect(await findFiles(inner)).toEqual(["a/y.json", "b/x.txt", "z.txt"].map((name) => join(inner, name)));
});

describe("unified diffs", () => {
  test("are empty for equal texts", () => {
    expect(unifiedDiff({ expected: "a", actual: "b" }, ["1", "2"], ["1", "2"])).toEqual([]);
  });

  test("have one hunk for changes far apart, each with its context", () => {
    const before = Array.from({ length: 20 }, (_, i) => `${i}`);
    const after = before.filter((line) => line !== "2").flatMap((line) => (line === "15" ? ["15", "new"] : [line]));
    const diff = unifiedDiff({ expected: "a", actual: "b" }, before, after);
    expect(diff.filter((line) => line.startsWith("@@"))).toEqual(["@@ -1,6 +1,5 @@", "@@ -14,6 +13,7 @@"]);
    expect(diff.filter((line) => /^[-+][^-+]/.test(line))).toEqual(["-2", "+new"]);
  });
});

describe("the conformance data beside the checkout", async () => {
  const files = existsSync(DEFAULT_FOLDER) ? await findFiles(DEFAULT_FOLDER) : [];
  // A suite without a test would count as failed, and one that is skipped must say why.
  test.runIf(files.length === 0)("is absent", ({ skip }) => skip(NO_DATA));
  test.each(files)("passes: %s", async (path) => {
    expect((await checkFile(path)).problems).toEqual([]);
  });
});
