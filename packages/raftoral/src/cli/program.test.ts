import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeNode, type FakeServer, serveFake } from "../testing/fake-node.ts";
import { failed, run } from "../testing/fake-run.ts";
import { raftoral } from "../testing/run-cli.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("grammar", () => {
  test("help of everything has examples and exits 0", async () => {
    const all = await raftoral(["--help"]);
    expect(all).toMatchObject({ code: 0, err: "" });
    const commands = [...all.out.matchAll(/^ {2}([a-z]+) [[<]/gm)].map((match) => match[1] ?? "");
    expect(commands).toEqual(
      expect.arrayContaining([
        "start",
        "join",
        "run",
        "list",
        "show",
        "signal",
        "cancel",
        "resume",
        "status",
        "leave",
        "transfer",
        "backup",
      ]),
    );
    for (const command of commands.filter((name) => name !== "help")) {
      const help = await raftoral([command, "--help"]);
      expect(help.code).toBe(0);
      expect(help.out).toMatch(/Examples?:\n {2}\$ raftoral /);
    }
  });

  test("the version is the package's", async () => {
    expect(await raftoral(["--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test.each([
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["run"], /missing required argument 'type'/],
    [["run", "x", "--frob"], /unknown option '--frob'/],
    [["run", "x", "--version", "1.5"], /whole number above 0/],
    [["list", "--status", "lost"], /running, stuck, paused, delayed, completed, failed or cancelled/],
    [["list", "--limit", "0"], /whole number above 0/],
    [["status", "--timeout", "5"], /with its unit, for example 500ms/],
    [["transfer", "two"], /as `raftoral status` shows it/],
    [["start", "--members", "1:a"], /Write id=host:port/],
    [["start", "--log-level", "loud"], /Allowed choices are debug, info, warn, error, silent/],
    [["join"], /missing required argument 'address'/],
  ])("%j is a usage error", async (args, message) => {
    const outcome = await raftoral(args);
    expect(outcome).toMatchObject({ code: 2, out: "" });
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toMatch(/\n\s+at /);
  });
});

describe("start", () => {
  test("flags become settings", async () => {
    const { started } = await raftoral(
      "start -l 127.0.0.1:5002 -d data/2 --join a:1 b:2 -w x.ts y.ts --stop-timeout 3s --metrics 127.0.0.1:9464 --log-level warn".split(
        " ",
      ),
    );
    expect(started).toEqual({
      node: {
        listen: "127.0.0.1:5002",
        dataDir: "data/2",
        join: ["a:1", "b:2"],
        metrics: { prometheus: "127.0.0.1:9464" },
        stopTimeoutMs: 3_000,
      },
      workflowFiles: ["x.ts", "y.ts"],
      logLevel: "warn",
      logFormat: "auto",
    });
  });

  test("without flags it listens where the other commands ask", async () => {
    expect((await raftoral(["start"])).started?.node).toEqual({ listen: "127.0.0.1:5001" });
  });

  test("static members are id=address", async () => {
    const { started } = await raftoral(["start", "--members", "1=a:1,2=b:2", "--id", "2"]);
    expect(started?.node).toMatchObject({
      members: [
        { nodeId: 1, address: "a:1" },
        { nodeId: 2, address: "b:2" },
      ],
      nodeId: 2,
    });
  });

  test("join is start --join under another name", async () => {
    const { started } = await raftoral(["join", "a:1", "--listen", "127.0.0.1:5002"]);
    expect(started?.node).toEqual({ listen: "127.0.0.1:5002", join: ["a:1"] });
  });

  test("flags go before the configuration file, whose paths are relative to it", async () => {
    const path = join(folder, "node.json");
    const config = {
      listen: "10.0.0.1:1",
      dataDir: "data",
      workflows: ["w.ts"],
      timing: { tickMs: 20 },
      metrics: { prometheus: "10.0.0.1:9464" },
      logLevel: "error",
    };
    await writeFile(path, JSON.stringify(config));
    const { started } = await raftoral(["start", "--config", path, "--listen", "10.0.0.1:2"]);
    expect(started).toEqual({
      node: {
        listen: "10.0.0.1:2",
        dataDir: join(folder, "data"),
        timing: { tickMs: 20 },
        metrics: { prometheus: "10.0.0.1:9464" },
      },
      workflowFiles: [join(folder, "w.ts")],
      logLevel: "error",
      logFormat: "auto",
    });
  });

  test.each([
    ["{", /is not JSON/],
    ["[]", /must hold an object/],
    ['{"lissen":"a:1"}', /unknown key "lissen"; there are listen/],
    ['{"workflows":"x.ts"}', /must list files under "workflows"/],
    ['{"logLevel":"loud"}', /one of debug, info/],
  ])("a configuration file %s is refused with exit code 2", async (text, message) => {
    const path = join(folder, "node.json");
    await writeFile(path, text);
    const outcome = await raftoral(["start", "--config", path]);
    expect(outcome.code).toBe(2);
    expect(outcome.err).toMatch(message);
    expect(outcome.started).toBeUndefined();
  });

  test("a configuration file that is not there is named", async () => {
    expect(await raftoral(["start", "--config", join(folder, "no.json")])).toMatchObject({
      code: 2,
      err: expect.stringContaining(join(folder, "no.json")),
    });
  });
});

describe("asking a node", () => {
  let node: FakeNode;
  let server: FakeServer;
  beforeEach(async () => {
    node = new FakeNode();
    server = await serveFake(node);
  });
  afterEach(() => server.close());

  const ask = (args: readonly string[], stdin?: string) => raftoral(args, { RAFTORAL_NODE: server.address }, stdin);

  test("run prints the id", async () => {
    expect(await ask(["run", "process_order", "--id", "A17"])).toMatchObject({
      code: 0,
      out: "Started run A17.\n",
      err: "",
    });
    expect((await ask(["run", "process_order", "--id", "A17"])).out).toBe("Run A17 was there already.\n");
    const { out } = await ask(["run", "process_order", "--id", "A17", "--json"]);
    expect(JSON.parse(out)).toEqual({ runId: "A17", created: false });
  });

  test("run takes its input from the line, a file, or standard input", async () => {
    const path = join(folder, "in.json");
    await writeFile(path, '{"from":"file"}');
    await ask(["run", "x", "--id", "1", "--input", '{"from":"line"}']);
    await ask(["run", "x", "--id", "2", "--input", `@${path}`]);
    await ask(["run", "x", "--id", "3", "--input", "-"], '{"from":"stdin"}');
    await ask(["run", "x", "--id", "4"]);
    expect([...node.runs.values()].map((each) => each.input)).toEqual([
      { from: "line" },
      { from: "file" },
      { from: "stdin" },
      undefined,
    ]);
  });

  test.each(["{", "{'a':1}", "@/does/not/exist", ""])(
    "run --input %j is refused, and nothing is started",
    async (input) => {
      const outcome = await ask(["run", "x", "--input", input]);
      expect(outcome).toMatchObject({ code: 2, out: "" });
      expect(outcome.err).toMatch(/^Error JSON_INVALID: --input /);
      expect(node.calls).toEqual([]);
    },
  );

  test("run --wait prints the result, or fails with the run", async () => {
    node.runs.set("ok", run("ok", { status: "completed", result: { status: "confirmed" } }));
    node.runs.set(
      "no",
      run("no", {
        status: "failed",
        error: failed("Error", "out of stock", { cause: failed("HttpError", "503", { code: "E503" }) }),
      }),
    );
    expect(await ask(["run", "x", "--id", "ok", "--wait"])).toMatchObject({
      code: 0,
      out: '{\n  "status": "confirmed"\n}\n',
    });
    expect(await ask(["run", "x", "--id", "no", "--wait"])).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^Error WORKFLOW_FAILED: Run no failed: Error: out of stock[^\n]*\n {2}Caused by:\n {4}HttpError \(E503\): 503\n$/,
      ),
    });
  });

  test("list is a table, newest first as the node gives it", async () => {
    node.runs.set(
      "A17",
      run("A17", { status: "completed", endedAtMs: 1_700_000_012_340, recordCount: 3, takeovers: 1 }),
    );
    node.runs.set("B", run("B", { owner: 0, startedAtMs: Date.now() }));
    const { out } = await ask(["list"]);
    const lines = out.split("\n");
    expect(lines[0]).toBe("ID   TYPE             STATUS     OWNER  TAKEOVERS  RECORDS  STARTED (UTC)         TOOK");
    expect(lines[1]).toBe("A17  process_order@1  completed      1          1        3  2023-11-14 22:13:20  12.3s");
    expect(lines[2]).toMatch(/^B {4}process_order@1 {2}running {5}none/);
    expect((await ask(["list", "--status", "failed"])).out).toBe("No runs.\n");
    expect((await ask(["list", "--limit", "1"])).out).toMatch(/There are more; raise --limit/);
    expect(JSON.parse((await ask(["list", "--json"])).out)).toHaveLength(2);
  });

  test("signal and cancel say what they did", async () => {
    node.runs.set("A17", run("A17"));
    expect((await ask(["signal", "A17", "approval", "--payload", "true"])).out).toMatch(/Signal approval was recorded/);
    expect(node.signals[0]?.slice(0, 3)).toEqual(["A17", "approval", true]);
    expect((await ask(["cancel", "A17", "--reason", "twice"])).out).toMatch(/Run A17 was asked to cancel/);
    expect(node.runs.get("A17")?.cancelReason).toBe("twice");
  });

  test("a stuck run is listed, shown with its reason, and resumed", async () => {
    node.runs.set("A18", run("A18", { status: "stuck", stuckReason: "owner-losses", owner: 0 }));
    expect((await ask(["list", "--status", "stuck"])).out).toMatch(/^A18 .* stuck +none/m);
    expect(JSON.parse((await ask(["list", "--json", "--status", "stuck"])).out)[0].stuckReason).toBe("owner-losses");
    expect(JSON.parse((await ask(["show", "A18", "--json"])).out)).toMatchObject({ stuckReason: "owner-losses" });
    expect((await ask(["show", "A18"])).out).toMatch(/Status: +stuck\nOwner: +none\n/);
    expect((await ask(["show", "A18", "--full"])).out).toMatch(
      /Stuck: +the processes that executed it ended .* raftoral resume A18/,
    );
    expect((await ask(["resume", "A18"])).out).toBe("Run A18 goes on.\n");
    expect(node.runs.get("A18")?.status).toBe("running");
  });

  test("status shows the node, the cluster and how far the members are", async () => {
    node.known = [
      { nodeId: 1, address: "10.0.0.1:5001", voter: true, match: 42, recentlyActive: true },
      { nodeId: 2, address: "10.0.0.2:5001", voter: true, match: 40, recentlyActive: false },
      { nodeId: 3, address: "10.0.0.3:5001", voter: false, match: 42, recentlyActive: true },
    ];
    const { out } = await ask(["status"]);
    expect(out).toContain("Node:       1 at 10.0.0.1:5001, leader\n");
    expect(out).toContain("   1  10.0.0.1:5001  leader   -\n");
    expect(out).toContain("   2  10.0.0.2:5001  voter    silent, 2 entries behind\n");
    expect(out).toContain("   3  10.0.0.3:5001  learner  up to date\n");
    expect(JSON.parse((await ask(["status", "--json"])).out)).toMatchObject({ nodeId: 1, term: 3 });
  });

  test("status shows the snapshots that are on their way", async () => {
    expect((await ask(["status"])).out).not.toContain("SNAPSHOT");
    const common = { index: 900, startedAtMs: 1_700_000_000_000, bytesPerSecond: 52_000_000 };
    const none = { delegate: undefined, bytesTotal: undefined };
    node.transfers = [
      { ...common, ...none, direction: "send", peer: 3, bytesDone: 25_000_000, bytesTotal: 100_000_000 },
      { ...common, ...none, direction: "receive", peer: 2, bytesDone: 1_000_000 },
      { ...common, ...none, direction: "delegated", peer: 4, delegate: 2, bytesDone: 0 },
    ];
    const { out } = await ask(["status"]);
    expect(out).toMatch(/sent to node 3 +900 +25\.0 MB of 100\.0 \(25 %\) +52\.0\n/);
    expect(out).toMatch(/received for node 2 +900 +1\.0 MB +52\.0\n/);
    expect(out).toMatch(/sent to node 4 by node 2 +900/);
    expect(JSON.parse((await ask(["status", "--json"])).out).transfers).toHaveLength(3);
  });

  test("leave means the node asked, or the one named", async () => {
    expect((await ask(["leave"])).code).toBe(0);
    expect((await ask(["leave", "--id", "3"])).out).toBe("Node 3 is no member of the cluster any more.\n");
    expect(node.calls.map((call) => call.name)).toEqual(["leave", "removeNode"]);
    expect(await ask(["leave", "--id", "9"])).toMatchObject({
      code: 1,
      err: "Error NODE_UNKNOWN: There is no node 9; members are 1, 2, 3.\n",
    });
  });

  test("backup names the folder on the node's machine", async () => {
    expect((await ask(["backup", "monday"])).out).toBe(
      "Node 1 of cluster test-1 is backed up in /backups/monday on its machine: 4 files, 2.0 MB; group 1 up to 9.\n",
    );
    expect(node.calls).toMatchObject([{ name: "backUp" }]);
    expect(node.calls[0]?.timeoutMs).toBeGreaterThan(60_000);
    expect(JSON.parse((await ask(["backup", "monday", "--json"])).out)).toMatchObject({
      path: "/backups/monday",
      bytes: 2_000_000,
    });
  });

  test("transfer says who leads", async () => {
    expect((await ask(["transfer", "3"])).out).toBe("Node 3 leads.\n");
    expect((await ask(["transfer"])).out).toBe("Node 2 leads.\n");
  });

  test("an error is one message, or JSON, or has its stack, as asked", async () => {
    expect((await ask(["show", "no"])).err).toBe("Error WORKFLOW_NOT_FOUND: There is no run no.\n");
    const asJson = await ask(["show", "no", "--json"]);
    expect(asJson).toMatchObject({ code: 1, out: "" });
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: "WORKFLOW_NOT_FOUND", retryable: false } });
    expect((await ask(["show", "no", "--verbose"])).err).toMatch(/\n\s+at /);
  });
});

test("a node that does not answer is named, with what to do", async () => {
  const server = await serveFake(new FakeNode());
  await server.close();
  const outcome = await raftoral(["status", "--node", server.address]);
  expect(outcome.code).toBe(1);
  expect(outcome.err).toContain(`No node answers at ${server.address}`);
  expect(outcome.err).toContain("Check the address, and that the node is running.");
});
