// @module-tag slow

import http2 from "node:http2";
import { expect, test } from "vitest";
import { raftoral, raftoralNode } from "./cli/cli-process.ts";
import { freeAddresses } from "./harness/index.ts";

const TEST_MS = 60_000;

/** A call by Node's own client, which leaves the brackets of an IPv6 address out. Resolves when the call is over. */
function callWithoutBrackets(address: string): Promise<void> {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => {});
  const { hostname, port } = new URL(`http://${address}`);
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":authority": `${hostname.slice(1, -1)}:${port}`,
      ":path": "/raftoral.RaftService/Discover",
      "content-type": "application/grpc+proto",
    });
    stream.on("error", () => {});
    stream.on("close", () => {
      session.destroy();
      resolve();
    });
    stream.resume();
    stream.end(Buffer.alloc(5));
  });
}

test(
  "a node at an IPv6 address is joined and asked there, and survives a call that leaves the brackets out",
  async () => {
    const [first = "", second = ""] = (await freeAddresses(2)).map((address) => address.replace("127.0.0.1", "[::1]"));
    const nodes = [await raftoralNode("start", "--bootstrap", "--listen", first)];
    try {
      await callWithoutBrackets(first);
      const alone = await raftoral("status", "--node", first);
      expect(alone.code, alone.stderr).toBe(0);
      nodes.push(await raftoralNode("join", first, "--listen", second));
      for (const asked of [first, second]) {
        const status = await raftoral("status", "--node", asked);
        expect(status.code, status.stderr).toBe(0);
        for (const address of [first, second]) expect(status.stdout).toContain(address);
      }
    } finally {
      await Promise.all(nodes.map((node) => node.kill("SIGKILL")));
    }
  },
  TEST_MS,
);
