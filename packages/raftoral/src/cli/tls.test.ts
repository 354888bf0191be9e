// TLS as an operator says it: by flags, in the environment, in a configuration file; and SIGHUP.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CertificateAuthority, filesOf } from "../../../transport-grpc/src/testing/certificate-authority.ts";
import { FakeProcess } from "../testing/fake-process.ts";
import { startSettings } from "./commands/start.ts";
import { runCli } from "./program.ts";
import { tlsFromEnv } from "./tls-flags.ts";

let authority: CertificateAuthority;
let files: Awaited<ReturnType<typeof filesOf<"ca" | "cert" | "key" | "clientCert" | "clientKey">>>;
const processes: FakeProcess[] = [];
beforeEach(async () => {
  authority = await CertificateAuthority.create();
  const node = await authority.node(1, "raftoral");
  const client = await authority.client();
  files = await filesOf({
    ca: authority.ca,
    cert: node.cert,
    key: node.key,
    clientCert: client.cert,
    clientKey: client.key,
  });
});
afterEach(async () => {
  for (const each of processes.splice(0)) {
    each.kill("SIGTERM");
    await each.ended;
  }
  await files.remove();
});

async function startNode(...args: string[]): Promise<{ readonly node: FakeProcess; readonly address: string }> {
  const node = new FakeProcess(["start", "-l", "127.0.0.1:0", "--bootstrap", ...args]);
  processes.push(node);
  return { node, address: String((await node.logged("node started")).address) };
}

const nodeFlags = () => ["--tls-ca", files.paths.ca, "--tls-cert", files.paths.cert, "--tls-key", files.paths.key];
const clientFlags = () => [
  "--tls-ca",
  files.paths.ca,
  "--tls-cert",
  files.paths.clientCert,
  "--tls-key",
  files.paths.clientKey,
];

/** Asks a node for its status as JSON. */
async function status(address: string, args: readonly string[], env: Record<string, string> = {}) {
  let out = "";
  let err = "";
  const io = {
    env,
    isTty: false,
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    bar: () => {},
    readStdin: async () => "",
    onSignal: () => () => {},
    onHangUp: () => () => {},
    exit: (): never => expect.unreachable(),
  };
  const code = await runCli(["status", "--json", "--node", address, ...args], io, () => expect.unreachable());
  return { code, answer: code === 0 ? JSON.parse(out) : JSON.parse(err).error };
}

test("a node and the commands that ask it take certificates by flag, and by the environment", async () => {
  const { address } = await startNode(...nodeFlags());
  expect(await status(address, clientFlags())).toMatchObject({ code: 0, answer: { nodeId: 1 } });
  const env = {
    RAFTORAL_TLS_CA: files.paths.ca,
    RAFTORAL_TLS_CERT: files.paths.clientCert,
    RAFTORAL_TLS_KEY: files.paths.clientKey,
  };
  expect(await status(address, [], env)).toMatchObject({ code: 0, answer: { nodeId: 1 } });
  expect(await status(address, ["--tls-ca", files.paths.ca])).toMatchObject({
    code: 1,
    answer: { code: "TRANSPORT_TLS_FAILED" },
  });
  expect(await status(address, [])).toMatchObject({
    code: 1,
    answer: { code: "TRANSPORT_TLS_FAILED", message: expect.stringContaining("--tls-ca, --tls-cert, --tls-key") },
  });
});

test("SIGHUP reads the certificates again", async () => {
  const { node, address } = await startNode(...nodeFlags());
  expect(node.hangUp()).toBe(true);
  await node.logged("the certificates have not changed");
  const renewed = await authority.node(1, "raftoral");
  await writeFile(files.paths.key, renewed.key);
  node.hangUp();
  await node.logged("the certificates cannot be used; going on with those before");
  await writeFile(files.paths.cert, renewed.cert);
  node.hangUp();
  await node.logged("the certificates were read again");
  expect(await status(address, clientFlags())).toMatchObject({ code: 0 });
});

test("without TLS nothing listens to SIGHUP: the end of a terminal ends the node", async () => {
  const { node } = await startNode();
  expect(node.hangUp()).toBe(false);
});

describe("a configuration file", () => {
  test("names certificates relative to itself; flags go before it, it goes before the environment", async () => {
    const folder = join(files.folder, "etc");
    await mkdir(folder);
    const path = join(folder, "node.json");
    const inline = "-----BEGIN CERTIFICATE-----\n";
    await writeFile(
      path,
      JSON.stringify({ tls: { ca: ["../ca.pem", inline], cert: "/abs/cert.pem", key: "key.pem" } }),
    );
    const env = { RAFTORAL_PLAINTEXT: "1" };
    const { node } = await startSettings({ config: path }, env);
    expect(node.tls).toEqual({
      ca: [files.paths.ca, inline],
      cert: "/abs/cert.pem",
      key: join(folder, "key.pem"),
    });
    expect((await startSettings({ config: path, plaintext: true }, env)).node.tls).toBe(false);
    await writeFile(path, "{}");
    expect((await startSettings({ config: path }, env)).node.tls).toBe(false);
    await writeFile(path, JSON.stringify({ tls: false }));
    expect((await startSettings({ config: path })).node.tls).toBe(false);
    expect((await startSettings({})).node).not.toHaveProperty("tls");
  });
});

describe("what cannot be meant is a wrong command line", () => {
  test.each([
    [["--plaintext", "--tls-ca", "ca.pem"], "OPTIONS_INVALID", "exclude each other"],
    [["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "OPTIONS_INVALID", "--tls-ca is missing"],
    [["--tls-ca", "/nowhere/ca.pem"], "TRANSPORT_TLS_INVALID", "tls.ca cannot be read"],
  ])("%j", async (args, code, message) => {
    expect(await status("127.0.0.1:1", args)).toMatchObject({
      code: 2,
      answer: { code, message: expect.stringContaining(message) },
    });
  });

  test("plaintext beyond this machine, unless asked for", async () => {
    expect(await status("192.0.2.1:1", [])).toMatchObject({
      code: 2,
      answer: { code: "TRANSPORT_PLAINTEXT_REFUSED", message: expect.stringContaining("--plaintext") },
    });
    expect(await status("192.0.2.1:1", ["--plaintext", "--timeout", "200ms"])).toMatchObject({ code: 1 });
    const node = new FakeProcess(["start", "-l", "0.0.0.0:0", "--advertise", "127.0.0.1:5001", "--bootstrap"]);
    expect(await node.ended).toBe(2);
    expect(node.errors).toContain("TRANSPORT_PLAINTEXT_REFUSED");
  });

  test("a contradiction in the environment", () => {
    expect(() => tlsFromEnv({ RAFTORAL_PLAINTEXT: "1", RAFTORAL_TLS_CA: "ca.pem" })).toThrow("exclude each other");
    expect(tlsFromEnv({ RAFTORAL_PLAINTEXT: "0" })).toBeUndefined();
  });
});
