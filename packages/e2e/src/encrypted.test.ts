// @module-tag slow

// A cluster whose nodes and clients encrypt every value: owner and leader are killed in the middle of runs, keys are rotated node by node, and no disk has a value in plain.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RaftoralClient, type RunDescription } from "raftoral";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CliProcess, raftoral, raftoralNode } from "./cli/cli-process.ts";
import { eventually, freeAddresses } from "./harness/index.ts";

const TEST_MS = 90_000;
const WAIT_MS = 30_000;
const WORKFLOWS = join(import.meta.dirname, "programs", "cli-workflows.ts");
const CODECS = join(import.meta.dirname, "programs", "codecs.ts");
const SECRET = "steinway-0xC0FFEE";

interface Shown {
  readonly status: string;
  readonly owner: number;
  readonly recordCount: number;
  readonly takeovers: number;
  readonly stuckDetail?: string;
}

describe("three nodes that encrypt every value", () => {
  const folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-encrypted-"));
  const nodes: CliProcess[] = [];
  let addresses: readonly string[] = [];
  let client: RaftoralClient | undefined;

  const address = (n: number): string => addresses[n - 1] ?? "";
  const place = (n: number): readonly string[] => {
    const where = ["--listen", address(n), "--data", join(folder, `${n}`)];
    return [...where, "--workflows", WORKFLOWS, "--codec", CODECS];
  };
  const anyNode = (): readonly string[] => ["--node", addresses.join(",")];
  const withKeys = (keys: string): void => {
    process.env.RAFTORAL_TEST_KEYS = keys;
  };

  /** A command that must succeed, with the codecs; what it printed as JSON. */
  async function asked<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await raftoral(...args, "--json", "--codec", CODECS);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as T;
  }

  const shown = (id: string): Promise<Shown> => asked<Shown>("show", id, ...anyNode());
  /** Asks a node again and again until it is so, and then the command. */
  async function until(id: string, isSo: (run: RunDescription) => boolean): Promise<Shown> {
    await eventually(
      WAIT_MS,
      `run ${id}`,
      async () => client !== undefined && isSo(await client.workflows.describe(id)),
    );
    return shown(id);
  }

  async function started(id: string): Promise<Shown> {
    const input = JSON.stringify({ item: SECRET, total: 4000 });
    await asked("run", "purchase", "--input", input, "--id", id, ...anyNode());
    return until(id, ({ recordCount }) => recordCount === 1);
  }

  /** In order, as an operator does it: a run that loses one owner after the other by force gets stuck. */
  async function restart(n: number): Promise<void> {
    await nodes[n - 1]?.kill("SIGTERM");
    nodes[n - 1] = await raftoralNode("start", ...place(n));
  }

  /** All of them, as after a power cut: a run loses its owner once. */
  async function restartAll(): Promise<void> {
    await Promise.all(nodes.map((node) => node.kill("SIGKILL")));
    const again = await Promise.all([1, 2, 3].map((n) => raftoralNode("start", ...place(n))));
    nodes.splice(0, nodes.length, ...again);
  }

  async function completed(id: string): Promise<void> {
    await asked("signal", id, "approval", "--payload", "true", ...anyNode());
    const run = await until(id, ({ status }) => status !== "running");
    expect(run).toMatchObject({
      status: "completed",
      input: { item: SECRET },
      result: { item: SECRET, approved: true },
    });
  }

  beforeAll(async () => {
    withKeys("k1");
    addresses = await freeAddresses(3);
    nodes.push(await raftoralNode("start", "--bootstrap", ...place(1)));
    nodes.push(await raftoralNode("join", address(1), ...place(2)));
    nodes.push(await raftoralNode("join", address(1), ...place(3)));
    client = await RaftoralClient.connect(addresses, { tls: false });
  }, TEST_MS);
  afterAll(async () => {
    delete process.env.RAFTORAL_TEST_KEYS;
    client?.close();
    await Promise.all(nodes.map((node) => node.kill("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "go on with a run whose owner and then whose leader is killed",
    async () => {
      const { owner } = await started("killed");
      await nodes[owner - 1]?.kill("SIGKILL");
      const moved = await until("killed", (run) => run.owner !== owner && run.owner !== 0);
      expect(moved.takeovers).toBeGreaterThan(0);
      nodes[owner - 1] = await raftoralNode("start", ...place(owner));
      const { leader } = await asked<{ leader: number }>("status", ...anyNode());
      await nodes[leader - 1]?.kill("SIGKILL");
      await completed("killed");
      nodes[leader - 1] = await raftoralNode("start", ...place(leader));
    },
    TEST_MS,
  );

  test(
    "rotate their key node by node, with a run in its middle; what the old key encrypted stays readable",
    async () => {
      await started("rotated");
      for (const keys of ["k2,k1", "k1,k2"]) {
        // First every process knows the new key, and then it is used.
        withKeys(keys);
        for (const n of [1, 2, 3]) await restart(n);
      }
      await completed("rotated");
      expect(await shown("killed")).toMatchObject({ status: "completed", result: { item: SECRET } });
      const plain = await raftoral("show", "rotated", ...anyNode());
      expect([plain.code, plain.stderr]).toEqual([0, ""]);
      expect(plain.stdout).toMatch(/Input: +encoded by encryption \(keyId k1\), \d+ bytes/);
      expect(plain.stdout).toMatch(/Result: +encoded by encryption \(keyId k2\), \d+ bytes/);
      expect(plain.stdout).not.toContain(SECRET);
    },
    TEST_MS,
  );

  test(
    "hold a run when no process has its key any more, until one has",
    async () => {
      await started("held");
      withKeys("k3");
      await restartAll();
      const stuck = await until("held", ({ status }) => status === "stuck");
      expect(stuck.stuckDetail).toContain("encryption (keyId k2)");
      withKeys("k1,k2,k3");
      await restartAll();
      await completed("held");
    },
    TEST_MS,
  );

  test("have no value in plain on their disks", async () => {
    for (const node of nodes) await node.kill("SIGTERM");
    const files = filesIn(folder);
    expect(files.some((file) => file.endsWith(".mdb"))).toBe(true);
    for (const file of files) expect(readFileSync(file).includes(SECRET), file).toBe(false);
    // Ids and paths are plain, so the search finds what is there.
    expect(files.some((file) => readFileSync(file).includes("rotated"))).toBe(true);
  });
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
