// Clients of a node that speaks TLS: who gets an answer, and what the others are told.
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { numbered } from "@raftoral/raft-core/testing";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { RaftClient } from "../client/raft-client.ts";
import {
  CertificateAuthority,
  type CertificateRequest,
  type IssuedCertificate,
} from "../testing/certificate-authority.ts";
import { RecordingNode } from "../testing/recording-node.ts";
import type { TlsOptions } from "./tls-options.ts";

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let alice: IssuedCertificate;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  stranger = await CertificateAuthority.create("another authority");
  alice = await authority.client();
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startNode(tlsOptions: Partial<TlsOptions> = {}): Promise<RecordingNode> {
  const { cert, key } = await authority.node(1);
  const node = await RecordingNode.start(1, {
    tls: { ca: authority.ca, cert, key, ...tlsOptions },
    connectTimeoutMs: 500,
  });
  cleanUps.push(() => node.stop());
  return node;
}

async function discover(node: RecordingNode, tlsOptions: TlsOptions | false): Promise<number> {
  const client = await RaftClient.connect(node.address, { tls: tlsOptions });
  cleanUps.push(() => client.close());
  return (await client.discover()).nodeId;
}

/** The code and the text that such a call fails with. */
async function failureOf(call: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  return call.then(
    () => expect.fail("it did not fail"),
    (error) => error,
  );
}

/** A call without RaftClient, which would not even try with these certificates. */
async function rawCall(node: RecordingNode, certificate: { cert?: string; key?: string }) {
  const session = http2.connect(`https://${node.address}`, { ca: authority.ca, ...certificate });
  cleanUps.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/raftoral.RaftService/Discover",
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  stream.end(Buffer.from([0, 0, 0, 0, 0]));
  const body: Buffer[] = [];
  stream.on("data", (piece: Buffer) => body.push(piece));
  const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  await once(stream, "close");
  return {
    status: headers["grpc-status"],
    message: decodeURIComponent(String(headers["grpc-message"] ?? "")),
    bytes: Buffer.concat(body).length,
  };
}

test("a client with a certificate of the authority is answered", async () => {
  const node = await startNode();
  expect(await discover(node, { ca: authority.ca, cert: alice.cert, key: alice.key })).toBe(1);
});

test("a client without one is told to give one, unless the node asks clients for none", async () => {
  const strict = await startNode();
  expect(await failureOf(discover(strict, { ca: authority.ca }))).toMatchObject({
    code: "TRANSPORT_TLS_FAILED",
    message: expect.stringContaining("asks every caller for a certificate; give tls.cert and tls.key"),
  });
  const open = await startNode({ requireClientCertificate: false });
  expect(await discover(open, { ca: authority.ca })).toBe(1);
  // What only peers may do stays closed to it.
  const client = await RaftClient.connect(open.address, { tls: { ca: authority.ca } });
  cleanUps.push(() => client.close());
  await expect(client.sendMessage(numbered(2, 1, 9))).rejects.toThrow("it showed no certificate");
  expect(open.receiver.frames).toEqual([]);
});

describe("a certificate that is no good gets the reason, and not a byte of an answer", () => {
  const cases: readonly (readonly [string, CertificateRequest, string])[] = [
    ["expired", { names: [], untilDays: -0.5 }, "has expired"],
    ["not valid yet", { names: [], fromDays: 1 }, "not valid yet"],
  ];
  test.each(cases)("%s", async (_, request, reason) => {
    const node = await startNode();
    const { cert, key } = await authority.issue(request);
    const answer = await rawCall(node, { cert, key });
    expect(answer).toEqual({ status: "16", message: expect.stringContaining(reason), bytes: 0 });
    expect(node.texts("warn").join()).toContain(reason);
  });

  test("of another authority", async () => {
    const node = await startNode();
    const { cert, key } = await stranger.client();
    expect(await rawCall(node, { cert, key })).toMatchObject({ status: "16", bytes: 0 });
  });

  test("revoked", async () => {
    const node = await startNode({ crl: await authority.revocations(alice) });
    expect(await rawCall(node, alice)).toEqual({ status: "16", message: expect.stringContaining("revoked"), bytes: 0 });
    const bob = await authority.client("bob");
    expect(await rawCall(node, bob)).toMatchObject({ status: undefined });
  });
});

describe("a client refuses a node", () => {
  test.each([
    ["of another authority", () => ({ ca: stranger.ca }), "not signed by an authority of tls.ca"],
    [
      "that is not who it should be",
      () => ({ ca: authority.ca, serverName: "db.example.com" }),
      "not made out to db.example.com",
    ],
  ])("%s", async (_, tlsOptions, reason) => {
    const node = await startNode();
    expect(await failureOf(discover(node, { ...tlsOptions(), cert: alice.cert, key: alice.key }))).toMatchObject({
      code: "TRANSPORT_TLS_FAILED",
      message: expect.stringContaining(reason),
    });
  });

  test("whose certificate has expired", async () => {
    const expired = await authority.issue({ names: ["ip:127.0.0.1"], untilDays: -0.5 });
    const server = tls.createServer({ cert: expired.cert, key: expired.key, ALPNProtocols: ["h2"] }, (socket) => {
      socket.on("error", () => {});
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUps.push(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const connecting = RaftClient.connect(`127.0.0.1:${port}`, { tls: { ca: authority.ca } });
    expect(await failureOf(connecting)).toMatchObject({
      code: "TRANSPORT_TLS_FAILED",
      message: expect.stringContaining("its certificate has expired"),
    });
  });
});

describe("plaintext and TLS meet", () => {
  test("a plaintext client is told that the node speaks TLS", async () => {
    const node = await startNode();
    expect(await failureOf(discover(node, false))).toMatchObject({
      code: "TRANSPORT_TLS_FAILED",
      message: expect.stringContaining("this node speaks TLS, and the caller plaintext"),
    });
  });

  test("a TLS client is told that the node does not", async () => {
    const node = await RecordingNode.start(1);
    cleanUps.push(() => node.stop());
    expect(await failureOf(discover(node, { ca: authority.ca }))).toMatchObject({
      code: "TRANSPORT_TLS_FAILED",
      message: expect.stringContaining("does not speak TLS"),
    });
  });
});

describe("the port of a node that speaks TLS", () => {
  const connect = (node: RecordingNode, options: tls.ConnectionOptions): tls.TLSSocket => {
    const [host, port] = node.address.split(":");
    const socket = tls.connect({
      host,
      port: Number(port),
      ca: authority.ca,
      ALPNProtocols: ["h2"],
      ...alice,
      ...options,
    });
    socket.on("error", () => {});
    cleanUps.push(() => socket.destroy());
    return socket;
  };

  test("speaks 1.3 and nothing older", async () => {
    const node = await startNode();
    const old = connect(node, { maxVersion: "TLSv1.2" });
    const [error] = await once(old, "error");
    expect(error).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
    const now = connect(node, {});
    await once(now, "secureConnect");
    expect([now.getProtocol(), now.alpnProtocol]).toEqual(["TLSv1.3", "h2"]);
  });

  test("gives no session that could be resumed past a reload", async () => {
    const node = await startNode();
    const socket = connect(node, {});
    const sessions: Buffer[] = [];
    socket.on("session", (session) => sessions.push(session));
    await once(socket, "secureConnect");
    // The server's first HTTP/2 frame comes after what it would have sent of sessions.
    await once(socket, "data");
    for (const session of sessions) {
      const again = connect(node, { session });
      await once(again, "secureConnect");
      expect(again.isSessionReused()).toBe(false);
    }
  });

  test("ends connections that say nothing, begin nothing, or are no protocol at all", async () => {
    const node = await startNode();
    const [host, port] = node.address.split(":");
    for (const bytes of [
      undefined,
      Buffer.from([22]),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.alloc(3000, 0xff),
    ]) {
      const socket = net.connect(Number(port), host);
      socket.on("error", () => {});
      socket.resume();
      if (bytes !== undefined) socket.write(bytes);
      await once(socket, "close");
    }
    expect(await discover(node, { ca: authority.ca, cert: alice.cert, key: alice.key })).toBe(1);
  });
});
