import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../testing/fake-node.ts";
import { run } from "../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  node.runs.set("A17", run("A17", { attributes: { customer: "ada", due: new Date(0), tags: ["x"] } }));
  node.runs.set("A18", run("A18", { status: "failed", endedAtMs: 5 }));
  node.runs.set("B1", run("B1", { workflowType: "mail" }));
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (...args: readonly string[]) => raftoral(args, { RAFTORAL_NODE: server.address });

test("a list is narrowed and ordered as the flags say", async () => {
  const where = ["customer=ada,eve", "total>=5", "total<100", "due=2026-01-02T03:04:05Z", "open", 'code="7"'];
  const { code, err } = await ask(
    ...["list", "--status", "failed,stuck", "--type", "mail", "--owner", "0", "--parent", "P", "--prefix", "A"],
    ...where.flatMap((condition) => ["--where", condition]),
    ...["--created-from", "2026-01-01", "--ended-before", "2026-02-01T00:00:00Z", "--sort", "ended", "--ascending"],
  );
  expect([code, err]).toEqual([0, ""]);
  expect(node.filters).toEqual([
    {
      statuses: ["failed", "stuck"],
      workflowType: "mail",
      owner: 0,
      parent: "P",
      runIdPrefix: "A",
      created: { fromMs: Date.parse("2026-01-01") },
      ended: { beforeMs: Date.parse("2026-02-01") },
      attributes: [
        { name: "customer", in: ["ada", "eve"] },
        { name: "total", lower: { value: 5, isInclusive: true }, upper: { value: 100, isInclusive: false } },
        { name: "due", in: [{ dateMs: Date.parse("2026-01-02T03:04:05Z") }] },
        { name: "open" },
        { name: "code", in: ["7"] },
      ],
      sort: "ended",
      isAscending: true,
    },
  ]);
});

test.each<[flag: string, value: string, complaint: RegExp]>([
  ["--status", "running,lost", /running, stuck, paused, delayed, queued, completed, failed or cancelled/],
  ["--owner", "me", /whole number/],
  ["--where", "=5", /name=value/],
  ["--created-from", "yesterday", /2026-01-31/],
  ["--sort", "type", /created, ended/],
])("%s %s is refused", async (flag, value, complaint) => {
  const { code, err } = await ask("list", flag, value);
  expect(code).toBe(2);
  expect(err).toMatch(complaint);
});

test("a run is started with attributes, and shows them", async () => {
  const attributes = ["customer=ada", "total=40", "open=true", 'tags=["a","b"]', "due=2026-01-02", 'code="7"'];
  const flags = attributes.flatMap((each) => ["--attribute", each]);
  expect((await ask("run", "mail", "--id", "C1", ...flags)).code).toBe(0);
  expect(node.runs.get("C1")?.attributes).toEqual({
    customer: "ada",
    total: 40,
    open: true,
    tags: ["a", "b"],
    due: new Date("2026-01-02"),
    code: "7",
  });
  expect((await ask("show", "A17")).out).toMatch(
    /^Attributes: +customer="ada", due="1970-01-01T00:00:00.000Z", tags=\["x"\]$/m,
  );
  expect((await ask("run", "mail", "--attribute", "tags=[1]")).err).toMatch(/list of texts/);
});

test("a run is deleted", async () => {
  expect(await ask("delete", "A18")).toMatchObject({ code: 0, out: expect.stringContaining("Run A18 is deleted. ") });
  expect(node.runs.has("A18")).toBe(false);
  expect(JSON.parse((await ask("delete", "A18", "--json")).out)).toEqual({
    runId: "A18",
    deleted: false,
    position: 77,
  });
});

test("runs are counted by type and status", async () => {
  const { code, out } = await ask("count");
  expect(code).toBe(0);
  expect(out.split("\n").map((line) => line.split(/ +/))).toEqual([
    ["TYPE", "RUNNING", "STUCK", "PAUSED", "DELAYED", "QUEUED", "COMPLETED", "FAILED", "CANCELLED", "ALL"],
    ["process_order", "1", "0", "0", "0", "0", "0", "1", "0", "2"],
    ["mail", "1", "0", "0", "0", "0", "0", "0", "0", "1"],
    ["all", "2", "0", "0", "0", "0", "0", "1", "0", "3"],
    [""],
  ]);
  expect(JSON.parse((await ask("count", "--json", "--stale")).out)).toContainEqual({
    workflowType: "mail",
    status: "running",
    runs: 1,
  });
});
