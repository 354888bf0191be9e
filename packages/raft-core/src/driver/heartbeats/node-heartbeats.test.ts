import { afterEach, describe, expect, test } from "vitest";
import { message } from "../../message.ts";
import { ManyGroups } from "../../testing/internal/groups/many-groups.ts";
import type { RaftClusterOptions } from "../options.ts";
import { decodePulseAnswer, encodePulse, HEARTBEAT_GROUP } from "./roster-codec.ts";

const GROUPS = 100;
const ELECTION_TICKS = 10;
/** Two timeouts at most: the longest that is drawn, and once more for a split vote. */
const BOUND_TICKS = 4 * ELECTION_TICKS;

const running: ManyGroups[] = [];

async function start(groups = GROUPS, options: Partial<RaftClusterOptions<string, number>> = {}): Promise<ManyGroups> {
  const made = await ManyGroups.start(groups, options);
  running.push(made);
  return made;
}

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

const termsOf = (network: ManyGroups, nodeId: number) => network.node(nodeId).clusters.map((c) => c.status().term);

describe("idle groups", () => {
  test("send one message to each peer in a heartbeat's interval, and get one back", async () => {
    const network = await start();
    await network.electFirst();
    network.takeSent();
    await network.tick(2);
    const { ofGroups, ofNodes } = network.takeSent();
    expect(ofGroups).toEqual([]);
    expect(ofNodes.map(({ type, from, to }) => `${type} ${from}>${to}`).sort()).toEqual([
      "MsgHeartbeat 1>2",
      "MsgHeartbeat 1>3",
      "MsgHeartbeatResp 2>1",
      "MsgHeartbeatResp 3>1",
    ]);
    expect(Math.max(...ofNodes.map(({ context }) => context?.length ?? 0))).toBeLessThan(32);
  });

  test("keep their leaders, and lose no member, for as long as nothing happens", async () => {
    const network = await start();
    await network.electFirst();
    const terms = termsOf(network, 1);
    for (const node of network.nodes) node.events.length = 0;
    await network.tick(10 * ELECTION_TICKS);
    expect(termsOf(network, 1)).toEqual(terms);
    expect(network.nodes.flatMap(({ events }) => events)).toEqual([]);
    for (const cluster of network.node(1).clusters) {
      expect(cluster.status().progress.map(({ silentMs }) => silentMs <= 100)).toEqual([true, true, true]);
    }
  });

  test("take commands and reads as ever, and are quiet again", async () => {
    const network = await start();
    await network.electFirst();
    const calls = network.nodes.flatMap(({ clusters }) => [
      ...clusters.map((cluster) => cluster.propose("x")),
      ...clusters.map((cluster) => cluster.readIndex()),
    ]);
    await network.tick(4);
    await Promise.all(calls);
    await network.tick(6);
    network.takeSent();
    await network.tick(2);
    expect(network.takeSent().ofGroups).toEqual([]);
  });

  test("learn a commit index whose append got lost", async () => {
    const network = await start();
    await network.electFirst();
    let isLost = false;
    const commit = () => network.node(3).clusters[0]?.status().commit ?? 0;
    const before = commit();
    // The entry arrives; the news that it is committed does not.
    network.passes = (_groupId, { type, to, entries }) => {
      isLost ||= type === "MsgApp" && to === 3 && entries.length === 0;
      return !(type === "MsgApp" && to === 3 && entries.length === 0);
    };
    const proposed = network.node(1).clusters[0]?.propose("x");
    await network.tick(8);
    await proposed;
    expect(isLost).toBe(true);
    expect(commit()).toBeGreaterThan(before);
  });
});

describe("when the leader of many groups", () => {
  test("dies, all of them have another within the usual time, spread over it", async () => {
    const network = await start();
    await network.electFirst();
    network.cut.add(1);
    const survivors = [network.node(2), network.node(3)];
    const elected = () => survivors.reduce((sum, node) => sum + node.leads().length, 0);
    const perTick: number[] = [];
    for (let at = 0; at < BOUND_TICKS && elected() < GROUPS; at++) {
      const before = elected();
      await network.tick(1);
      perTick.push(elected() - before);
    }
    expect(elected()).toBe(GROUPS);
    // Timeouts are drawn from ten values, so the nodes do not all stand in one tick.
    expect(Math.max(...perTick)).toBeLessThan(GROUPS / 2);
    expect(survivors.every((node) => node.leads().length > 0)).toBe(true);
  });

  test("is cut off, it leads none of them any more within two election timeouts", async () => {
    const network = await start();
    await network.electFirst();
    network.cut.add(1);
    await network.tick(2 * ELECTION_TICKS);
    expect(network.node(1).leads()).toEqual([]);
  });

  test("stops one of them, that one has another leader, and the others go on", async () => {
    const network = await start(3);
    await network.electFirst();
    const [stopped, ...others] = network.node(1).clusters;
    await stopped?.stop();
    await network.tick(BOUND_TICKS);
    expect(network.node(2).clusters[0]?.leader).not.toBe(1);
    expect(network.node(2).clusters[0]?.leader).not.toBe(0);
    expect(others.every(({ isLeader }) => isLeader)).toBe(true);
  });
});

test("a leader that dies after a long idle time is reported lost when it has been silent for that long, not before", async () => {
  const network = await start(3, { timing: { nodeLostTicks: 60 } });
  await network.electFirst();
  await network.tick(100);
  network.cut.add(1);
  const survivors = [network.node(2), network.node(3)];
  const lost = () => survivors.flatMap(({ events }) => events.filter(({ type }) => type === "node-lost"));
  await network.tick(55);
  expect(survivors.flatMap((node) => node.leads()).length).toBe(3);
  expect(lost()).toEqual([]);
  await network.tick(8);
  expect(lost()).toEqual([1, 2, 3].map(() => ({ type: "node-lost", nodeId: 1 })));
});

describe("a follower of many groups", () => {
  test("that falls silent is reported lost by each, when it always was, and returned when it is back", async () => {
    const network = await start(3, { timing: { nodeLostTicks: 12 } });
    await network.electFirst();
    const { events } = network.node(1);
    events.length = 0;
    network.cut.add(3);
    await network.tick(10);
    expect(events).toEqual([]);
    await network.tick(4);
    expect(events).toEqual([1, 2, 3].map(() => ({ type: "node-lost", nodeId: 3 })));
    events.length = 0;
    network.cut.clear();
    await network.tick(3);
    expect(events).toEqual([1, 2, 3].map(() => ({ type: "node-returned", nodeId: 3 })));
  });

  test("that restarts finds its leaders without an election", async () => {
    const network = await start();
    await network.electFirst();
    const terms = termsOf(network, 1);
    const node = network.node(3);
    await node.stop();
    await network.tick(4);
    await network.startNode(node);
    await network.tick(8);
    expect(node.clusters.map(({ leader }) => leader)).toEqual(terms.map(() => 1));
    expect(termsOf(network, 1)).toEqual(terms);
    network.takeSent();
    await network.tick(2);
    expect(network.takeSent().ofGroups).toEqual([]);
  });

  test("H1: that does not know of rosters gets each heartbeat by itself", async () => {
    const network = await start(3);
    const node = network.node(3);
    await node.stop();
    await network.startNode(node, { coalesceHeartbeatsFrom: Number.POSITIVE_INFINITY });
    await network.electFirst();
    network.takeSent();
    await network.tick(2);
    const { ofGroups } = network.takeSent();
    expect(ofGroups.filter(({ type, to }) => type === "MsgHeartbeat" && to === 3).length).toBe(3);
    expect(ofGroups.filter(({ type, to }) => type === "MsgHeartbeat" && to === 2).length).toBe(0);
    await network.tick(BOUND_TICKS);
    expect(network.node(1).leads().length).toBe(3);
  });
});

test.each([true, false])(
  "H1: a follower that restarts as one that knows no rosters keeps its leaders (outage noticed: %s)",
  async (isNoticed) => {
    const network = await start();
    await network.electFirst();
    const terms = termsOf(network, 1);
    const node = network.node(3);
    await node.stop();
    if (isNoticed) network.receiver(1, HEARTBEAT_GROUP).unreachable(3);
    await network.startNode(node, { coalesceHeartbeatsFrom: Number.POSITIVE_INFINITY });
    if (isNoticed) {
      await network.tick(2);
      expect(node.clusters.map(({ leader }) => leader)).toEqual(terms.map(() => 1));
    }
    await network.tick(2 * BOUND_TICKS);
    expect(termsOf(network, 1)).toEqual(terms);
    expect(node.clusters.map(({ leader }) => leader)).toEqual(terms.map(() => 1));
  },
);

test("H2: bytes that are no pulse and no answer change nothing", async () => {
  const network = await start(3);
  await network.electFirst();
  const terms = termsOf(network, 1);
  const bytes = [
    new Uint8Array(0),
    new Uint8Array([0]),
    new Uint8Array([1, 0xff]),
    // Announces more groups than there are bytes for.
    new Uint8Array([1, 9, 9, 0, 1, 0xff, 0xff, 0x03]),
    new Uint8Array([...encodePulse({ roster: 5, round: 1, base: 0, version: 1, lines: [] }), 7]),
  ];
  for (const context of bytes) {
    for (const type of ["MsgHeartbeat", "MsgHeartbeatResp"] as const) {
      network.receiver(1, HEARTBEAT_GROUP).receive(2, [message({ type, from: 2, to: 1, context })]);
    }
  }
  await network.tick(2 * ELECTION_TICKS);
  expect(termsOf(network, 1)).toEqual(terms);
});

test("H4: beyond the bound the peers not heard for longest are forgotten, and send their rosters again", async () => {
  const network = await start(3);
  await network.electFirst();
  network.takeSent();
  const pulse = (from: number, round: number, base: number) => {
    const context = encodePulse({ roster: from, round, base, version: 1, lines: [] });
    network.receiver(1, HEARTBEAT_GROUP).receive(from, [message({ type: "MsgHeartbeat", from, to: 1, context })]);
  };
  /** The version of its roster that a peer is told to be held. */
  const held = (peer: number) => {
    const told = network.sent.filter(({ message: { type, to } }) => type === "MsgHeartbeatResp" && to === peer);
    const context = told.at(-1)?.message.context;
    return context === undefined ? undefined : decodePulseAnswer(context).version;
  };
  pulse(2001, 1, 0);
  pulse(2002, 1, 0);
  for (let peer = 3000; peer < 4020; peer++) pulse(peer, 1, 0);
  pulse(2001, 2, 1);
  expect(held(2001)).toBe(1);
  for (let peer = 5000; peer < 5010; peer++) pulse(peer, 1, 0);
  pulse(2001, 3, 1);
  expect(held(2001)).toBe(1);
  pulse(2002, 2, 1);
  expect(held(2002)).toBe(0);
});

test("H3: with fewer groups than are to travel together, each heartbeat goes by itself, and nothing else", async () => {
  const network = await start(3, { coalesceHeartbeatsFrom: 4 });
  await network.electFirst();
  network.takeSent();
  await network.tick(2);
  const { ofGroups, ofNodes } = network.takeSent();
  expect(ofNodes).toEqual([]);
  expect(ofGroups.filter(({ type }) => type === "MsgHeartbeat").length).toBe(6);
});
