// @module-tag slow

// No answer ends the process of a caller: peers, senders of snapshots and clients of a server that writes whatever it likes.
import { fork } from "node:child_process";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { seededRng } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { randomAnswer } from "../testing/hostile-http2.ts";

const SEED = 20_261_128;
const CALLS_OF_EACH_KIND = 150;
const KINDS = ["snapshot", "delegation", "discover"];
const PROGRAM = join(import.meta.dirname, "..", "testing", "lone-caller.ts");
/** For a connection that this side keeps open. */
const PATIENCE_MS = 300;
const TEST_MS = 60_000;

test(
  "a process that calls goes on, whatever is answered",
  async () => {
    const rng = seededRng(SEED);
    const server = net.createServer(async (socket) => {
      socket.on("error", () => {});
      socket.resume();
      const { pieces, farewell } = randomAnswer(rng);
      const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
      socket.once("close", () => clearTimeout(patience));
      for (const piece of pieces) {
        if (!socket.writable) return;
        socket.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (farewell === "reset") socket.resetAndDestroy();
      if (farewell === "end") socket.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = fork(PROGRAM, [address], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    try {
      const counts = new Map(KINDS.map((kind) => [kind, 0]));
      const enough = new Promise<string>((resolve) => {
        child.on("message", (kind: string) => {
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
          if (KINDS.every((each) => (counts.get(each) ?? 0) >= CALLS_OF_EACH_KIND)) resolve("all calls ended");
        });
      });
      const ended = once(child, "close").then(() => `the caller ended: ${stderr}`);
      expect(await Promise.race([enough, ended])).toBe("all calls ended");
      expect(stderr).toBe("");
    } finally {
      child.kill("SIGKILL");
      server.close();
    }
  },
  TEST_MS,
);
