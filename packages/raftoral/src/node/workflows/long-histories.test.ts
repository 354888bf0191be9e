// @module-tag slow

// Waiting and reading beside long histories: what a call costs is counted, in records read and in bytes answered, and not timed.
import { workflow } from "@raftoral/workflow";
import { afterEach, expect, test } from "vitest";
import { RaftoralClient } from "../../client/raftoral-client.ts";
import { type CountingProxy, openCountingProxy } from "../../testing/counting-proxy.ts";
import { CountingStorage } from "../../testing/counting-store.ts";
import { RaftoralNode } from "../raftoral-node.ts";

const RECORDS = 10_000;
const CLIENTS = 50;
const RECORD_BYTES = 700 * 1024;
const LARGE_RECORDS = 96;

/** Records so much, then waits for a word and returns it. */
const recorder = workflow(
  "recorder",
  { version: 1 },
  async (ctx, { records, bytes }: { records: number; bytes: number }) => {
    for (let i = 0; i < records; i += 100) {
      const some = Array.from({ length: Math.min(100, records - i) }, (_, k) =>
        ctx.step(`s${i + k}`, () => "x".repeat(bytes)),
      );
      await Promise.all(some);
    }
    return ctx.waitFor("word");
  },
);

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function started(): Promise<{ node: RaftoralNode; storage: CountingStorage; proxy: CountingProxy }> {
  const storage = new CountingStorage();
  const node = await RaftoralNode.start({
    listen: "127.0.0.1:0",
    bootstrap: true,
    storage,
    workflows: [recorder],
    timing: { tickMs: 20 },
  });
  open.push({ close: () => node.stop({ timeoutMs: 1 }) });
  const proxy = await openCountingProxy(node.address);
  open.push(proxy);
  return { node, storage, proxy };
}

async function connected(address: string): Promise<RaftoralClient> {
  const client = await RaftoralClient.connect(address, { pinned: true });
  open.push(client);
  return client;
}

test(`${CLIENTS} clients that wait for a run of ${RECORDS} records read none of them, and are answered in a few bytes`, {
  timeout: 60_000,
}, async () => {
  const { node, storage, proxy } = await started();
  await node.workflows.start(recorder, { records: RECORDS, bytes: 10 }, { runId: "long" });
  await expect
    .poll(async () => (await node.workflows.describe("long")).recordCount, { timeout: 50_000 })
    .toBeGreaterThanOrEqual(RECORDS);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connected(proxy.address)));
  const before = { reads: storage.store.reads, bytes: proxy.answeredBytes };
  const results = clients.map((client) => client.workflows.result("long"));
  // Some polls that end without an answer, beside those that get one.
  await Promise.allSettled(clients.map((client) => client.workflows.wait("long", { timeoutMs: 50 })));
  await node.workflows.signal("long", "word", "done");
  expect(await Promise.all(results)).toEqual(clients.map(() => "done"));
  const polls = 2 * CLIENTS;
  expect((proxy.answeredBytes - before.bytes) / polls).toBeLessThan(512);
  // The body itself reads nothing: it was not replayed. Its end looks at the records once, to see whether they can be put together.
  expect(storage.store.reads - before.reads).toBeLessThan(2 * RECORDS);
  const reads = storage.store.reads;
  await Promise.all(clients.map((client) => client.workflows.result("long")));
  expect(storage.store.reads).toBe(reads);
});

test("a small result behind 64 MiB of history is read, and so is the history, in pages of a bounded size", {
  timeout: 60_000,
}, async () => {
  const { node, proxy } = await started();
  await node.workflows.start(recorder, { records: LARGE_RECORDS, bytes: RECORD_BYTES }, { runId: "large" });
  await node.workflows.signal("large", "word", "small");
  const { workflows } = await connected(proxy.address);
  expect(await workflows.result("large")).toBe("small");
  let records = 0;
  for (let pageToken: string | undefined, isLast = false; !isLast; isLast = pageToken === undefined) {
    const bytes = proxy.answeredBytes;
    const page = await workflows.historyPage("large", {
      pageSize: 1000,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    expect(proxy.answeredBytes - bytes).toBeLessThan(3 * RECORD_BYTES);
    records += page.records.length;
    pageToken = page.nextPageToken;
  }
  // The signal is a record, too.
  expect(records).toBe(LARGE_RECORDS + 1);
  expect(records * RECORD_BYTES).toBeGreaterThan(64 * 1024 * 1024);
});
