// The two streams to a peer: what keeps them apart, what an outage of one or both means, and what they cost.
import { type Clock, type NodeId, platformClock } from "@raftoral/raft-core";
import { numbered, RecordingReceiver, sendUntilReceived } from "@raftoral/raft-core/testing";
import { message } from "@raftoral/raft-core/transport";
import { afterEach, describe, expect, test, vi } from "vitest";
import { StreamKind } from "./gen/raftoral/v1/peer_pb.ts";
import { Link } from "./testing/link.ts";
import { helloFrame, RawCall, RawPeer } from "./testing/raw-exchange.ts";
import { RecordingNode } from "./testing/recording-node.ts";
import { frameOf } from "./wire/grpc-framing.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
const WAIT = { timeout: 15_000, interval: 5 };

async function start(...args: Parameters<typeof RecordingNode.start>): Promise<RecordingNode> {
  const node = await RecordingNode.start(...args);
  cleanUps.push(() => node.stop());
  return node;
}

async function linkTo(node: RecordingNode): Promise<Link> {
  const link = await Link.to(node.address);
  cleanUps.push(() => link.close());
  return link;
}

async function rawPeer(...args: Parameters<typeof RawPeer.start>): Promise<RawPeer> {
  const peer = await RawPeer.start(...args);
  cleanUps.push(() => peer.close());
  return peer;
}

function append(from: NodeId, to: NodeId, number: number, bytes = 10) {
  const entries = [{ term: 1, index: number, type: "EntryNormal" as const, data: new Uint8Array(bytes) }];
  return message({ type: "MsgApp", from, to, term: 1, commit: number, entries });
}

function statsOf(node: RecordingNode, peer: NodeId) {
  const stats = node.transport.peerStats(node.nodeId).find((each) => each.peer === peer);
  if (stats === undefined) throw new Error(`node ${node.nodeId} has no statistics of node ${peer}`);
  return stats;
}

describe("a peer that reads its appends slowly, or never", () => {
  test("gets its heartbeats all the same, and costs bounded memory", async () => {
    const slow = await rawPeer({
      opened: ({ hello, stream }) => {
        if (hello.streamKind === StreamKind.APPENDS) stream.pause();
      },
    });
    const one = await start(1, { maxQueuedBytes: 2_000_000 });
    one.transport.addNode({ nodeId: 2, address: slow.address });
    one.channel.send([numbered(1, 2, 1)]);
    one.channel.send([append(1, 2, 1)]);
    await vi.waitFor(() => expect(statsOf(one, 2).appends?.state).toBe("open"), WAIT);
    await vi.waitFor(() => {
      for (let i = 0; i < 100; i++) one.channel.send([append(1, 2, i, 100_000)]);
      expect(statsOf(one, 2).dropped.find(({ type }) => type === "MsgApp")?.messages).toBeGreaterThan(100);
    }, WAIT);
    // "Unreachable" is how Raft hears that a queue is full; once, until it has emptied.
    await one.receiver.until(() => one.receiver.unreachables.length > 0, "a report that the queue is full");
    const control = slow.streams.find(({ hello }) => hello.streamKind === StreamKind.CONTROL);
    const before = control?.frames.length ?? 0;
    one.channel.send([numbered(1, 2, 2)]);
    await vi.waitFor(() => expect(control?.frames.length).toBe(before + 1), WAIT);
    const { appends, control: sent } = statsOf(one, 2);
    expect(appends?.queuedBytes).toBeGreaterThan(1_800_000);
    expect(appends?.queuedBytes).toBeLessThanOrEqual(2_000_000);
    expect(appends?.bufferedBytes).toBeLessThan(2_000_000);
    expect(sent?.queuedMessages).toBe(0);
    expect(one.receiver.unreachables).toEqual([2]);
  });
});

describe("one stream that dies beside one that lives", () => {
  test("is made again by itself when it is the one of appends; heartbeats do not notice", async () => {
    const one = await start(1);
    const two = await start(2);
    const link = await linkTo(two);
    one.knows(two, link.address);
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 1));
    link.cut(1);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report: appends were lost");
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 2));
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 3));
    const { control, appends, outages } = statsOf(one, 2);
    expect([control?.opened, control?.lost, appends?.opened, appends?.lost]).toEqual([1, 0, 2, 1]);
    expect([outages, appends?.reconnects, one.receiver.unreachables]).toEqual([1, 1, [2]]);
  });

  test("leaves appends flowing when it is the one of heartbeats, also while that cannot be made again", async () => {
    const one = await start(1);
    const two = await start(2);
    const link = await linkTo(two);
    one.knows(two, link.address);
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 1));
    link.refuse(true);
    link.cut(0);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report of the outage");
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 2));
    expect(statsOf(one, 2).appends?.lost).toBe(0);
    link.refuse(false);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 3));
    expect(one.receiver.unreachables).toEqual([2]);
  });
});

describe("a connection that is half-open", () => {
  test("is cut by the receiver too, which keeps nothing of it (exchange-handler.ts R3)", async () => {
    const one = await start(1, { keepaliveIntervalMs: 600_000 });
    const two = await start(2, { keepaliveIntervalMs: 10, keepaliveMisses: 3 });
    const link = await linkTo(two);
    one.knows(two, link.address);
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 1));
    // Pings this close together may end a connection of a process that is busy: then it is made again.
    await vi.waitFor(() => {
      one.channel.send([append(1, 2, 2), numbered(1, 2, 3)]);
      expect(statsOf(two, 1).inboundStreams).toBe(2);
    }, WAIT);
    const before = statsOf(two, 1).inboundLost;
    for (let index = 0; index < link.connections; index++) link.freeze(index);
    await vi.waitFor(() => expect(statsOf(two, 1).inboundStreams).toBe(0), WAIT);
    expect(statsOf(two, 1).inboundLost).toBe(before + 2);
  });

  test("whose peer accepts connections and never answers a hello fails within the time for that", async () => {
    const mute = await rawPeer({ answer: () => undefined });
    const one = await start(1, { connectTimeoutMs: 50 });
    one.transport.addNode({ nodeId: 2, address: mute.address });
    one.channel.send([append(1, 2, 1), numbered(1, 2, 2)]);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report that the peer is silent");
    expect(statsOf(one, 2).appends).toMatchObject({ state: "disconnected", opened: 0, queuedMessages: 0 });
  });
});

describe("a peer that is down", () => {
  test("costs no timer, no connection and no encoding while it is left alone (peer-stream.ts C2)", async () => {
    let timers = 0;
    const counted = <Args extends unknown[], Value>(call: (...args: Args) => Value) => {
      return (...args: Args) => {
        timers += 1;
        return call(...args);
      };
    };
    const clock: Clock = {
      ...platformClock,
      after: counted((ms: number, fn: () => void) => platformClock.after(ms, fn)),
      every: counted((ms: number, fn: () => void) => platformClock.every(ms, fn)),
      soon: counted((fn: () => void) => platformClock.soon(fn)),
    };
    const two = await start(2);
    await two.stop();
    const one = await start(1, { clock, minBackoffMs: 600_000, maxBackoffMs: 600_000 });
    one.knows(two);
    one.channel.send([numbered(1, 2, 1), append(1, 2, 1)]);
    await one.receiver.until(() => one.receiver.unreachables.length === 1, "a report of the outage");
    const before = { ...statsOf(one, 2) };
    timers = 0;
    const tick = [numbered(1, 2, 2), append(1, 2, 2)];
    for (let i = 0; i < 1000; i++) one.channel.send(tick);
    expect(timers).toBe(0);
    const { control, dropped } = statsOf(one, 2);
    expect(control?.lost).toBe(before.control?.lost);
    const sum = (kinds: typeof dropped, of: "messages" | "bytes") => kinds.reduce((total, kind) => total + kind[of], 0);
    expect(sum(dropped, "messages") - sum(before.dropped, "messages")).toBe(2000);
    // They were not even measured.
    expect(sum(dropped, "bytes")).toBe(sum(before.dropped, "bytes"));
    expect(one.receiver.unreachables).toEqual([2]);
  });

  test("gets one probe after each wait, whatever is sent to it (peer-stream.ts C3, peer-connection.ts C6)", async () => {
    let now = 0;
    const two = await start(2);
    const link = await linkTo(two);
    const closed = await linkTo(two);
    closed.refuse(true);
    const one = await start(1, { clock: { ...platformClock, monotonicMs: () => now } });
    one.knows(two, closed.address);
    for (let attempt = 1; attempt <= 4; attempt++) {
      for (let i = 0; i < 50; i++) one.channel.send([append(1, 2, i), numbered(1, 2, i)]);
      await vi.waitFor(() => expect(statsOf(one, 2).control?.lost).toBe(attempt), WAIT);
      for (let i = 0; i < 50; i++) one.channel.send([append(1, 2, i), numbered(1, 2, i)]);
      expect(statsOf(one, 2)).toMatchObject({ control: { lost: attempt }, appends: { lost: 0, opened: 0 } });
      now += 1_000_000;
    }
    expect(one.receiver.unreachables).toEqual([2]);
    one.knows(two, link.address);
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 7));
  });
});

describe("a node that was removed", () => {
  test("is told so on the streams that it has open, once its removal is known, and whenever it calls", async () => {
    const one = await start(1, { refusedBackoffMs: 1 });
    const two = await start(2);
    one.knows(two);
    const told = one.receiver.removals;
    await sendUntilReceived(one.channel, two.receiver, append(1, 2, 1));
    two.receiver.removedPeers.add(1);
    two.transport.peer(2).membersChanged();
    await one.receiver.until(() => told.length > 0, "word of the removal");
    const before = told.length;
    await vi.waitFor(() => {
      one.channel.send([numbered(1, 2, 2)]);
      expect(told.length).toBeGreaterThan(before);
    }, WAIT);
    expect(new Set(told)).toEqual(new Set([2]));
    expect(two.receiver.numbers(1)).not.toContain(2);
    const errors = one.log.filter(({ level }) => level === "error");
    expect(errors.map(({ fields }) => fields.reason)).toEqual(["REMOVED"]);
  });

  test("is no peer that some group still has (local-peer.ts P4), and hears of the groups that it has itself", async () => {
    const one = await start(1);
    const two = await start(2);
    one.knows(two);
    const other = new RecordingReceiver();
    const mine = new RecordingReceiver();
    one.transport.peer(1).open(9, mine);
    two.transport.peer(2).open(5, other);
    two.receiver.removedPeers.add(1);
    await sendUntilReceived(one.channel, two.receiver, numbered(1, 2, 1));
    other.removedPeers.add(1);
    two.transport.peer(2).membersChanged();
    await one.receiver.until(() => one.receiver.removals.length > 0, "the refusal");
    expect(mine.removals).toEqual([]);
  });
});

describe("a receiver", () => {
  test("keeps at most as many streams of a peer as it may, and none of an earlier start (inbound-streams.ts I1, I2)", async () => {
    const node = await start(1, { maxInboundStreamsPerPeer: 2 });
    const call = (incarnation: bigint, streamKind: StreamKind = StreamKind.CONTROL) => {
      const raw = new RawCall(node.address);
      cleanUps.push(() => raw.close());
      raw.write(helloFrame(5, 1, { incarnation, streamKind }));
      return raw;
    };
    const reasonOf = async (raw: RawCall) => {
      const answer = await raw.answer();
      return answer.case === "refusal" ? answer.value.code : answer.case;
    };
    const first = call(1n);
    expect(await reasonOf(first)).toBe("accepted");
    const second = call(1n);
    expect(await reasonOf(second)).toBe("accepted");
    const appends = call(1n, StreamKind.APPENDS);
    expect(await reasonOf(appends)).toBe("accepted");
    expect(await reasonOf(call(1n))).toBe("accepted");
    await first.trailers;
    expect(statsOf(node, 5).inboundStreams).toBe(3);
    expect(await reasonOf(call(2n))).toBe("accepted");
    await second.trailers;
    await appends.trailers;
    expect(statsOf(node, 5).inboundStreams).toBe(1);
  });

  test("holds little for a caller that has not said who it is", async () => {
    const node = await start(1);
    const stranger = new RawCall(node.address);
    cleanUps.push(() => stranger.close());
    stranger.write(Buffer.from([0, 0, 1, 0, 0]));
    expect(decodeURIComponent(String((await stranger.trailers)["grpc-message"]))).toContain("65536 bytes is above");
    const friend = new RawCall(node.address);
    cleanUps.push(() => friend.close());
    const large = frameOf(new Uint8Array(1_000_000));
    // Hello and frame in one piece: the bound rises in between. Then field 0, which no version has.
    friend.write(Buffer.concat([helloFrame(5, 1), large]));
    expect(decodeURIComponent(String((await friend.trailers)["grpc-message"]))).toContain("impossible number");
  });

  test("remembers a bounded number of peers that were not introduced", async () => {
    const node = await start(1, { maxLearnedPeers: 10 });
    for (let from = 2; from < 40; from++) {
      const raw = new RawCall(node.address);
      raw.write(helloFrame(from, 1, { address: "127.0.0.1:9" }));
      await raw.answer();
      raw.close();
    }
    expect(node.transport.peerStats(1).length).toBe(10);
  });
});

describe("statistics of a peer", () => {
  test("agree on both sides, by type, and have a round trip", async () => {
    const one = await start(1, { keepaliveIntervalMs: 5 });
    const two = await start(2);
    one.knows(two);
    for (let i = 1; i <= 20; i++) one.channel.send([append(1, 2, i, 500), numbered(1, 2, 100 + i)]);
    await two.receiver.untilNumber(1, 20);
    await two.receiver.untilNumber(1, 120);
    const sent = statsOf(one, 2).sent;
    expect(sent.map(({ type, messages }) => [type, messages])).toEqual([
      ["MsgApp", 20],
      ["MsgHeartbeat", 20],
    ]);
    expect(sent[0]?.bytes).toBeGreaterThan(20 * 500);
    expect(statsOf(two, 1).received).toEqual(sent);
    await vi.waitFor(() => expect(statsOf(one, 2).smoothedRoundTripMs).toBeGreaterThan(0), WAIT);
    const { control, appends } = statsOf(one, 2);
    expect(control).toMatchObject({ state: "open", opened: 1, reconnects: 0, lost: 0, queuedMessages: 0 });
    expect(appends?.bytesSent).toBeGreaterThan(20 * 500);
    expect(() => structuredClone(one.transport.peerStats(1))).not.toThrow();
  });
});
