import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestCluster } from "../testing/test-cluster.ts";
import type { NodeEvent } from "./node-events.ts";
import { MemoryNodeStorage } from "./storage/node-storage.ts";

/** The compiler sees to it that this has every event. */
const ALL: Record<NodeEvent["type"], true> = {
  leader: true,
  members: true,
  "node-lost": true,
  "node-returned": true,
  "snapshot-taken": true,
  "snapshot-restored": true,
  removed: true,
  failed: true,
  "queue-changed": true,
  "lock-changed": true,
  "locks-told": true,
  "run-started": true,
  "attempt-failed": true,
  "run-ended": true,
  "schedule-changed": true,
  "run-continued": true,
  "owner-changed": true,
  "run-stuck": true,
  "record-committed": true,
  "signal-buffered": true,
  "stream-appended": true,
  "update-answered": true,
  "update-requested": true,
  "cancel-requested": true,
  "pause-requested": true,
  "run-retried": true,
  "run-forked": true,
  "runs-pruned": true,
  "node-changed": true,
  "type-paused": true,
  "operator-acted": true,
  "state-restored": true,
  "body-started": true,
  "step-attempt-failed": true,
  "code-mismatch": true,
  "foreign-await": true,
  "version-missing": true,
  "behaviours-missing": true,
  "records-unused": true,
  "steps-unfinished": true,
  "history-large": true,
};

test("the README explains every event, and no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const section = readme.slice(readme.indexOf("## Events"), readme.indexOf("## Metrics"));
  const rows = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)]);
  expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(ALL).sort());
});

describe("a node tells", () => {
  let cluster: TestCluster;
  afterEach(() => cluster.dispose());

  test("that its disk failed, with the storage's own reason, before it resolves `failed`", async () => {
    cluster = await TestCluster.create("memory", []);
    const storage = new MemoryNodeStorage();
    const node = await cluster.start({ storage, bootstrap: true, listen: "node-1:1" });
    const order: string[] = [];
    node.on((event) => {
      if (event.type === "failed") order.push(`event: ${event.error.message}`);
    });
    const failed = node.failed.then((reason) => order.push(`failed: ${reason.message}`));
    storage.poison(new Error("the disk is gone"));
    await node.workflows.start("any", undefined).catch(() => {});
    await failed;
    expect(order).toEqual(["event: the disk is gone", "failed: the disk is gone"]);
  });

  test("that it was removed, whether it left or was told", async () => {
    cluster = await TestCluster.create("memory", []);
    const { nodes } = await cluster.form(3);
    const [one, two, three] = nodes;
    for (const [node, remove] of [
      [three, () => three?.leave()],
      [two, () => one?.cluster.removeNode(two?.nodeId ?? 0)],
    ] as const) {
      const removed = Promise.withResolvers<void>();
      node?.on((event) => {
        if (event.type === "removed") removed.resolve();
      });
      await remove();
      await removed.promise;
    }
    expect((await one?.cluster.members())?.map(({ nodeId }) => nodeId)).toEqual([one?.nodeId]);
  });
});
