import { describe, expect, test } from "vitest";
import { message } from "../../message.ts";
import type { Snapshot } from "../../types.ts";
import { runScript } from "../datadriven/run-script.ts";
import { parseScript } from "../datadriven/script.ts";
import { InteractionEnvironment, interactionScript } from "./environment.ts";
import { describeMessage, describeReady } from "./format.ts";
import type { InteractionOptions } from "./interaction-group.ts";
import { quote } from "./quote.ts";

/** The output of each directive. */
function play(script: string, options: InteractionOptions = {}): string[] {
  const env = new InteractionEnvironment(options);
  const text = script
    .trim()
    .split("\n")
    .map((line) => `${line.trim().replace(" / ", "\n")}\n----\n`)
    .join("\n");
  return parseScript(text).map((directive) => env.handle(directive));
}

function lastOf(script: string): string {
  return play(script).at(-1) ?? "";
}

describe("the interaction environment", () => {
  test("shows an election of one node, message by message", () => {
    const script = `
add-nodes 1 voters=(1) index=3
----
ok

campaign 1
----
ok

stabilize
----
> 1 handling Ready
  Ready MustSync=true:
  Lead:0 State:StateCandidate
  HardState Term:1 Vote:1 Commit:3
> 1 handling Ready
  Ready MustSync=true:
  Lead:1 State:StateLeader
  Entries:
  1/4 EntryNormal ""
> 1 handling Ready
  Ready MustSync=false:
  HardState Term:1 Vote:1 Commit:4
  CommittedEntries:
  1/4 EntryNormal ""

propose 1 "a b"
----
ok
`;
    expect(runScript(script, interactionScript()).mismatches).toEqual([]);
  });

  test("is silent at log level none, except for errors", () => {
    const printed = play(`
      log-level none
      add-nodes 2 voters=(1,2) index=5
      raft-state
      propose 2 x
      log-level DEBUG
      raft-state`);
    expect(printed.slice(2)).toEqual([
      "ok",
      "raft proposal dropped",
      "ok",
      "1: StateFollower (Voter) Term:0 Lead:0\n2: StateFollower (Voter) Term:0 Lead:0\n",
    ]);
  });

  test("restores the log level after a stabilize of its own", () => {
    const printed = play(`
      add-nodes 1 voters=(1) index=5
      campaign 1
      stabilize log-level=none
      status 1`);
    expect(printed.slice(2)).toEqual(["ok", "1: StateReplicate match=6 next=7\n"]);
  });

  test("drops what it is told to, but never what a node says to itself or to its threads", () => {
    const setUp = `
      add-nodes 3 voters=(1,2,3) index=5 async-storage-writes=true
      campaign 1
      process-ready 1
      process-append-thread 1`;
    expect(lastOf(`${setUp}\n deliver-msgs drop=(1,2)`)).toBe("dropped: 1->2 MsgVote Term:1 Log:1/5 Commit:5\n");
    expect(lastOf(`${setUp}\n deliver-msgs 1`)).toBe("1->1 MsgVoteResp Term:1 Log:0/0\n");
    expect(lastOf(`${setUp}\n deliver-msgs 2 3 type=MsgApp`)).toBe("no messages\n");
  });

  test("hands a request for votes out behind its write, or before it in etcd's order", () => {
    const script = `
      add-nodes 3 voters=(1,2,3) index=5 async-storage-writes=true
      campaign 1
      process-ready 1
      deliver-msgs drop=(2,3)
      process-append-thread 1
      deliver-msgs drop=(2,3)`;
    const requests = "dropped: 1->2 MsgVote Term:1 Log:1/5 Commit:5\ndropped: 1->3 MsgVote Term:1 Log:1/5 Commit:5\n";
    const none = "no messages\n";
    const [, , ready, before, , after] = play(script);
    expect([before, after]).toEqual([none, requests]);
    expect(ready).toContain(
      "Responses:[\n  1->1 MsgVoteResp Term:1 Log:0/0\n  1->2 MsgVote Term:1 Log:1/5 Commit:5\n  1->3 MsgVote",
    );
    const [, , etcdReady, etcdBefore, , etcdAfter] = play(script, { likeEtcd: true });
    expect([etcdBefore, etcdAfter]).toEqual([requests.replaceAll(" Commit:5", ""), none]);
    expect(etcdReady).toContain(
      "Messages:\n1->2 MsgVote Term:1 Log:1/5\n1->3 MsgVote Term:1 Log:1/5\n1->AppendThread MsgStorageAppend",
    );
  });

  test("says when a thread has nothing to do", () => {
    const printed = play(`
      add-nodes 1 voters=(1) index=5 async-storage-writes=true
      process-append-thread 1
      process-apply-thread 1`);
    expect(printed.slice(1)).toEqual(["no append work to perform", "no apply work to perform"]);
  });

  test("compacts, and keeps the compacted index as its dummy", () => {
    const setUp = `
      add-nodes 1 voters=(1) index=5
      campaign 1
      stabilize
      propose 1 x
      stabilize`;
    const printed = play(`${setUp}\n compact 1 6\n compact 1 6\n compact 1 7`);
    expect(printed.slice(-3)).toEqual([
      '1/7 EntryNormal "x"\n',
      "requested index is unavailable due to compaction",
      "log is empty: first index=8, last index=7",
    ]);
  });

  test("serves the appending state machine's history as snapshots", () => {
    const env = new InteractionEnvironment();
    const text = ["add-nodes 1 voters=(1) index=5 content=ab", "campaign 1", "stabilize", "propose 1 cd", "stabilize"]
      .map((line) => `${line}\n----\n`)
      .join("\n");
    for (const directive of parseScript(text)) env.handle(directive);
    const { metadata, data }: Snapshot = env.node(1).storage.snapshot();
    expect([metadata.index, metadata.term, new TextDecoder().decode(data)]).toEqual([7, 1, "abcd"]);
    expect(lastOf("add-nodes 1 voters=(1) index=5\n send-snapshot 1 2")).toBe(
      "1->2 MsgSnap Term:0 Log:0/0\n  Snapshot: Index:5 Term:1 ConfState:Voters:[1] VotersOutgoing:[] Learners:[] " +
        "LearnersNext:[] AutoLeave:false",
    );
  });

  test.each([
    ["add-nodes 1 voters=(1)", "index must be specified as > 1 due to bootstrap"],
    ["add-nodes 1 read-only=never", 'invalid read-only option "never"'],
    ["dance 1", "unknown command"],
  ])("answers %s with an error", (directive, text) => {
    expect(lastOf(directive)).toBe(text);
  });

  test.each(["add-nodes 1 colour=red", "status 1", "campaign x", "deliver-msgs 1 drop=(1)", "stabilize speed=1"])(
    "refuses %s as a mistake of the script",
    (directive) => {
      expect(() => play(directive)).toThrow();
    },
  );

  test("proposes changes of both kinds, UpdateNode among them", () => {
    const printed = play(`
      add-nodes 1 voters=(1) index=5
      campaign 1
      stabilize log-level=none
      propose-conf-change 1 v1=true / u1
      process-ready 1
      stabilize log-level=none
      propose-conf-change 1 transition=explicit / l2 r3
      process-ready 1`);
    expect(printed[4]).toContain("1/7 EntryConfChange u1\n");
    expect(printed[7]).toContain("1/8 EntryConfChangeV2 l2 r3\n");
  });
});

describe("formats", () => {
  test("quote bytes as Go does", () => {
    const text = (value: string): string => quote(new TextEncoder().encode(value));
    expect(text('a"\\\n\t\u0000\u007f')).toBe('"a\\"\\\\\\n\\t\\x00\\x7f"');
    expect(text("é 世 😀")).toBe('"é 世 😀"');
    expect(text("\u00a0\u200b\ufeff")).toBe('"\\u00a0\\u200b\\ufeff"');
    expect(quote(Uint8Array.of(0x61, 0xff, 0xc3, 0x28))).toBe('"a\\xff\\xc3("');
  });

  test("print several entries and responses on lines of their own", () => {
    const entry = { term: 1, index: 2, type: "EntryNormal", data: new Uint8Array(0) } as const;
    const m = message({
      type: "MsgStorageApply",
      to: -2,
      from: 18,
      reject: true,
      rejectHint: 4,
      entries: [entry, { ...entry, index: 3 }],
      responses: [message({ type: "MsgStorageApplyResp", from: -2, to: 18, entries: [entry] })],
    });
    expect(describeMessage(m).split("\n")).toEqual([
      "12->ApplyThread MsgStorageApply Term:0 Log:0/0 Rejected (Hint: 4) Entries:[",
      '  1/2 EntryNormal ""',
      '  1/3 EntryNormal ""',
      "] Responses:[",
      '  ApplyThread->12 MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/2 EntryNormal ""]',
      "]",
    ]);
  });

  test("print a Ready's confirmed reads, and an empty Ready", () => {
    const nothing = {
      softState: undefined,
      hardState: undefined,
      readStates: [],
      entries: [],
      snapshot: undefined,
      committedEntries: [],
      messages: [],
      mustSync: false,
    };
    expect(describeReady(nothing)).toBe("<empty Ready>");
    const readStates = [{ index: 11, context: Uint8Array.of(102, 111) }];
    expect(describeReady({ ...nothing, readStates })).toBe("Ready MustSync=false:\nReadStates [{11 [102 111]}]\n");
  });
});
