// @module-tag slow

// The commands of `raftoral storage` on folders and backups that have large values beside the log.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RaftoralNode } from "../../../node/raftoral-node.ts";
import { TestCluster } from "../../../testing/test-cluster.ts";
import { runCli } from "../../program.ts";

const doubled = workflow("doubled", { version: 1 }, async (ctx, text: string) => ctx.step("double", () => text + text));
const TEXT = "large ".repeat(100_000);

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [doubled]);
});
afterEach(() => cluster.dispose());

async function raftoral(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const code = await runCli(
    args,
    {
      env: {},
      isTty: false,
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      bar: () => {},
      readStdin: async () => "",
      onSignal: () => () => {},
      onHangUp: () => () => {},
      exit: () => {
        throw new Error("the process would have ended");
      },
    },
    async () => 0,
  );
  return { code, ...said };
}

async function blobFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, "blobs"), { recursive: true });
  return names.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(folder, "blobs", name));
}

test("large values are counted, verified, backed up, restored, and missed", { timeout: 60_000 }, async () => {
  const { nodes } = await cluster.form(1);
  const [node] = nodes as [RaftoralNode];
  await (await node.workflows.start(doubled, TEXT, { runId: "one" })).result();
  const data = String(cluster.places[0]?.dataDir);
  const backup = join(data, "..", "backup");
  await node.backUp(backup);
  await node.stop();

  // The input, and the value of the step, which is the result, too.
  for (const folder of [data, backup]) {
    expect(await blobFiles(folder)).toHaveLength(2);
    const inspected = JSON.parse((await raftoral("storage", "inspect", folder, "--json")).out);
    expect(inspected.blobs).toEqual({ blobs: 2, bytes: 3 * TEXT.length + 4 });
    const verified = await raftoral("storage", "verify", folder, "--json");
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({ isIntact: true, missingBlobs: [], notes: [] });
  }

  const place = cluster.place();
  expect(await raftoral("storage", "restore", backup, String(place.dataDir))).toMatchObject({ code: 0, err: "" });
  const restored = await cluster.start(place);
  expect((await restored.workflows.run("one").result()) === TEXT + TEXT).toBe(true);
  expect((await restored.workflows.input("one")).value() === TEXT).toBe(true);

  // What is gone from a folder is fetched; a backup without it is not whole.
  for (const folder of [data, backup]) {
    const [gone = ""] = await blobFiles(folder);
    await rm(gone);
    const verified = JSON.parse((await raftoral("storage", "verify", folder, "--json")).out);
    expect(verified.missingBlobs).toEqual([gone.slice(-64)]);
    expect(verified.isIntact).toBe(folder === data);
  }
  const told = await raftoral("storage", "verify", data);
  expect(told).toMatchObject({ code: 0, out: expect.stringMatching(/Note: .*the state names this blob/) });
});
