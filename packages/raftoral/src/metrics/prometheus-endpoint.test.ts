import { request } from "node:http";
import { connect, createServer } from "node:net";
import { silentLogger } from "@raftoral/raft-core";
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
});
