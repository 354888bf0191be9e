// Certificates are replaced while nodes run: what is new counts for new connections, and what is bad changes nothing.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import tls from "node:tls";
import { type Clock, platformClock } from "@raftoral/raft-core";
import { numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { RaftClient } from "../client/raft-client.ts";
import { CertificateAuthority, filesOf, type IssuedCertificate } from "../testing/certificate-authority.ts";
import { RecordingNode } from "../testing/recording-node.ts";
import { Security } from "./security.ts";

let authority: CertificateAuthority;
let successor: CertificateAuthority;
let alice: IssuedCertificate;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  successor = await CertificateAuthority.create("next year's authority");
  alice = await authority.client();
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A node whose certificates are in files. */
async function startNode(nodeId: number, crl?: string) {
  const certificate = await authority.node(nodeId);
  const { cert, key } = certificate;
  const files = await filesOf({ ca: authority.ca, cert, key, crl: crl ?? "" });
  cleanUps.push(files.remove);
  const { crl: crlPath, ...paths } = files.paths;
  const node = await RecordingNode.start(nodeId, { tls: { ...paths, ...(crl === undefined ? {} : { crl: crlPath }) } });
  cleanUps.push(() => node.stop());
  return { node, certificate, paths: files.paths };
}

async function discover(node: RecordingNode, { cert, key }: IssuedCertificate, ca = authority.ca): Promise<number> {
  const client = await RaftClient.connect(node.address, { tls: { ca, cert, key } });
  cleanUps.push(() => client.close());
  return (await client.discover()).nodeId;
}

/** Serial number of the certificate that a node shows now. */
async function shownBy(node: RecordingNode): Promise<string> {
  const [host, port] = node.address.split(":");
  const socket = tls.connect({ host, port: Number(port), ca: authority.ca, ALPNProtocols: ["h2"], ...alice });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test("a new certificate is shown to callers that connect from then on; connections that stand go on", async () => {
  const { node: one, paths } = await startNode(1);
  const { node: two } = await startNode(2);
  two.knows(one);
  await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 1));
  const before = await shownBy(one);
  const renewed = await authority.node(1);
  await writeFile(paths.cert, renewed.cert);
  await writeFile(paths.key, renewed.key);
  expect(one.transport.reloadTls()).toBe(true);
  expect(await shownBy(one)).not.toBe(before);
  two.channel.send([numbered(2, 1, 2)]);
  await one.receiver.untilNumber(2, 2);
  expect(two.receiver.unreachables).toEqual([]);
  expect(one.transport.reloadTls()).toBe(false);
});

test("a certificate that is revoked by a reload is refused then, and the connection that it had ends", async () => {
  const { node: one, paths } = await startNode(1, await authority.revocations());
  const { node: two, certificate: certificateOfTwo } = await startNode(2);
  two.knows(one);
  await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 1));
  await writeFile(paths.crl, await authority.revocations(certificateOfTwo, alice));
  expect(one.transport.reloadTls()).toBe(true);
  await two.sendUntilUnreachable(1);
  const received = one.receiver.frames.length;
  await expect
    .poll(() => {
      two.channel.send([numbered(2, 1, 2)]);
      return one.texts("warn").join();
    })
    .toContain("revoked");
  expect(one.receiver.frames.length).toBe(received);
  await expect(discover(one, alice)).rejects.toMatchObject({ code: "TRANSPORT_TLS_FAILED" });
  expect(await discover(one, await authority.client("bob"))).toBe(1);
});

test("an authority is replaced without a pause: first both are believed, then only the new one", async () => {
  const { node: one, paths } = await startNode(1);
  const { node: two, paths: pathsOfTwo } = await startNode(2);
  one.knows(two);
  two.knows(one);
  const both = `${authority.ca}\n${successor.ca}`;
  for (const [node, { ca }] of [
    [one, paths],
    [two, pathsOfTwo],
  ] as const) {
    await writeFile(ca, both);
    node.transport.reloadTls();
  }
  await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
  for (const [node, { cert, key }] of [
    [one, paths],
    [two, pathsOfTwo],
  ] as const) {
    const renewed = await successor.node(node.nodeId);
    await writeFile(cert, renewed.cert);
    await writeFile(key, renewed.key);
    node.transport.reloadTls();
  }
  for (const [node, { ca }] of [
    [one, paths],
    [two, pathsOfTwo],
  ] as const) {
    await writeFile(ca, successor.ca);
    node.transport.reloadTls();
  }
  await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 2));
  await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 2));
  await expect(discover(one, alice, both)).rejects.toMatchObject({ code: "TRANSPORT_TLS_FAILED" });
  expect(await discover(one, await successor.client(), successor.ca)).toBe(1);
});

test("files that cannot be used are refused, and the node goes on with what it had", async () => {
  const { node, paths } = await startNode(1);
  const before = await shownBy(node);
  const renewed = await authority.node(1);
  await writeFile(paths.cert, renewed.cert);
  const reload = () => node.transport.reloadTls();
  expect(reload).toThrow(
    expect.objectContaining({
      code: "TRANSPORT_TLS_INVALID",
      message: expect.stringMatching(/tls\.key is not the key of tls\.cert/),
    }),
  );
  expect(await shownBy(node)).toBe(before);
  await writeFile(paths.key, renewed.key);
  expect(reload()).toBe(true);
  expect(await shownBy(node)).not.toBe(before);
});

test("a certificate that others would not accept from this node is refused by the node itself", async () => {
  const { node, paths } = await startNode(1);
  node.transport.security.bindTo(1, { host: "127.0.0.1", port: 1 });
  const before = await shownBy(node);
  const install = async (certificate: IssuedCertificate) => {
    await writeFile(paths.cert, certificate.cert);
    await writeFile(paths.key, certificate.key);
    return node.transport.reloadTls();
  };
  const refused = { code: "TRANSPORT_TLS_INVALID" };
  await expect(install(await authority.node(2))).rejects.toMatchObject(refused);
  await expect(install(await authority.issue({ names: ["dns:one.example.com"] }))).rejects.toMatchObject(refused);
  expect(await shownBy(node)).toBe(before);
  expect(await install(await authority.node(1))).toBe(true);
});

describe("watching the files", () => {
  /** A clock whose period is over when the test says so. */
  function handClock(): { readonly clock: Clock; tick(): void; readonly periods: number[] } {
    const due = new Set<() => void>();
    const periods: number[] = [];
    const every = (periodMs: number, fn: () => void) => {
      periods.push(periodMs);
      due.add(fn);
      return () => due.delete(fn);
    };
    return { clock: { ...platformClock, every }, tick: () => due.forEach((fn) => void fn()), periods };
  }

  test("loads what has changed, and logs once what cannot be used", async () => {
    const { cert, key } = await authority.node(1);
    const files = await filesOf({ ca: authority.ca, cert, key });
    cleanUps.push(files.remove);
    const security = new Security({ ...files.paths, reloadIntervalMs: 1234 });
    const log: string[] = [];
    const write = (_: object, text: string) => void log.push(text);
    const { clock, tick, periods } = handClock();
    const stop = security.watch(clock, { debug: write, info: write, warn: write, error: write });
    tick();
    expect([periods, log]).toEqual([[1234], []]);
    const renewed = await authority.node(1);
    await writeFile(files.paths.key, renewed.key);
    tick();
    tick();
    expect(log).toEqual(["changed certificates cannot be used; going on with those before"]);
    await writeFile(files.paths.cert, renewed.cert);
    tick();
    expect(log.at(-1)).toBe("the certificates have changed and were loaded");
    stop();
    await writeFile(files.paths.key, key);
    tick();
    expect(log).toHaveLength(2);
  });

  test("can be turned off", async () => {
    const { clock, periods } = handClock();
    const silent = () => {};
    const logger = { debug: silent, info: silent, warn: silent, error: silent };
    new Security({ ca: authority.ca, reloadIntervalMs: 0 }).watch(clock, logger)();
    new Security(false).watch(clock, logger)();
    expect(periods).toEqual([]);
  });
});
