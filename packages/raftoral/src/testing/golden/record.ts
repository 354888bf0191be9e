/** Records the histories that are kept beside this file: `node packages/raftoral/src/testing/golden/record.ts`. Writes those that are missing, and changes none. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../../api/workflows.ts";
import { TestCluster } from "../../kit/cluster/test-cluster.ts";
import {
  add,
  approval,
  cancelledLater,
  everything,
  failing,
  GOLDEN,
  kept,
  narrower,
  parent,
  room,
  searching,
} from "./workflows.ts";

const folder = join(import.meta.dirname, "histories");
const cluster = await TestCluster.start({ nodes: 3, seed: 1, workflows: GOLDEN });
await mkdir(folder, { recursive: true });

async function record(name: string, run: Run<unknown>): Promise<void> {
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return;
  await writeFile(file, `${JSON.stringify(await run.exportHistory(), undefined, 2)}\n`);
  console.log(`recorded ${name}`);
}

const whole = await cluster.workflows.start(everything, { items: ["tea", "pot", "cup"] }, { runId: "everything" });
await cluster.time.advance("90m");
await record("everything-waiting", whole);
await whole.signal(approval, { by: "ada" });
cluster.time.release();
await whole.result();
await record("everything-completed", whole);
const taken = await cluster.workflows.start(everything, { items: ["tea"] }, { runId: "taken-over" });
await cluster.time.advance("90m");
cluster.kill("owner", taken.runId);
cluster.time.release();
await taken.signal(approval, { by: "bob" });
await taken.result();
await record("everything-taken-over", taken);
const undone = await cluster.workflows.start(cancelledLater, undefined, { runId: "undone" });
await cluster.time.advance("2h");
await undone.cancel({ reason: "not wanted" });
cluster.time.release();
await undone.wait();
await record("cancelled-later", undone);
const failed = await cluster.workflows.start(failing, undefined, { runId: "failed" });
await failed.wait();
await record("failing", failed);
const family = await cluster.workflows.start(parent, undefined, { runId: "family" });
await family.result();
await record("parent", family);
const sought = await cluster.workflows.start(
  searching,
  { for: "^tea", since: "2026-01-01T00:00:00Z" },
  { runId: "sought" },
);
await sought.signal(narrower, { for: "pot$", since: "2026-02-01T00:00:00Z" });
await sought.result();
// Kept beside it: searching-first-fingerprints, as an engine without behaviours recorded it.
await record("searching-full-fingerprints", sought);
await cluster.stop();

// A cluster of three again: one node of the first one is gone.
const second = await TestCluster.start({ nodes: 3, seed: 2, workflows: GOLDEN });
const keeping = await second.workflows.start(kept, undefined, { runId: "kept" });
await keeping.update(add, "tea");
const added = keeping.startUpdate(add, "pot");
await second.time.advance("10m");
await keeping.update(add, "stone").catch(() => {});
await keeping.signal(room, 2);
await (await added).result();
await second.time.advance("2h");
await record("kept-waiting", keeping);
second.kill("owner", keeping.runId);
second.time.release();
await keeping.update(add, "cup");
await keeping.signal("close");
await keeping.result();
await record("kept-completed", keeping);
await second.stop();
