// @module-tag slow

// A whole cluster over TLS: nodes join, restart, move and are asked, each as whom its certificate says.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { platformClock } from "@raftoral/raft-core";
import type { TlsOptions } from "@raftoral/transport-grpc";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  CertificateAuthority,
  filesOf,
  type IssuedCertificate,
} from "../../../transport-grpc/src/testing/certificate-authority.ts";
import { MembershipClient } from "../client/membership-client.ts";
import { type ClientOptions, RaftoralClient } from "../client/raftoral-client.ts";
import { leaderOf, TestCluster, until } from "../testing/test-cluster.ts";
import type { RaftoralNode } from "./raftoral-node.ts";

const greet = workflow("greet", { version: 1 }, async (ctx, name: string) => ctx.step("greet", () => `hello ${name}`));

const LIMIT = { timeoutMs: 5_000 };

let authority: CertificateAuthority;
let alice: IssuedCertificate;
let cluster: TestCluster;
const open: { close(): unknown }[] = [];
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  alice = await authority.client();
});
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [greet]);
});
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  await cluster.dispose();
});

const withCa = ({ cert, key }: IssuedCertificate) => ({ ca: authority.ca, cert, key });
const nodeTls = async (nodeId: number) => withCa(await authority.node(nodeId, "shop"));
const hostTls = async () => withCa(await authority.issue({ names: ["ip:127.0.0.1"] }));

async function form(tlsOf: (nodeId: number) => Promise<ReturnType<typeof withCa>>): Promise<RaftoralNode[]> {
  const nodes: RaftoralNode[] = [];
  for (let nodeId = 1; nodeId <= 3; nodeId++) {
    const origin = nodes[0] === undefined ? { bootstrap: true } : { join: nodes[nodes.length - 1]?.address ?? "" };
    nodes.push(await cluster.start({ ...cluster.place(), ...origin, clusterName: "shop", tls: await tlsOf(nodeId) }));
  }
  return nodes;
}

async function connect(node: RaftoralNode, options: ClientOptions): Promise<RaftoralClient> {
  const client = await RaftoralClient.connect(node.address, options);
  open.push(client);
  return client;
}

/** A connection as one node has it to another. */
async function asMember(node: RaftoralNode, tls: TlsOptions): Promise<MembershipClient> {
  const client = await MembershipClient.connect(node.address, tls, LIMIT, platformClock);
  open.push(client);
  return client;
}

describe.each([
  ["that name nodes", nodeTls],
  ["that name hosts", hostTls],
])("with certificates %s", (_, tlsOf) => {
  test("three nodes form a cluster, a client runs a workflow on it, a node comes back at another port", async () => {
    const nodes = await form(tlsOf);
    const client = await connect(nodes[2] as RaftoralNode, { tls: withCa(alice) });
    const run = await client.workflows.start(greet, "tls");
    expect(await run.result()).toBe("hello tls");

    const [, second] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const folder = cluster.places[1];
    await second.stop();
    const again = await cluster.start({ ...folder, clusterName: "shop", tls: await tlsOf(2) });
    await until(again, async () => (await again.cluster.status()).leader !== 0, "a leader at the node that moved");
    const first = nodes[0] as RaftoralNode;
    const known = async () => (await first.cluster.members()).find(({ nodeId }) => nodeId === 2)?.address;
    await until(first, async () => (await known()) === again.address, "the first node knows where the second is now");
  });
});

test("a newcomer gets the id that its certificate names, also by way of a follower", async () => {
  const nodes = await form(nodeTls);
  const leader = await leaderOf(nodes);
  const follower = nodes.find((node) => node !== leader) as RaftoralNode;
  const seventh = await cluster.start({ ...cluster.place(), join: follower.address, tls: await nodeTls(7) });
  expect(seventh.nodeId).toBe(7);
  expect((await seventh.cluster.members()).map(({ nodeId }) => nodeId)).toEqual([1, 2, 3, 7]);
});

describe("no place in the cluster is given", () => {
  let first: RaftoralNode;
  beforeEach(async () => {
    first = await cluster.start({ ...cluster.place(), bootstrap: true, clusterName: "shop", tls: await nodeTls(1) });
  });
  afterEach(async () => {
    expect((await first.cluster.members()).map(({ nodeId }) => nodeId)).toEqual([1]);
  });

  test("to a client", async () => {
    const asNode = await asMember(first, withCa(alice));
    await expect(asNode.join("127.0.0.1:9", "shop", 0, LIMIT)).rejects.toMatchObject({ code: "CALLER_REFUSED" });
    // It may ask everything else.
    const client = await connect(first, { tls: withCa(alice) });
    expect((await client.cluster.status()).nodeId).toBe(1);
  });

  test("to a node whose certificate names one that exists", async () => {
    const joining = cluster.start({ ...cluster.place(), join: first.address, tls: await nodeTls(1) });
    await expect(joining).rejects.toMatchObject({
      code: "CONF_CHANGE_INVALID",
      message: expect.stringContaining("ids up to 1 have been given"),
    });
  });

  test("to a node of another cluster", async () => {
    const tls = withCa(await authority.node(2, "bank"));
    const joining = cluster.start({ ...cluster.place(), join: first.address, tls });
    await expect(joining).rejects.toMatchObject({ code: "CALLER_REFUSED" });
  });

  test("to a node without a certificate of the authority, which is told so at once", async () => {
    const stranger = await CertificateAuthority.create("another authority");
    const { cert, key } = await stranger.node(2, "shop");
    const joining = cluster.start({ ...cluster.place(), join: first.address, tls: { ca: authority.ca, cert, key } });
    await expect(joining).rejects.toMatchObject({ code: "TRANSPORT_TLS_FAILED" });
    const plaintext = cluster.start({ ...cluster.place(), join: first.address });
    await expect(plaintext).rejects.toMatchObject({
      code: "TRANSPORT_TLS_FAILED",
      message: expect.stringContaining("this node speaks TLS"),
    });
  });
});

test("only a member says where it is", async () => {
  const nodes = await form(nodeTls);
  const [first, second] = nodes as [RaftoralNode, RaftoralNode];
  const move = async (tls: TlsOptions, nodeId: number) => {
    const client = await asMember(second, tls);
    await client.announce(first.clusterId, nodeId, "127.0.0.1:9", LIMIT);
  };
  await expect(move(withCa(alice), 3)).rejects.toMatchObject({ code: "CALLER_REFUSED" });
  await expect(move(await nodeTls(2), 3)).rejects.toMatchObject({ code: "CALLER_REFUSED" });
  expect((await first.cluster.members())[2]?.address).toBe(nodes[2]?.address);
});

describe("a node does not start", () => {
  test("with a certificate that others would not accept from it", async () => {
    const start = async (certificate: Promise<IssuedCertificate>) =>
      cluster.start({ ...cluster.place(), bootstrap: true, clusterName: "shop", tls: withCa(await certificate) });
    await expect(start(authority.node(2, "shop"))).rejects.toMatchObject({
      code: "TRANSPORT_TLS_INVALID",
      message: expect.stringContaining("would not accept this node as node 1"),
    });
    await expect(start(authority.issue({ names: ["dns:one.example.com"] }))).rejects.toMatchObject({
      code: "TRANSPORT_TLS_INVALID",
      message: expect.stringContaining("is not made out to 127.0.0.1"),
    });
  });

  test("in plaintext that was not asked for, whatever is to leave the machine", async () => {
    const refused = { code: "TRANSPORT_PLAINTEXT_REFUSED" };
    const start = (options: object) => cluster.start({ ...cluster.place(), bootstrap: true, ...options });
    await expect(start({ listen: "0.0.0.0:0", advertise: "127.0.0.1:5001" })).rejects.toMatchObject(refused);
    await expect(start({ advertise: "10.0.0.1:5001" })).rejects.toMatchObject(refused);
    await expect(start({ bootstrap: false, join: "10.0.0.1:5001" })).rejects.toMatchObject(refused);
    await expect(RaftoralClient.connect("10.0.0.1:5001")).rejects.toMatchObject(refused);
    await start({ listen: "0.0.0.0:0", advertise: "127.0.0.1:5001", tls: false });
  });
});

test("a client whose certificate is renewed goes on with the new one", async () => {
  const node = await cluster.start({ ...cluster.place(), bootstrap: true, clusterName: "shop", tls: await nodeTls(1) });
  const files = await filesOf({ ca: authority.ca, cert: alice.cert, key: alice.key });
  open.push({ close: () => void files.remove() });
  const client = await connect(node, { tls: files.paths });
  const bob = await authority.client("bob");
  await writeFile(join(files.folder, "cert.pem"), bob.cert);
  expect(() => client.reloadTls()).toThrow(expect.objectContaining({ code: "TRANSPORT_TLS_INVALID" }));
  await writeFile(join(files.folder, "key.pem"), bob.key);
  expect(client.reloadTls()).toBe(true);
  expect((await client.cluster.status()).nodeId).toBe(1);
  expect(node.reloadTls()).toBe(false);
});

test("a client that is turned away is told so, also when other nodes are down", async () => {
  const nodes = await form(nodeTls);
  const addresses = [...nodes.map(({ address }) => address), "127.0.0.1:9"];
  const stranger = await CertificateAuthority.create("another authority");
  const { cert, key } = await stranger.client();
  const refused = RaftoralClient.connect(addresses, { tls: { ca: authority.ca, cert, key } });
  await expect(refused).rejects.toMatchObject({
    code: "TRANSPORT_TLS_FAILED",
    message: expect.stringContaining("not signed by an authority"),
  });
});
