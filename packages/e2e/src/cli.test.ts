// @module-tag slow

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CliProcess, raftoral, raftoralNode } from "./cli/cli-process.ts";
import { freeAddresses } from "./harness/index.ts";

const TEST_MS = 60_000;
const WORKFLOWS = join(import.meta.dirname, "programs", "cli-workflows.ts");

describe("three nodes that were started with the command raftoral", () => {
  const folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-cli-"));
  const nodes: CliProcess[] = [];
  let addresses: readonly string[] = [];

  const address = (n: number): string => addresses[n - 1] ?? "";
  const place = (n: number) => ["--listen", address(n), "--data", join(folder, `${n}`), "--workflows", WORKFLOWS];
  const anyNode = (): readonly string[] => ["--node", addresses.join(",")];

  /** A command that must succeed; what it printed as JSON. */
  async function asked(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await raftoral(...args, "--json");
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  }

  beforeAll(async () => {
    addresses = await freeAddresses(3);
    nodes.push(await raftoralNode("start", "--bootstrap", ...place(1)));
    nodes.push(await raftoralNode("join", address(1), ...place(2)));
    nodes.push(await raftoralNode("join", address(1), ...place(3)));
  }, TEST_MS);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "run a workflow to its result, shown by any of them",
    async () => {
      const input = '{"item":"tea","total":40}';
      const run = await raftoral("run", "purchase", "--input", input, "--id", "P-1", "--wait", "--node", address(2));
      expect(run.code, run.stderr).toBe(0);
      expect(JSON.parse(run.stdout)).toEqual({ item: "tea", approved: true });
      for (const n of [1, 2, 3]) {
        expect(await asked("show", "P-1", "--node", address(n))).toMatchObject({
          status: "completed",
          result: { item: "tea", approved: true },
        });
      }
      const status = await raftoral("status", "--node", address(3));
      for (const member of addresses) expect(status.stdout).toContain(member);
    },
    TEST_MS,
  );

  test(
    "keep a waiting run when its node is killed, and take its signal on another",
    async () => {
      const input = '{"item":"piano","total":4000}';
      await asked("run", "purchase", "--input", input, "--id", "P-2", "--node", address(1));
      await nodes[0]?.kill("SIGKILL");
      const signal = await raftoral("signal", "P-2", "approval", "--payload", "true", ...anyNode());
      expect(signal.code, signal.stderr).toBe(0);
      const again = await raftoral("run", "purchase", "--input", input, "--id", "P-2", "--wait", ...anyNode());
      expect(again.code, again.stderr).toBe(0);
      expect(again.stdout).toContain("piano");
      expect(await asked("list", ...anyNode())).toMatchObject([{ runId: "P-2", takeovers: 1 }, { runId: "P-1" }]);

      // The folder knows the rest.
      nodes[0] = await raftoralNode("start", ...place(1));
      expect(await asked("show", "P-2", "--node", address(1))).toMatchObject({ status: "completed" });
    },
    TEST_MS,
  );

  test(
    "let one of them leave, whose process ends by itself",
    async () => {
      const leave = await raftoral("leave", "--node", address(3));
      expect(leave.code, leave.stderr).toBe(0);
      expect((await nodes[2]?.ended)?.code).toBe(0);
      const { members } = (await asked("status", "--node", address(1))) as { members: readonly unknown[] };
      expect(members).toHaveLength(2);
    },
    TEST_MS,
  );

  test.each([
    ["an unknown workflow type", ["run", "no_such_type"], 1, "no_such_type"],
    ["malformed JSON", ["run", "purchase", "--input", "{item}"], 2, "--input is not JSON"],
    ["an unknown run", ["show", "no-such-run"], 1, "no-such-run"],
    ["an unknown node", ["transfer", "77"], 1, "77"],
  ])(
    "say what is wrong with %s",
    async (_, args, code, message) => {
      const outcome = await raftoral(...args, "--node", address(1));
      expect(outcome.stderr).toContain(message);
      expect(outcome.code).toBe(code);
      expect(outcome.stderr).not.toContain("    at ");
    },
    TEST_MS,
  );

  test(
    "refuse to start where something listens already, or with a folder that is in use",
    async () => {
      const [free = ""] = await freeAddresses(1);
      const busyPort = await raftoral("start", "--bootstrap", "--listen", address(1), "--data", join(folder, "new"));
      expect(busyPort.code).toBe(1);
      expect(busyPort.stderr).toContain(address(1));
      const busyFolder = await raftoral("start", "--listen", free, "--data", join(folder, "1"));
      expect(busyFolder.code).toBe(1);
      expect(busyFolder.stderr).toContain(join(folder, "1"));
      for (const { stderr } of [busyPort, busyFolder]) expect(stderr).not.toContain("    at ");
      expect(await asked("show", "P-1", "--node", address(1))).toMatchObject({ status: "completed" });
    },
    TEST_MS,
  );
});
