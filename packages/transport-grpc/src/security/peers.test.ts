// Which node may speak to which over TLS, and as whom. Everything refused leaves no trace but a count and a line in the log.

import { numbered, sendUntilReceived } from "@raftoral/raft-core/testing";
import { type Message, message } from "@raftoral/raft-core/transport";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { RaftClient } from "../client/raft-client.ts";
import type { GrpcTransportOptions } from "../options.ts";
import { CertificateAuthority, type IssuedCertificate } from "../testing/certificate-authority.ts";
import { RecordingNode } from "../testing/recording-node.ts";

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  stranger = await CertificateAuthority.create("another authority");
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(
  nodeId: number,
  certificate: Promise<IssuedCertificate>,
  options: GrpcTransportOptions = {},
): Promise<RecordingNode> {
  const { cert, key } = await certificate;
  const node = await RecordingNode.start(nodeId, { tls: { ca: authority.ca, cert, key }, ...options });
  cleanUps.push(() => node.stop());
  return node;
}

function announcementOf(from: number, to: number): Message {
  const confState = { voters: [1, 2], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const snapshot = { metadata: { confState, index: 50, term: 4 }, data: new Uint8Array(0) };
  return message({ type: "MsgSnap", from, to, term: 5, snapshot });
}

/** Why `from` does not reach `to`, as its log has it. */
async function refusalOf(from: RecordingNode, to: RecordingNode): Promise<string> {
  from.knows(to);
  await from.sendUntilUnreachable(to.nodeId);
  const content = async function* () {
    yield new Uint8Array([1, 2, 3]);
  };
  const announcement = announcementOf(from.nodeId, to.nodeId);
  await expect(from.channel.sendSnapshot(announcement, content())).rejects.toThrow();
  expect(to.receiver.frames).toEqual([]);
  const reasons = from.log.filter(({ level }) => level === "warn" || level === "error");
  return reasons.map(({ text, fields }) => `${text} ${String(fields.reason)}`).join("\n");
}

test("peers with certificates of their own exchange messages and snapshots", async () => {
  const one = await start(1, authority.node(1));
  const two = await start(2, authority.node(2));
  one.knows(two);
  two.knows(one);
  await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 7));
  await sendUntilReceived(two.channel, one.receiver, numbered(2, 1, 8));
  const stored: number[] = [];
  two.receiver.onSnapshot = async (_, content) => {
    for await (const chunk of content) stored.push(...chunk);
  };
  await one.channel.sendSnapshot(
    announcementOf(1, 2),
    (async function* () {
      yield new Uint8Array([1, 2, 3]);
    })(),
  );
  expect(stored).toEqual([1, 2, 3]);
});

describe("a certificate that names a node by URI", () => {
  test("does not do for another node of the cluster", async () => {
    const one = await start(1, authority.node(1));
    const impostor = await start(3, authority.node(2));
    expect(await refusalOf(impostor, one)).toMatch(
      /may not speak as node 3.*raftoral:\/\/default\/node\/2.*does not have the name raftoral:\/\/default\/node\/3/s,
    );
    expect(one.texts("warn").join()).toContain("may not speak as node 3");
    expect(one.transport.counters(1).framesRejected).toBeGreaterThan(0);
  });

  test("does not do for a node of that id in another cluster", async () => {
    const one = await start(1, authority.node(1));
    const impostor = await start(2, authority.node(2, "elsewhere"));
    expect(await refusalOf(impostor, one)).toContain("does not have the name raftoral://default/node/2");
  });

  test("may use the name that the transport is told instead of the cluster's id", async () => {
    const options = { clusterId: "orders-0a1b2c", certificateCluster: "orders" };
    const one = await start(1, authority.node(1, "orders"), options);
    const two = await start(2, authority.node(2, "orders"), options);
    one.knows(two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
  });

  test("is looked at by the one who calls as well", async () => {
    const one = await start(1, authority.node(1));
    // Its hello is never read: the listener there shows the certificate of node 3.
    const two = await start(2, authority.node(3));
    expect(await refusalOf(one, two)).toMatch(/is not node 2: its certificate \(.*node\/3\)/);
  });
});

describe("a certificate that names only hosts", () => {
  const onHost = (name: string) => authority.issue({ names: [name] });

  test("is that of the node whose address has the host", async () => {
    const one = await start(1, onHost("ip:127.0.0.1"));
    const two = await start(2, onHost("ip:127.0.0.1"));
    one.knows(two);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
  });

  test("does not do for a node that is known elsewhere", async () => {
    const one = await start(1, onHost("ip:127.0.0.1"));
    const two = await start(2, onHost("ip:127.0.0.1"));
    one.knows(two, "two.example.com:5001");
    expect(await refusalOf(two, one)).toMatch(/not made out to the host of node 2 at two\.example\.com:5001/);
  });
});

test("a client's certificate is none of a peer's", async () => {
  const one = await start(1, authority.node(1));
  const client = await start(2, authority.client());
  expect(await refusalOf(client, one)).toMatch(/may not speak as node 2: .*client\/alice/);
});

test("a client's certificate does not do for a peer's message by RaftService either", async () => {
  const one = await start(1, authority.node(1));
  const send = async ({ cert, key }: IssuedCertificate) => {
    const client = await RaftClient.connect(one.address, { tls: { ca: authority.ca, cert, key } });
    cleanUps.push(() => client.close());
    await client.sendMessage(numbered(2, 1, 9));
  };
  await expect(send(await authority.client())).rejects.toThrow("may not speak as node 2");
  await expect(send(await authority.node(3))).rejects.toThrow("may not speak as node 2");
  expect(one.receiver.frames).toEqual([]);
  await send(await authority.node(2));
  expect(one.receiver.numbers(2)).toEqual([9]);
});

describe("no data goes to or comes from a peer", () => {
  test("with a certificate of another authority", async () => {
    const one = await start(1, authority.node(1));
    const { cert, key } = await stranger.node(2);
    // It believes both, so it is node 1 that objects.
    const two = await RecordingNode.start(2, { tls: { ca: [authority.ca, stranger.ca], cert, key } });
    cleanUps.push(() => two.stop());
    expect(await refusalOf(two, one)).toMatch(
      /does not accept the caller's certificate.*not signed by an authority of tls.ca/,
    );
    // And the other way round: node 1 does not believe what answers.
    expect(await refusalOf(one, two)).toContain("its certificate is not signed by an authority of tls.ca");
  });

  test("whose certificate is not for the host that is dialled", async () => {
    const one = await start(1, authority.node(1));
    const two = await start(2, authority.issue({ names: ["dns:two.example.com", "uri:raftoral://default/node/2"] }));
    expect(await refusalOf(one, two)).toContain("is not made out to 127.0.0.1");
  });

  test("that speaks plaintext, whichever side it is", async () => {
    const one = await start(1, authority.node(1));
    const two = await RecordingNode.start(2);
    cleanUps.push(() => two.stop());
    expect(await refusalOf(two, one)).toMatch(/this node speaks TLS, and the caller plaintext/);
    expect(await refusalOf(one, two)).toMatch(/it does not speak TLS/);
  });
});
