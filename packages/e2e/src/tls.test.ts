// @module-tag slow

// Nodes as processes, over TLS, with certificates in files: as an operator runs them, probed with tools of others.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { RaftoralClient } from "raftoral";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CertificateAuthority,
  filesOf,
  type IssuedCertificate,
} from "../../transport-grpc/src/testing/certificate-authority.ts";
import { type CliProcess, raftoral, raftoralNode } from "./cli/cli-process.ts";
import { eventually, freeAddresses } from "./harness/index.ts";

const TEST_MS = 60_000;
const CLUSTER = "vault";
const WORKFLOWS = join(import.meta.dirname, "programs", "cli-workflows.ts");
const run = promisify(execFile);

describe("three nodes over TLS, as processes", () => {
  const folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-tls-"));
  const nodes = new Map<number, CliProcess>();
  let authority: CertificateAuthority;
  let alice: IssuedCertificate;
  let files: Awaited<ReturnType<typeof filesOf<string>>>;
  let addresses: readonly string[] = [];

  const address = (nodeId: number): string => addresses[nodeId - 1] ?? "";
  const path = (name: string): string => files.paths[name] ?? "";
  const flags = (who: string) => [
    "--tls-ca",
    path("ca"),
    "--tls-cert",
    path(`${who}Cert`),
    "--tls-key",
    path(`${who}Key`),
  ];

  async function start(nodeId: number, ...how: readonly string[]): Promise<void> {
    const place = ["--listen", address(nodeId), "--data", join(folder, `${nodeId}`), "--workflows", WORKFLOWS];
    const [command = "start", ...rest] = how;
    nodes.set(nodeId, await raftoralNode(command, ...rest, ...place, ...flags(`n${nodeId}`)));
  }

  beforeAll(async () => {
    authority = await CertificateAuthority.create();
    alice = await authority.client();
    const contents: Record<string, string> = { ca: authority.ca, aliceCert: alice.cert, aliceKey: alice.key };
    for (const nodeId of [1, 2, 3]) {
      const { cert, key } = await authority.node(nodeId, CLUSTER);
      Object.assign(contents, { [`n${nodeId}Cert`]: cert, [`n${nodeId}Key`]: key });
    }
    files = await filesOf(contents);
    addresses = await freeAddresses(3);
    await start(1, "start", "--bootstrap", "--cluster-name", CLUSTER);
    await start(2, "join", address(1));
    await start(3, "join", address(2));
  }, TEST_MS);
  afterAll(async () => {
    await Promise.all([...nodes.values()].map((node) => node.kill("SIGKILL")));
    await files.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "SIGTERM under load loses no call; the leader goes, and comes back with a renewed certificate",
    async () => {
      const tls = { ca: authority.ca, cert: alice.cert, key: alice.key };
      const client = await RaftoralClient.connect([...addresses], { tls });
      const failures: unknown[] = [];
      let started = 0;
      let isOver = false;
      const ask = async (name: string): Promise<void> => {
        for (let i = 0; !isOver; i++) {
          const input = { item: "tea", total: 1 };
          await client.workflows
            .start("purchase", input, { runId: `${name}-${i}` })
            .catch((error) => failures.push(error));
          started += 1;
        }
      };
      const asking = Promise.all(["a", "b", "c"].map(ask));
      const enough = async (count: number) => {
        const wanted = started + count;
        await eventually(TEST_MS, `${count} more runs`, () => started >= wanted);
      };
      await enough(30);
      const { leader } = await client.cluster.status();
      expect((await nodes.get(leader)?.kill("SIGTERM"))?.code).toBe(0);
      await enough(30);
      const renewed = await authority.node(leader, CLUSTER);
      await writeFile(path(`n${leader}Cert`), renewed.cert);
      await writeFile(path(`n${leader}Key`), renewed.key);
      await start(leader);
      await enough(30);
      isOver = true;
      await asking;
      expect(failures).toEqual([]);
      expect(await Array.fromAsync(client.workflows.list())).toHaveLength(started);
      client.close();
    },
    TEST_MS,
  );

  test(
    "SIGHUP loads new certificates while the node runs",
    async () => {
      const renewed = await authority.node(2, CLUSTER);
      await writeFile(path("n2Cert"), renewed.cert);
      await writeFile(path("n2Key"), renewed.key);
      nodes.get(2)?.hangUp();
      const says = () => nodes.get(2)?.output.includes("the certificates were read again") === true;
      await eventually(TEST_MS, "the node to say so", says);
      const { code, stderr } = await raftoral("status", "--node", address(2), ...flags("alice"));
      expect(code, stderr).toBe(0);
    },
    TEST_MS,
  );

  test(
    "a command without the right certificate is told so, and gets nothing",
    async () => {
      for (const args of [[], ["--tls-ca", path("ca")]]) {
        const { code, stdout, stderr } = await raftoral("list", "--node", address(1), ...args);
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toContain("TRANSPORT_TLS_FAILED");
      }
    },
    TEST_MS,
  );

  // Tools of others, where the machine has them; grpc-js and the protocols themselves are tested beside the transport.
  test("grpc_health_probe and grpcurl understand the node", { timeout: TEST_MS }, async ({ skip }) => {
    const missing: string[] = [];
    const tool = async (name: string, ...args: readonly string[]): Promise<string | undefined> => {
      try {
        return (await run(name, [...args])).stdout;
      } catch (error) {
        if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
        missing.push(name);
        return undefined;
      }
    };
    const probe = ["-tls", "-tls-ca-cert", path("ca"), "-tls-client-cert", path("aliceCert")];
    const health = await tool("grpc_health_probe", "-addr", address(1), ...probe, "-tls-client-key", path("aliceKey"));
    if (health !== undefined) expect(health).toContain("SERVING");
    const curl = ["-cacert", path("ca"), "-cert", path("aliceCert"), "-key", path("aliceKey"), address(1)];
    const listed = await tool("grpcurl", ...curl, "list");
    if (listed !== undefined) expect(listed).toContain("raftoral.v1.WorkflowService");
    const status = await tool("grpcurl", ...curl, "raftoral.v1.ClusterService/GetStatus");
    if (status !== undefined) expect(JSON.parse(status)).toMatchObject({ nodeId: "1" });
    if (missing.length > 0) {
      console.log(`not tried: ${[...new Set(missing)].join(" and ")}; not installed on this machine`);
      skip();
    }
  });
});
