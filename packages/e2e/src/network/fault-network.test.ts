/** The proxy itself: two nodes that are sockets of this process. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { seededRng } from "@raftoral/raft-core";
import { parseAddress } from "@raftoral/transport-grpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, freeAddresses } from "../harness/index.ts";
import { FaultNetwork } from "./fault-network.ts";
import type { Pair } from "./partitions.ts";

const WAIT_MS = 5_000;
const THERE: readonly Pair[] = [[1, 2]];
const BACK: readonly Pair[] = [[2, 1]];
const BOTH: readonly Pair[] = [...THERE, ...BACK];

/** One end of a connection, and all it heard. */
interface End {
  readonly socket: Socket;
  heard: string;
  ended: boolean;
  closed: boolean;
  failed: boolean;
}

function endOf(socket: Socket): End {
  const end: End = { socket, heard: "", ended: false, closed: false, failed: false };
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    end.heard += text;
  });
  socket.on("end", () => {
    end.ended = true;
  });
  socket.on("error", () => {
    end.failed = true;
  });
  socket.on("close", () => {
    end.closed = true;
  });
  return end;
}

describe("between node 1, which calls, and node 2, which listens", () => {
  let network: FaultNetwork;
  let server: Server;
  let addresses: readonly string[];
  let accepted: End[];
  let callers: End[];

  beforeEach(async () => {
    accepted = [];
    callers = [];
    addresses = await freeAddresses(2);
    server = createServer((socket) => accepted.push(endOf(socket)));
    server.listen(parseAddress(addresses[1] ?? ""));
    await once(server, "listening");
    const places = addresses.map((address, i) => ({ nodeId: i + 1, addresses: [address] }));
    network = await FaultNetwork.open(places, seededRng(1));
  });

  afterEach(async () => {
    for (const { socket } of [...accepted, ...callers]) socket.destroy();
    await network.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function call(): Promise<End> {
    const route = network.routes(1)[addresses[1] ?? ""] ?? "";
    const caller = endOf(connect(parseAddress(route)));
    callers.push(caller);
    await once(caller.socket, "connect");
    return caller;
  }

  /** A connection with both of its ends. */
  async function connected(): Promise<{ near: End; far: End }> {
    const before = accepted.length;
    const near = await call();
    near.socket.write("hello");
    const far = await eventually(
      WAIT_MS,
      "the call to arrive",
      () => accepted[before]?.heard === "hello" && accepted[before],
    );
    return { near, far };
  }

  const heard = (end: End, text: string) => eventually(WAIT_MS, `"${text}" to arrive`, () => end.heard === text);

  test("bytes, and the end behind them, arrive as they were sent", async () => {
    const { near, far } = await connected();
    const large = "x".repeat(3_000_000);
    near.socket.end(large);
    await eventually(WAIT_MS, "the end to arrive", () => far.ended);
    expect(far.heard.length).toBe(5 + large.length);
    // Its other half is still open in the kernel, but this end said goodbye by itself: nothing is left.
    await eventually(WAIT_MS, "the connection to be over", () => near.closed && far.closed);
  });

  test("what is cut in one direction arrives in the other, and arrives here after the cut is mended", async () => {
    const { near, far } = await connected();
    network.cut(THERE);
    near.socket.write(" and");
    far.socket.write("back");
    await heard(near, "back");
    expect(far.heard).toBe("hello");
    network.heal();
    await heard(far, "hello and");
  });

  test("a caller that goes away behind a cut leaves the other end half-open until it is mended", async () => {
    const { near, far } = await connected();
    network.cut(BOTH);
    near.socket.destroy();
    far.socket.write("are you there?");
    await eventually(WAIT_MS, "the caller to be gone", () => near.closed);
    expect(far).toMatchObject({ ended: false, closed: false });
    network.heal();
    await eventually(WAIT_MS, "the other end to hear of it", () => far.closed);
  });

  test("a call behind a cut arrives once it is mended", async () => {
    network.cut(BACK);
    const near = await call();
    near.socket.write("early");
    expect(accepted).toEqual([]);
    network.heal();
    await eventually(WAIT_MS, "the call to arrive", () => accepted[0]?.heard === "early");
  });

  test("a peer that is muted accepts and never answers", async () => {
    network.receive(THERE, "muted");
    const near = await call();
    near.socket.write("anybody?");
    network.heal();
    const second = await connected();
    second.far.socket.write("yes");
    await heard(second.near, "yes");
    expect(accepted).toHaveLength(1);
    expect(near).toMatchObject({ heard: "", ended: false, closed: false });
  });

  test.each(["near", "far"] as const)("a connection whose %s end is dropped stays open at the other", async (which) => {
    const { near, far } = await connected();
    const [dropped, kept] = which === "near" ? [near, far] : [far, near];
    network.drop(THERE, which);
    await eventually(WAIT_MS, "the dropped end to be gone", () => dropped.closed);
    kept.socket.write("anybody?");
    await connected();
    expect(kept).toMatchObject({ ended: false, closed: false });
  });

  test("a reset is heard at both ends", async () => {
    const { near, far } = await connected();
    network.reset(THERE);
    await eventually(WAIT_MS, "both ends to hear of it", () => near.failed && far.failed);
  });

  test("a delayed byte is late, and none overtakes another", async () => {
    const { near, far } = await connected();
    network.setWeather(THERE, { delayMs: 100, jitterMs: 50 });
    const begin = performance.now();
    for (const letter of "abcdef") near.socket.write(letter);
    await heard(far, "helloabcdef");
    expect(performance.now() - begin).toBeGreaterThanOrEqual(99);
  });

  test("a lost segment holds up what is behind it, and nothing is missing", async () => {
    const { near, far } = await connected();
    network.setWeather(THERE, { lossRate: 0.9 });
    const begin = performance.now();
    near.socket.write(" again");
    await heard(far, "hello again");
    expect(performance.now() - begin).toBeGreaterThanOrEqual(199);
  });

  test("a narrow link takes its time for many bytes", async () => {
    const { near, far } = await connected();
    network.setWeather(THERE, { bytesPerSecond: 1_000_000 });
    const begin = performance.now();
    near.socket.write("x".repeat(300_000));
    await eventually(WAIT_MS, "all bytes to arrive", () => far.heard.length === 300_005);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(290);
  });
});
