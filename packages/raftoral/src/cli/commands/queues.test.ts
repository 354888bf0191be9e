import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../testing/fake-node.ts";
import { fakeQueue } from "../../testing/fake-queues.ts";
import { run } from "../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (...args: readonly string[]) => raftoral(args, { RAFTORAL_NODE: server.address });

test("queues are defined with their limits, and listed", async () => {
  const limits = ["--concurrency", "50", "--per-key", "2", "--per-node", "9", "--rate", "100/1m"];
  const told = await ask("queues", "define", "mail", ...limits);
  expect(told).toMatchObject({ code: 0, err: "" });
  expect(told.out).toBe("Queue mail has the limits: 50 at once, 2 per key, 9 per node, 100 in 1m 00s.\n");
  const rate = { limit: 100, periodMs: 60_000 };
  expect(node.queues.of("mail")).toMatchObject([{ limits: { concurrency: 50, perKey: 2, perNode: 9, rate } }]);
  const oldestAtMs = Date.now() - 61_000;
  node.queues.all.set("jobs", fakeQueue("jobs", { waiting: 7, running: 1, closedBy: "concurrency", oldestAtMs }));
  const listed = await ask("queues");
  expect(listed.out.split("\n")[0]).toMatch(/^QUEUE +WAITING +DELAYED +RUNNING +OLDEST +LIMITS +STATE$/);
  expect(listed.out).toMatch(/jobs +7 +0 +1 +1m 01s +none +waits for concurrency/);
  const one = await ask("queues", "list", "jobs", "--json");
  expect(JSON.parse(one.out)).toMatchObject([{ name: "jobs", waiting: 7, oldestAtMs }]);
  expect(await ask("queues", "list", "none")).toMatchObject({ code: 1, err: expect.stringContaining("no queue none") });
});

test.each([
  ["pause", /Queue mail is paused/, [{ isPaused: true }]],
  ["resume", /Queue mail lets runs through/, [{ isPaused: false }]],
  ["delete", /Queue mail is deleted/, []],
])("%s says what was done", async (verb, says, queues) => {
  node.queues.change({ name: "mail", change: { kind: "define", limits: {} }, reason: "" });
  const told = await ask("queues", verb, "mail");
  expect(told).toMatchObject({ code: 0, err: "" });
  expect(told.out).toMatch(says);
  expect(node.queues.of("mail")).toMatchObject(queues);
  expect(JSON.parse((await ask("queues", verb, "mail", "--json")).out)).toEqual({ queue: "mail", done: verb });
  await ask("queues", verb, "mail", "--reason", "why");
  expect(node.queues.reasons).toEqual(["", "", "", "why"]);
});

test.each([
  [["define", "mail", "--concurrency", "0"], /whole number above 0/],
  [["define", "mail", "--rate", "100"], /for example 100\/1m/],
  [["define", "mail", "--rate", "100/1"], /with its unit/],
])("a limit that is none is a mistake on the command line: %j", async (args, says) => {
  expect(await ask("queues", ...args)).toMatchObject({ code: 2, err: expect.stringMatching(says) });
});

test("a run is started in a queue, and says where it stands", async () => {
  const queue = { name: "mail", key: "ada", priority: 3, waitsFor: "key", position: 2 };
  node.runs.set("A17", run("A17", { status: "queued", owner: 0, queue }));
  const shown = await ask("show", "A17");
  expect(shown.out).toMatch(/Status: +queued/);
  expect(shown.out).toMatch(/Queue: +mail, key ada, priority 3: waits for key, at place 2 of its key/);
  const flags = ["--queue", "mail", "--key", "ada", "--priority", "3", "--dedupe-key", "d", "--debounce", "5s"];
  expect((await ask("run", "process_order", ...flags)).code).toBe(0);
  expect(node.queues.started.at(-1)).toMatchObject({
    name: "mail",
    key: "ada",
    priority: 1_003,
    dedupeKey: "d",
    debounceMs: 5_000,
  });
  expect((await ask("run", "process_order", "--key", "ada")).err).toContain("without a queue");
  await ask("list", "--queue", "mail", "--status", "queued");
  expect(node.filters.at(-1)).toMatchObject({ queue: "mail", statuses: ["queued"] });
});
