import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { replayFolder } from "./replay-folder.ts";

const order = workflow("order", { version: 2 }, (ctx) => ctx.step("reserve", () => 1)) as WorkflowDefinition;
const changed = workflow("order", { version: 2 }, (ctx) => ctx.step("book", () => 1)) as WorkflowDefinition;
const newer = workflow("order", { version: 3 }, (ctx) => ctx.step("reserve", () => 1)) as WorkflowDefinition;

let folder: string;
let empty: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-histories-"));
  empty = await mkdtemp(join(tmpdir(), "raftoral-histories-"));
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, 1);
  await run.wait();
  const history = await run.exportHistory();
  await writeFile(join(folder, "b.json"), JSON.stringify(history));
  await writeFile(join(folder, "a.json"), JSON.stringify({ ...history, records: [], outcome: { status: "running" } }));
  await writeFile(join(folder, "notes.txt"), "not a history");
  await writeFile(join(empty, "notes.txt"), "not a history");
});
afterAll(async () => {
  for (const one of [folder, empty]) await rm(one, { recursive: true });
});

/** What a runner would show: names, and how each test ends. */
async function outcomes(declare: (test: (name: string, run: () => Promise<void>) => void) => void): Promise<object> {
  const tests: [string, () => Promise<void>][] = [];
  declare((name, run) => void tests.push([name, run]));
  const entries = tests.map(
    async ([name, run]) =>
      [
        name,
        await run().then(
          () => "passes",
          (error: Error) => error.message,
        ),
      ] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

test("each history is a test, in the order of names", async () => {
  expect(await outcomes((test) => replayFolder(test, folder, [order]))).toEqual({
    "a.json replays": "passes",
    "b.json replays": "passes",
  });
  expect(await outcomes((test) => replayFolder(test, pathToFileURL(folder), [order], { accept: ["same"] }))).toEqual({
    "a.json replays": expect.stringContaining(
      "is extended, after 0 of 0 records. After all recorded calls the code makes the call step reserve#0.",
    ),
    "b.json replays": "passes",
  });
});

test("changed code fails with the first call that differs", async () => {
  expect(await outcomes((test) => replayFolder(test, folder, [changed]))).toMatchObject({
    "b.json replays": expect.stringContaining(
      "is different, after 0 of 1 records. The code never makes the recorded call step reserve#0; it makes the call step book#0.",
    ),
  });
});

test("a history of no given workflow fails; anyVersion takes the newest of its type", async () => {
  expect(await outcomes((test) => replayFolder(test, folder, [newer]))).toMatchObject({
    "b.json replays": "b.json is of order@2; the workflows are order@3. Give that workflow too, or remove the file.",
  });
  expect(await outcomes((test) => replayFolder(test, folder, [newer], { anyVersion: true }))).toMatchObject({
    "b.json replays": "passes",
  });
});

test("a damaged file, an empty folder and a missing one fail, and say why", async () => {
  await writeFile(join(folder, "c.json"), "{");
  expect(await outcomes((test) => replayFolder(test, folder, [order]))).toMatchObject({
    "c.json replays": expect.stringContaining("c.json is not JSON"),
  });
  for (const none of [empty, join(empty, "missing")]) {
    expect(await outcomes((test) => replayFolder(test, none, [order]))).toEqual({
      [`histories of ${none}`]: expect.stringContaining("has no histories. Export some with raftoral show ID --export"),
    });
  }
});
