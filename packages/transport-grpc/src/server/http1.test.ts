import { once } from "node:events";
import http, { type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import net from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import type { AnyExecutor } from "@raftoral/raft-core";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { RaftService } from "../gen/raftoral/raft_service_pb.ts";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "../options.ts";
import { CertificateAuthority } from "../testing/certificate-authority.ts";
import { protocolOf } from "./first-bytes.ts";
import type { GrpcServerOptions } from "./grpc-server.ts";
import { startGrpcServer } from "./start-grpc-server.ts";

// One port for every caller: gRPC, Connect and gRPC-web over HTTP/2 and HTTP/1.1, JSON by hand, with TLS and without.

const DISCOVER = "/raftoral.RaftService/Discover";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(server: GrpcServerOptions = {}, options: GrpcTransportOptions = {}): Promise<string> {
  const transport = new GrpcClusterTransport<AnyExecutor>([], { connectTimeoutMs: 1_000, ...options });
  const started = await startGrpcServer("127.0.0.1:0", transport, 1, server);
  await transport.start();
  cleanUps.push(async () => {
    await started.close({ graceMs: 0 });
    await transport.shutdown();
  });
  return started.address;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** As `curl` asks: HTTP/1.1, one request. */
async function ask(url: string, options: RequestOptions & { readonly ca?: string } = {}, body = ""): Promise<Answer> {
  const request = (url.startsWith("https:") ? https : http).request(url, { agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.setEncoding("utf8");
  let text = "";
  for await (const piece of response) text += String(piece);
  return { status: response.statusCode, headers: response.headers, text };
}

const json = { method: "POST", headers: { "content-type": "application/json" } };

describe.each(["plaintext", "TLS"])("a port that speaks %s", (kind) => {
  async function served(server: GrpcServerOptions = {}) {
    if (kind === "plaintext") return { base: `http://${await start(server)}`, ca: undefined };
    const authority = await CertificateAuthority.create();
    const { cert, key } = await authority.node(1);
    const tls = { ca: authority.ca, cert, key, requireClientCertificate: false };
    return { base: `https://${await start(server, { tls })}`, ca: authority.ca };
  }

  test("answers every protocol over HTTP/1.1 and HTTP/2", async () => {
    const { base: baseUrl, ca } = await served();
    const nodeOptions = ca === undefined ? {} : { ca };
    for (const httpVersion of ["1.1", "2"] as const) {
      for (const transport of [
        createGrpcTransport({ baseUrl, nodeOptions }),
        createConnectTransport({ baseUrl, httpVersion, nodeOptions }),
        createConnectTransport({ baseUrl, httpVersion, nodeOptions, useBinaryFormat: false }),
        createGrpcWebTransport({ baseUrl, httpVersion, nodeOptions }),
      ]) {
        expect((await createClient(RaftService, transport).discover({})).nodeId).toBe(1n);
      }
    }
  });

  test("answers JSON by hand, and keeps the connection for another request", async () => {
    const { base, ca } = await served();
    const agent = ca === undefined ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true });
    cleanUps.push(() => agent.destroy());
    for (let round = 0; round < 3; round++) {
      const { status, text } = await ask(
        base + DISCOVER,
        { ...json, agent, ...(ca === undefined ? {} : { ca }) },
        "{}",
      );
      expect([status, JSON.parse(text).nodeId]).toEqual([200, "1"]);
    }
    expect(Object.values(agent.sockets).flat()).toHaveLength(0);
  });

  test("gives what is no service's to the owner", async () => {
    const { base, ca } = await served({
      http: async (request) => {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname !== "/hello") return undefined;
        return Response.json({ method: request.method, who: searchParams.get("who"), body: await request.text() });
      },
    });
    const trust = ca === undefined ? {} : { ca };
    const found = await ask(`${base}/hello?who=me`, { ...json, ...trust }, "text");
    expect(JSON.parse(found.text)).toEqual({ method: "POST", who: "me", body: "text" });
    expect((await ask(`${base}/other`, trust)).status).toBe(404);
    expect((await ask(base + DISCOVER, { ...json, ...trust }, "{}")).status).toBe(200);
  });
});

test("a plaintext request on a TLS port is told why it is not taken", async () => {
  const authority = await CertificateAuthority.create();
  const { cert, key } = await authority.node(1);
  const address = await start({}, { tls: { ca: authority.ca, cert, key } });
  const { status, text } = await ask(`http://${address}${DISCOVER}`, json, "{}");
  expect(status).toBe(401);
  expect(JSON.parse(text).message).toContain("speaks TLS");
});

test("over TLS a caller without the certificate that the node wants is told why", async () => {
  const authority = await CertificateAuthority.create();
  const { cert, key } = await authority.node(1);
  const address = await start({}, { tls: { ca: authority.ca, cert, key } });
  const { status, text } = await ask(`https://${address}${DISCOVER}`, { ...json, ca: authority.ca }, "{}");
  expect(status).toBe(401);
  expect(JSON.parse(text).message).toContain("certificate");
});

describe("pages of other origins", () => {
  const origin = "https://ops.example.com";

  test("are turned away, whatever they send", async () => {
    const calls: string[] = [];
    const address = await start({
      http: async ({ url }) => {
        calls.push(url);
        return new Response("done");
      },
    });
    for (const path of ["/act", DISCOVER]) {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const headers = { origin, "content-type": "text/plain" };
        expect((await ask(`http://${address}${path}`, { method, headers }, method === "POST" ? "{}" : "")).status).toBe(
          403,
        );
      }
    }
    expect(calls).toEqual([]);
  });

  test("that are allowed get an answer to the preflight, and one that they may read", async () => {
    const address = await start({ allowedOrigins: [origin] });
    const preflight = { origin, "access-control-request-method": "POST" };
    const asked = await ask(`http://${address}${DISCOVER}`, { method: "OPTIONS", headers: preflight });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({ "access-control-allow-origin": origin, vary: "Origin" });
    expect(asked.headers["access-control-allow-headers"]).toContain("Content-Type");
    const given = await ask(`http://${address}${DISCOVER}`, { ...json, headers: { ...json.headers, origin } }, "{}");
    expect(given.status).toBe(200);
    expect(given.headers["access-control-allow-origin"]).toBe(origin);
    const other = { ...json.headers, origin: "https://ops.example.com.evil.test" };
    expect((await ask(`http://${address}${DISCOVER}`, { ...json, headers: other }, "{}")).status).toBe(403);
  });

  test.each(["ops.example.com", "https://ops.example.com/", "https://ops.example.com/path", "", 7])(
    "%j is no origin",
    async (wrong) => {
      await expect(start({ allowedOrigins: [wrong as string] })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    },
  );
});

describe("a connection", () => {
  const request = `POST ${DISCOVER} HTTP/1.1\r\nhost: [%zz\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;

  async function conversation(address: string, pieces: readonly string[]): Promise<string> {
    const [host = "", port = ""] = address.split(":");
    const socket = net.connect(Number(port), host);
    socket.setNoDelay(true).setEncoding("latin1");
    let heard = "";
    socket.on("data", (text: string) => {
      heard += text;
      if (heard.endsWith("}") || heard.includes("close")) socket.end();
    });
    socket.on("error", () => {});
    for (const piece of pieces) {
      if (socket.destroyed) break;
      socket.write(piece, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    return heard;
  }

  test("may send its request byte by byte, with a host that is none", async () => {
    expect(await conversation(await start(), [...request])).toContain('"nodeId":"1"');
  });

  test.each([
    ["nothing that is HTTP", ["GET\r\n\r\n"]],
    ["a target that is none", ["GET http://[ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"]],
    ["CONNECT", ["CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"]],
    ["an upgrade", ["GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n"]],
    ["two lengths", ["POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"]],
    ["a head without end", [`GET / HTTP/1.1\r\nx: ${"x".repeat(200_000)}`]],
    ["the beginning of a request", ["PO"]],
    ["half a head", ["GET / HTTP/1.1\r\nho"]],
    ["a byte", ["P"]],
    ["two bytes of HTTP/2", ["PR"]],
  ])("with %s ends, and the port goes on", async (_what, pieces) => {
    const address = await start({ http: async () => new Response("ok", { headers: { connection: "close" } }) });
    await conversation(address, pieces);
    expect(await conversation(address, [request])).toContain('"nodeId":"1"');
  });

  test("is known by its first bytes, however they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (bytes) => {
        const whole = protocolOf(bytes);
        for (let length = 0; length < bytes.length; length++) {
          const begun = protocolOf(bytes.subarray(0, length));
          if (begun !== undefined) expect(begun).toBe(whole);
        }
        if (bytes.length >= 3) expect(whole).toBeDefined();
      }),
    );
  });

  test("begins with what says its protocol", () => {
    const first = (text: string) => protocolOf(Buffer.from(text, "latin1"));
    expect(["", "P", "PR"].map(first)).toEqual([undefined, undefined, undefined]);
    expect(["PRI", "PRI * HTTP/2.0"].map(first)).toEqual(["http2", "http2"]);
    expect(["POST", "PUT /", "G", "PRO"].map(first)).toEqual(["http1", "http1", "http1", "http1"]);
    expect(["\u0016\u0003", "\u0000", "get"].map(first)).toEqual(["tls", "http2", "http2"]);
  });
});

test("a request that is larger than allowed is refused", async () => {
  const address = await start({ maxRequestBytes: 100 });
  const transport = createConnectTransport({ baseUrl: `http://${address}`, httpVersion: "1.1" });
  const command = new Uint8Array(1_000);
  await expect(createClient(RaftService, transport).sendMessage({ command })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
});
