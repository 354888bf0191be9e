import { request } from "node:http";
import { connect, createServer } from "node:net";
import { seededRng, silentLogger } from "@raftoral/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { PrometheusEndpoint } from "./prometheus-endpoint.ts";
import { PROMETHEUS_CONTENT_TYPE } from "./prometheus-text.ts";

const open: PrometheusEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

async function start(render?: () => Promise<string>): Promise<PrometheusEndpoint> {
  const endpoint = await PrometheusEndpoint.open("127.0.0.1:0", silentLogger);
  open.push(endpoint);
  endpoint.serve(render);
  return endpoint;
}

describe("the metrics endpoint", () => {
  test("serves the page over HTTP/1.1, with the format's content type, fresh each time", async () => {
    let looks = 0;
    const { address } = await start(async () => `looks ${++looks}\n`);
    for (const path of ["/metrics", "/metrics?name[]=x"]) {
      const response = await fetch(`http://${address}${path}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, PROMETHEUS_CONTENT_TYPE]);
      expect(await response.text()).toBe(`looks ${looks}\n`);
    }
    expect(looks).toBe(2);
    const head = await fetch(`http://${address}/metrics`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "8", ""]);
  });

  test("says what else it is asked for", async () => {
    const { address } = await start(async () => "");
    const other = await fetch(`http://${address}/`);
    expect([other.status, await other.text()]).toEqual([404, "metrics are at /metrics\n"]);
    const post = await fetch(`http://${address}/metrics`, { method: "POST", body: "x".repeat(100_000) });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("answers 503 while there is nothing to tell, and 500 when it fails", async () => {
    const endpoint = await start();
    const status = async (): Promise<number> => (await fetch(`http://${endpoint.address}/metrics`)).status;
    expect(await status()).toBe(503);
    endpoint.serve(() => Promise.reject(new Error("broken")));
    expect(await status()).toBe(500);
    endpoint.serve(async () => "");
    expect(await status()).toBe(200);
  });

  test("who asks while a page is being made gets the same page", async () => {
    let looks = 0;
    const { address } = await start(async () => {
      looks += 1;
      // Longer than it takes to read what came in one piece.
      await new Promise((resolve) => setImmediate(resolve));
      return `page ${looks}\n`;
    });
    const [host = "", port] = address.split(":");
    const socket = connect(Number(port), host);
    const ask = (connection: string): string => `GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: ${connection}\r\n\r\n`;
    socket.end(ask("keep-alive") + ask("keep-alive") + ask("close"));
    const answers = Buffer.concat(await socket.toArray()).toString();
    expect(answers.match(/page \d/g)).toEqual(["page 1", "page 1", "page 1"]);
  });

  test("a port that is taken is refused with what to do", async () => {
    const { address } = await start();
    await expect(PrometheusEndpoint.open(address, silentLogger)).rejects.toMatchObject({
      code: "METRICS_LISTEN_FAILED",
      message: expect.stringMatching(/something listens there already\. Give it another address/),
      details: { address },
    });
    await expect(PrometheusEndpoint.open("192.0.2.1:9464", silentLogger)).rejects.toMatchObject({
      code: "METRICS_LISTEN_FAILED",
      message: expect.stringContaining("EADDRNOTAVAIL"),
    });
  });

  test("closed, it holds neither port nor connection, not even one that is asking", async () => {
    const never = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    const endpoint = await PrometheusEndpoint.open("127.0.0.1:0", silentLogger);
    endpoint.serve(() => {
      begun.resolve();
      return never.promise;
    });
    const cut = Promise.withResolvers<Error>();
    request(`http://${endpoint.address}/metrics`).on("error", cut.resolve).end();
    await begun.promise;
    await endpoint.close();
    expect((await cut.promise).message).toMatch(/socket hang up|ECONNRESET/);
    const again = createServer();
    const [host, port] = endpoint.address.split(":");
    await new Promise<void>((resolve, reject) => {
      again.once("error", reject);
      again.listen({ host, port: Number(port) }, resolve);
    });
    await new Promise((resolve) => again.close(resolve));
    never.resolve("");
  });

  test("goes on, whatever is written to its port", async () => {
    const uncaught: Error[] = [];
    const hear = (error: Error) => uncaught.push(error);
    process.on("uncaughtExceptionMonitor", hear);
    process.on("unhandledRejection", hear);
    try {
      const { address } = await start(async () => "page\n");
      const rng = seededRng(20_261_128);
      const pick = <Value>(values: readonly Value[]): Value => values[rng.below(values.length)] as Value;
      const request = (): Buffer => {
        const method = pick(["GET", "HEAD", "POST", "CONNECT", "OPTIONS", "get", "", "G\0T"]);
        const target = pick([
          "/metrics",
          "*",
          "",
          "//[",
          "http://[",
          "/metrics?%zz",
          `/${"x".repeat(20_000)}`,
          "/\u00ff",
        ]);
        const version = pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", ""]);
        const fields = Array.from({ length: rng.below(4) }, () =>
          pick([
            "host: [",
            "host: x",
            "expect: 100-continue",
            "expect: anything",
            "connection: upgrade\r\nupgrade: h2c",
            "content-length: 9",
            "content-length: -1",
            "transfer-encoding: chunked",
            "transfer-encoding: chunked, chunked",
            "a b: c",
            "x: \u00ff\0",
            `long: ${"y".repeat(20_000)}`,
          ]),
        );
        const lines = [
          `${method} ${target} ${version}`,
          ...fields,
          "",
          pick(["", "5\r\nhello", "ffffffffffffffff\r\n", "\0"]),
        ];
        return Buffer.from(lines.join("\r\n"), "latin1");
      };
      const [host = "", port] = address.split(":");
      for (let left = 400; left > 0; left -= 1) {
        const socket = connect(Number(port), host);
        socket.on("error", () => {});
        socket.resume();
        const closed = new Promise((resolve) => socket.once("close", resolve));
        const bytes = rng.below(10) === 0 ? Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") : request();
        if (rng.below(3) === 0) socket.write(bytes, () => socket.resetAndDestroy());
        else socket.end(bytes);
        await closed;
      }
      expect(await (await fetch(`http://${address}/metrics`)).text()).toBe("page\n");
      expect(uncaught).toEqual([]);
    } finally {
      process.off("uncaughtExceptionMonitor", hear);
      process.off("unhandledRejection", hear);
    }
  });
});
