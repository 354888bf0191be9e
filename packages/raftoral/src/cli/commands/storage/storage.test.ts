// @module-tag slow

// The commands of `raftoral storage`, and `raftoral backup`, on folders of real nodes.
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RaftoralNode } from "../../../node/raftoral-node.ts";
import { TestCluster, until } from "../../../testing/test-cluster.ts";
import type { CliIo } from "../../io.ts";
import { runCli } from "../../program.ts";

const order = workflow("order", { version: 1 }, async (ctx, item: string) => {
  await ctx.step("take", () => item);
  const approval = await ctx.waitFor("approve");
  return `${item}: ${approval}`;
});
const quick = workflow("quick", { version: 1 }, async (ctx, n: number) => ctx.step("same", () => n));

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [order, quick]);
});
afterEach(() => cluster.dispose());

async function raftoral(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io: CliIo = {
    env: {},
    isTty: false,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    bar: () => {},
    readStdin: async () => "",
    onSignal: () => () => {},
    onHangUp: () => () => {},
    exit: () => {
      throw new Error("the process would have ended");
    },
  };
  const code = await runCli(args, io, async () => 0);
  return { code, out, err };
}

/** Folder of the node that was started as number `i`. */
function dataOf(i: number): string {
  return String(cluster.places[i]?.dataDir);
}

/** A folder beside those of the nodes. */
function beside(name: string): string {
  return join(dataOf(0), "..", name);
}

async function flip(file: string): Promise<void> {
  const handle = await open(file, "r+");
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size >> 1);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, size >> 1);
  await handle.close();
}

/** As a failure of power to all of them: nothing is handed over. */
async function endAll(nodes: readonly RaftoralNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop({ timeoutMs: 1 })));
}

describe("the commands", () => {
  test("have help with examples", async () => {
    const all = await raftoral("storage", "--help");
    expect(all.code).toBe(0);
    for (const command of ["inspect", "verify", "lists", "backup", "restore", "recover"]) {
      expect(all.out).toContain(`  ${command} `);
      expect((await raftoral("storage", command, "--help")).out).toMatch(/Examples?:\n {2}\$ raftoral storage /);
    }
  });

  test.each([
    [["inspect"], 2, /missing required argument 'dir'/],
    [["verify", "data", "--frob"], 2, /unknown option/],
    [["inspect", "/no/such/folder"], 1, /STORAGE_PATH_INVALID/],
    [["restore", "/no/such/backup", "/tmp/never"], 1, /STORAGE_BACKUP_INVALID: .*has no backup\.json/],
    [["recover", "/no/such/folder", "--address", "here"], 2, /--address is "here"/],
    [["recover", "x", "--keep-cluster-id", "--new-cluster-id", "y"], 2, /exclude each other/],
  ])("%j is refused with %d", async (args, code, message) => {
    const outcome = await raftoral("storage", ...args);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(message);
  });

  test("lists and counts are compared with the runs, and made again", async () => {
    const { nodes } = await cluster.form(1);
    const [node] = nodes as [RaftoralNode];
    const started = await node.workflows.start(quick, 1, { runId: "one", attributes: { customer: "ada" } });
    await started.result();
    await node.stop();
    const data = dataOf(0);
    // The folder has the state of its last checkpoint; what the log has beyond is applied at the start.
    expect(await raftoral("storage", "lists", data)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Lists and counts agree with the \d+ runs\.\n$/),
    });
    const rebuilt = await raftoral("storage", "lists", data, "--rebuild", "--json");
    expect(JSON.parse(rebuilt.out)).toMatchObject({ missing: 0, surplus: 0, miscounted: [], isRebuilt: true });
    expect((await raftoral("storage", "lists", "/no/such/folder")).err).toMatch(/STORAGE_PATH_INVALID/);
    const again = await cluster.start({ dataDir: data });
    const found = await Array.fromAsync(again.workflows.list({ attributes: { customer: "ada" } }));
    expect(found.map(({ runId }) => runId)).toEqual(["one"]);
    expect(await again.workflows.counts()).toEqual([{ workflowType: "quick", status: "completed", runs: 1 }]);
  });

  test("inspect and verify a folder; verify names what is damaged, and a backup of it is refused", async () => {
    const { nodes } = await cluster.form(1);
    const [node] = nodes as [RaftoralNode];
    await (await node.workflows.start(quick, 1, { runId: "one" })).result();
    const data = dataOf(0);
    const locked = await raftoral("storage", "inspect", data);
    expect(locked).toMatchObject({ code: 1, err: expect.stringMatching(/STORAGE_LOCKED: .*by this process/) });
    await node.stop();

    const report = await raftoral("storage", "inspect", data);
    expect(report).toMatchObject({ code: 0, err: "" });
    expect(report.out).toMatch(new RegExp(`Node: +1 of cluster ${node.clusterId}`));
    expect(report.out).toMatch(new RegExp(`1 {2}${node.address} {2}voter`));
    const json = JSON.parse((await raftoral("storage", "inspect", data, "--json")).out);
    expect(json.groups[0]).toMatchObject({ group: 1, vote: 1, members: [{ nodeId: 1, address: node.address }] });

    expect(await raftoral("storage", "verify", data)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Intact: /),
    });
    const [name] = await readdir(join(data, "snapshots"));
    await flip(join(data, "snapshots", String(name)));
    const damaged = await raftoral("storage", "verify", data);
    expect(damaged.code).toBe(1);
    expect(damaged.out).toMatch(/1-1\.snapshot: group 1, snapshot 1\/1.*: /);
    expect(damaged.out).toMatch(/Damaged: .* has 1 damage .*\. Check the disk\./);
    const asJson = JSON.parse((await raftoral("storage", "verify", data, "--json")).out);
    expect(asJson).toMatchObject({ isIntact: false, damageCount: 1, damages: [{ group: 1 }] });
    const backup = await raftoral("storage", "backup", data, beside("backup"));
    expect(backup).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^Error STORAGE_CORRUPT: /) });
  });
});

describe("a running node", () => {
  test("is backed up for a client only where its configuration says, and by a name", async () => {
    const backupDir = join(cluster.place().dataDir ?? "", "..", "backups");
    const node = await cluster.start({ ...cluster.places[0], bootstrap: true, backupDir });
    const ask = (name: string) => raftoral("backup", name, "--node", node.address);
    expect(await ask("monday")).toMatchObject({ code: 0, out: expect.stringContaining(join(backupDir, "monday")) });
    expect(await raftoral("storage", "verify", join(backupDir, "monday"))).toMatchObject({ code: 0 });
    expect(await ask("monday")).toMatchObject({ code: 1, err: expect.stringContaining("STORAGE_TARGET_NOT_EMPTY") });
    for (const name of ["../monday", "/tmp/monday", "..", "a/b", "a\\b", "x\0"]) {
      expect(await ask(name), name).toMatchObject({ code: 1, err: expect.stringContaining("REQUEST_INVALID") });
    }
    expect(await readdir(backupDir)).toEqual(["monday"]);
    const second = await cluster.start({ ...cluster.place(), join: node.address });
    expect(await raftoral("backup", "x", "--node", second.address)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/BACKUP_REFUSED: .*--backup-dir/),
    });
  });
});

describe("a cluster of three", () => {
  test("that still runs does not end a node that was restored beside it", { timeout: 60_000 }, async () => {
    const { nodes } = await cluster.form(3);
    const [first] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await (await first.workflows.start(quick, 1, { runId: "before" })).result();
    await first.backUp(beside("backup"));
    const place = cluster.place();
    const restored = await raftoral("storage", "restore", beside("backup"), String(place.dataDir));
    expect(restored).toMatchObject({ code: 0, err: "" });
    // Its log begins with the old members, and they say that it is none of theirs.
    const alone = await cluster.start(place);
    await Promise.race([alone.cluster.waitForLeader(), alone.failed.then((reason) => Promise.reject(reason))]);
    expect(await (await alone.workflows.start(quick, 2, { runId: "after" })).result()).toBe(2);
    expect((await alone.cluster.members()).map(({ nodeId }) => nodeId)).toEqual([first.nodeId]);
    await expect(first.workflows.describe("after")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    expect(await first.cluster.members()).toHaveLength(3);
  });

  test("that is gone is restored from an online backup of one node: finished runs are there, others go on", {
    timeout: 60_000,
  }, async () => {
    const { nodes } = await cluster.form(3);
    const [first, second] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const waiting = await Promise.all(
      nodes.map((node, i) => node.workflows.start(order, `item ${i}`, { runId: `order-${i}` })),
    );
    const done = Array.from({ length: 10 }, (_, i) => second.workflows.start(quick, i, { runId: `before-${i}` }));
    for (const run of await Promise.all(done)) await run.result();
    // Every order has come to where it waits.
    const isWaiting = async () => (await second.cluster.status()).runningRuns === waiting.length;
    await until(second, isWaiting, "three runs that wait");
    let isOver = false;
    let during = 0;
    const writing = (async () => {
      for (; !isOver; during++)
        await (await second.workflows.start(quick, during, { runId: `during-${during}` })).result();
    })();
    const backup = beside("backup");
    const atStart = during;
    expect(await second.backUp(backup)).toMatchObject({ nodeId: 2, groups: [{ group: 1 }] });
    expect(during).toBeGreaterThanOrEqual(atStart);
    isOver = true;
    await writing;
    await endAll(nodes);

    const data = beside("restored");
    const restored = await raftoral(
      "storage",
      "restore",
      backup,
      data,
      "--new-cluster-id",
      "second-life",
      "--address",
      first.address,
    );
    expect(restored).toMatchObject({ code: 0, err: "" });
    expect(restored.out).toMatch(/only member of the new cluster second-life\./);
    const alone = await cluster.start({ dataDir: data, listen: first.address });
    await alone.cluster.waitForLeader();
    expect(alone).toMatchObject({ nodeId: 2, clusterId: "second-life" });
    for (let i = 0; i < 10; i++)
      expect(await alone.workflows.describe(`before-${i}`)).toMatchObject({ status: "completed" });
    const joined = [
      await cluster.start({ ...cluster.place(), join: alone.address }),
      await cluster.start({ ...cluster.place(), join: alone.address }),
    ];
    expect(joined.map(({ nodeId }) => nodeId)).toEqual([4, 5]);
    for (const i of [0, 1, 2]) await alone.workflows.signal(`order-${i}`, "approve", "yes");
    for (const i of [0, 1, 2]) expect(await alone.workflows.run(`order-${i}`).result()).toBe(`item ${i}: yes`);
    expect((await joined[0]?.workflows.describe("order-2"))?.status).toBe("completed");
    // One of old that comes back is no part of it.
    const old = await cluster.start({ dataDir: dataOf(0) });
    expect(await old.cluster.status()).toMatchObject({ leader: 0, clusterId: first.clusterId });
    expect((await alone.cluster.members()).map(({ nodeId }) => nodeId)).toEqual([2, 4, 5]);
  });

  test("of which one folder is left goes on with it, once somebody accepts what may be lost", {
    timeout: 60_000,
  }, async () => {
    const { nodes } = await cluster.form(3);
    const [first, , third] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await first.workflows.start(order, "item", { runId: "order" });
    await (await first.workflows.start(quick, 1, { runId: "finished" })).result();
    await endAll(nodes);
    for (const i of [0, 1]) await rm(dataOf(i), { recursive: true });
    const data = dataOf(2);

    const plan = await raftoral("storage", "recover", data);
    expect(plan).toMatchObject({ code: 2, err: "" });
    expect(plan.out).toMatch(/^Nothing was changed\./);
    expect(plan.out).toMatch(/Group 1: voters 1, 2, 3 -> 3 \(removed: nodes 1, 2\)/);
    for (const warning of [/LOST/, /ONE node only/, /--accept-data-loss/]) expect(plan.out).toMatch(warning);
    const before = JSON.parse((await raftoral("storage", "inspect", data, "--json")).out);
    expect(before.identity.clusterId).toBe(first.clusterId);

    const recovery = await raftoral("storage", "recover", data, "--accept-data-loss", "--json");
    expect(recovery.code).toBe(0);
    const { clusterId } = JSON.parse(recovery.out);
    expect(clusterId).toMatch(/^raftoral-[0-9a-f]{12}$/);
    expect(clusterId).not.toBe(first.clusterId);
    const alone = await cluster.start({ dataDir: data, listen: third.address });
    await alone.cluster.waitForLeader();
    expect(await alone.workflows.describe("finished")).toMatchObject({ status: "completed" });
    await cluster.start({ ...cluster.place(), join: alone.address });
    await alone.workflows.signal("order", "approve", "yes");
    expect(await alone.workflows.run("order").result()).toBe("item: yes");
    expect((await alone.cluster.members()).map(({ nodeId }) => nodeId)).toEqual([3, 4]);
  });
});
