// A client's connection: what a server may do to it, and what the next call finds.
import { once } from "node:events";
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import net, { type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { parseAddress } from "../address.ts";
import { Security } from "../security/security.ts";
import { CertificateAuthority } from "../testing/certificate-authority.ts";
import { NodeSessions, type NodeSessionsOptions } from "./node-sessions.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const PLAINTEXT = new Security(false);

interface TestServer {
  readonly address: string;
  readonly sessions: ServerHttp2Session[];
  /** Streams whose answer the test gives. */
  readonly held: ServerHttp2Stream[];
}

/** Answers each call at once with status 200, but those to `/held`. */
async function startServer(): Promise<TestServer> {
  const sessions: ServerHttp2Session[] = [];
  const held: ServerHttp2Stream[] = [];
  const server = http2.createServer();
  server.on("session", (session: ServerHttp2Session) => sessions.push(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/held") held.push(stream);
    else stream.respond({ ":status": 200 }, { endStream: true });
  });
  return { address: await listen(server), sessions, held };
}

async function listen(server: net.Server | http2.Http2Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sessionsTo(address: string, options: NodeSessionsOptions = {}, security = PLAINTEXT): NodeSessions {
  const sessions = new NodeSessions(parseAddress(address), security, options);
  cleanUps.push(() => sessions.abort());
  return sessions;
}

async function call(sessions: NodeSessions, path = "/"): Promise<number | undefined> {
  const stream = await sessions.request("POST", path, {}, {});
  stream.end();
  stream.resume();
  const answered = Promise.withResolvers<number | undefined>();
  stream.on("error", answered.reject);
  stream.on("response", (headers) => answered.resolve(headers[":status"]));
  stream.on("close", () => answered.reject(new Error("closed without an answer")));
  return await answered.promise;
}

describe("a client's connection", () => {
  test("is one for all calls, and another after the server has ended it", async () => {
    const { address, sessions: standing } = await startServer();
    const sessions = sessionsTo(address);
    expect(await Promise.all([call(sessions), call(sessions)])).toEqual([200, 200]);
    expect(standing).toHaveLength(1);
    standing[0]?.destroy();
    // Until this side has heard of it, a call may still be refused.
    await expect.poll(() => call(sessions).catch(() => 0)).toBe(200);
    expect(standing).toHaveLength(2);
  });

  test("that the server is closing finishes its calls; new calls go over another", async () => {
    const { address, sessions: standing, held } = await startServer();
    const sessions = sessionsTo(address);
    const running = call(sessions, "/held");
    await expect.poll(() => held.length).toBe(1);
    standing[0]?.close();
    await expect.poll(async () => [await call(sessions).catch(() => 0), standing.length]).toEqual([200, 2]);
    held[0]?.respond({ ":status": 202 }, { endStream: true });
    expect(await running).toBe(202);
  });

  test("ends with its calls when a ping is not answered", async () => {
    // Takes connections, and never says a word.
    const address = await listen(net.createServer((socket) => void socket.on("error", () => {})));
    const sessions = sessionsTo(address, { pingIntervalMs: 10, pingTimeoutMs: 30 });
    await expect(call(sessions)).rejects.toThrow("no answer to a ping within 30 ms");
  });

  test("that nothing was heard of for a while is tried before it is used, and replaced if it is dead", async () => {
    const { address, sessions: standing } = await startServer();
    const far = parseAddress(address);
    let isDead = false;
    const ways: Socket[] = [];
    const way = await listen(
      net.createServer((near) => {
        const behind = net.connect(far.port, far.host);
        ways.push(near);
        const isFirst = ways.length === 1;
        for (const socket of [near, behind]) socket.on("error", () => {});
        near.on("data", (piece) => (isFirst && isDead ? undefined : behind.write(piece)));
        behind.on("data", (piece) => near.write(piece));
        near.on("close", () => behind.destroy());
      }),
    );
    const sessions = sessionsTo(way, { pingIntervalMs: 0, pingTimeoutMs: 50 });
    expect(await call(sessions)).toBe(200);
    isDead = true;
    expect(await call(sessions)).toBe(200);
    expect(standing).toHaveLength(2);
  });

  test("fails when no process listens, when it takes too long, and when the server does not speak HTTP/2", async () => {
    const absent = sessionsTo("127.0.0.1:1");
    await expect(call(absent)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const silent = await listen(net.createServer((socket) => void socket.on("error", () => {})));
    const { ca } = await CertificateAuthority.create();
    await expect(call(sessionsTo(silent, { connectTimeoutMs: 30 }, new Security({ ca })))).rejects.toThrow(
      "no connection within 30 ms",
    );
    const other = await listen(
      net.createServer((socket) => {
        socket.on("error", () => {});
        socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      }),
    );
    await expect(call(sessionsTo(other))).rejects.toThrow(/Protocol error|closed/);
  });

  test("is never made again once aborted; calls under way fail", async () => {
    const { address, sessions: standing, held } = await startServer();
    const sessions = sessionsTo(address);
    const running = call(sessions, "/held");
    await expect.poll(() => held.length).toBe(1);
    sessions.abort();
    await expect(running).rejects.toThrow("connection aborted");
    await expect(call(sessions)).rejects.toThrow("connection aborted");
    expect(standing).toHaveLength(1);
  });

  test("is closed when it has had no calls for long", async () => {
    const { address, sessions: standing } = await startServer();
    const sessions = sessionsTo(address, { idleTimeoutMs: 20 });
    expect(await call(sessions)).toBe(200);
    await once(standing[0] as ServerHttp2Session, "close");
    expect(await call(sessions)).toBe(200);
    expect(standing).toHaveLength(2);
  });
});
