import { afterEach, describe, expect, test } from "vitest";
import { InvariantViolation, RaftError } from "../errors.ts";
import { message } from "../message.ts";
import {
  Counter,
  network,
  ShortCircuit,
  single,
  startNode,
  stopAll,
  trio,
} from "../testing/internal/groups/manual-group.ts";
import { TransportError } from "../transport-kit/transport-error.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE } from "../types.ts";
import { withHeader } from "./snapshots/snapshot-header.ts";

afterEach(stopAll);

const expectStopped = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ code: "NODE_STOPPED" });

describe("a turn", () => {
  test("may receive while it sends: every node answers within the leader's send", async () => {
    const { clock, first, second, third } = await trio();
    const proposed = [first, second, third].flatMap(({ cluster }) => [cluster.propose("a"), cluster.propose("b")]);
    const reads = [first, second, third].map(({ cluster }) => cluster.readIndex());
    await clock.settle();
    await clock.settle();
    expect((await Promise.all(proposed)).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    await Promise.all(reads);
    for (const { executor } of [first, second, third]) expect(executor.count).toBe(6);
  });

  test("D1: what is sent while a write is under way promises nothing of it", async () => {
    const { clock, wires, first, second, third } = await trio();
    await Promise.all([first.cluster.propose("opens the session"), clock.settle()]);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const { storage } of [second, third]) {
      const write = storage.write.bind(storage);
      storage.write = async (batch) => {
        await held;
        await write(batch);
      };
    }
    wires.sent.length = 0;
    const proposed = first.cluster.propose("a");
    await clock.settle();
    const acknowledgements = () => wires.sent.filter(({ type }) => type === "MsgAppResp").length;
    expect(wires.sent.filter(({ type }) => type === "MsgApp").length).toBe(2);
    expect(acknowledgements()).toBe(0);
    expect(first.executor.count).toBe(1);
    release();
    await clock.settle();
    expect(acknowledgements()).toBeGreaterThan(1);
    expect(await proposed).toBe(2);
  });

  test("all proposals of one turn are one append", async () => {
    const { clock, wires, first } = await trio();
    await Promise.all([first.cluster.propose("opens the session"), clock.settle()]);
    wires.sent.length = 0;
    const proposed = Array.from({ length: 50 }, () => first.cluster.propose("x"));
    await clock.settle();
    await Promise.all(proposed);
    const appends = wires.sent.filter(({ type, entries }) => type === "MsgApp" && entries.length > 0);
    expect(appends.map(({ entries }) => entries.length)).toEqual([50, 50]);
  });

  test("a read that got lost is asked again of the next leader as soon as there is one, without a tick", async () => {
    const { clock, wires, first, second } = await trio();
    const leader = wires.receiver(1);
    wires.receivers.delete(1);
    const read = second.cluster.readIndex();
    await clock.settle();
    wires.receivers.set(1, leader);
    const moved = first.cluster.transferLeadership(3);
    await clock.settle();
    await moved;
    expect(await Promise.race([read, clock.settle().then(() => "still waiting")])).toBeGreaterThan(0);
  });
});

describe("a peer's proposal", () => {
  test("that no node could read is left out, and stops no node", async () => {
    const { clock, wires, first, second, third } = await trio();
    const unreadable = {
      term: 0,
      index: 0,
      type: "EntryNormal" as const,
      data: Uint8Array.of(1),
      context: Uint8Array.of(99),
    };
    const command = { ...unreadable, context: EMPTY_BYTES };
    const leader = wires.receiver(1);
    leader.receive(2, [message({ type: "MsgProp", from: 2, to: 1, entries: [unreadable, command] })]);
    leader.receive(2, [message({ type: "MsgProp", from: 2, to: 1, entries: [unreadable] })]);
    await clock.settle();
    for (const { executor, cluster } of [first, second, third]) {
      expect(executor.count).toBe(1);
      expect(cluster.failure).toBeUndefined();
    }
  });
});

describe("stopping", () => {
  test("inside of an observer: nothing is written or sent afterwards", async () => {
    const { clock, wires, first, second, third } = await trio({ timing: { nodeLostTicks: 3 }, checkQuorum: false });
    let written = 0;
    let stopped: Promise<void> | undefined;
    first.cluster.on(({ type }) => {
      if (type !== "node-lost" || stopped !== undefined) return;
      stopped = first.cluster.stop();
      const { write } = first.storage;
      first.storage.write = (batch) => {
        written++;
        return write.call(first.storage, batch);
      };
      wires.sent.length = 0;
    });
    wires.receivers.delete(2);
    const proposed: Promise<unknown>[] = [];
    while (stopped === undefined) {
      proposed.push(first.cluster.propose("x").catch((error: unknown) => error));
      // The proposal is in the core when the tick comes, so the tick's turn would write and send it.
      const entries = [{ term: 0, index: 0, type: "EntryNormal" as const, data: new Uint8Array([65]) }];
      wires.receiver(1).receive(3, [message({ type: "MsgProp", from: 3, to: 1, entries })]);
      clock.tick();
    }
    await clock.settle();
    await stopped;
    expect(written).toBe(0);
    expect(wires.sent.filter(({ from }) => from === 1)).toEqual([]);
    await Promise.all([second.cluster.stop(), third.cluster.stop()]);
    expect(clock.timers).toBe(0);
    for (const outcome of await Promise.all(proposed))
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(RaftError);
  });

  test("settles everything that waits, and whatever asks later", async () => {
    const { clock, wires, first } = await trio();
    wires.receivers.delete(2);
    wires.receivers.delete(3);
    const { cluster } = first;
    const calls = [
      cluster.propose("x"),
      cluster.readIndex(),
      cluster.transferLeadership(2),
      cluster.changeMembership([{ type: "RemoveNode", nodeId: 3 }]),
      // The change waits for a hand-over first, and is proposed when that has failed.
      cluster.changeMembership([{ type: "RemoveNode", nodeId: 1 }]),
    ].map(expectStopped);
    await clock.settle();
    await cluster.stop();
    await Promise.all(calls);
    await expectStopped(cluster.propose("x"));
    await expectStopped(cluster.readIndex());
    await expectStopped(cluster.waitForLeader());
    await expectStopped(cluster.snapshot());
    await expectStopped(cluster.changeMembership([{ type: "RemoveNode", nodeId: 3 }]));
    expect(() => cluster.campaign()).toThrow(RaftError);
    await cluster.stop();
  });

  test("does not wait for a snapshot that never arrives whole", async () => {
    const { cluster, wires } = await single();
    const metadata = { index: 100, term: 9, confState: { ...EMPTY_CONF_STATE, voters: [1, 2] } };
    const offered = message({ type: "MsgSnap", from: 2, to: 1, term: 9, snapshot: { metadata, data: EMPTY_BYTES } });
    async function* stalling(): AsyncIterable<Uint8Array> {
      yield new Uint8Array(4);
      await new Promise(() => {});
    }
    const received = expectStopped(wires.receiver(1).receiveSnapshot(offered, stalling()));
    await cluster.stop();
    await received;
  });

  test("does not wait for ever for a snapshot that an executor's failure has overtaken", async () => {
    const { cluster, clock, executor } = await single();
    let fail = (): void => {};
    executor.apply = () =>
      new Promise((_, reject) => {
        fail = () => reject(new Error("bug in the application"));
      });
    const proposed = cluster.propose("x").catch((error: unknown) => error);
    await clock.settle();
    const snapshot = cluster.snapshot().catch((error: unknown) => error);
    fail();
    await clock.settle();
    expect(await proposed).toMatchObject({ code: "NODE_FAILED" });
    expect(await snapshot).toMatchObject({ code: "NODE_FAILED" });
    await cluster.stop();
  });
});

describe("snapshots from the leader", () => {
  const confState = { ...EMPTY_CONF_STATE, voters: [1, 2, 3] };
  const header = { sessions: [], members: { addresses: [], highestNodeId: 3 } };

  test("one that is behind what is committed is answered and forgotten", async () => {
    const { clock, wires, first, second } = await trio();
    await Promise.all([first.cluster.propose("x"), clock.settle()]);
    const metadata = { index: 2, term: 1, confState };
    const { term } = first.cluster.status();
    const offered = message({ type: "MsgSnap", from: 1, to: 2, term, snapshot: { metadata, data: EMPTY_BYTES } });
    wires.sent.length = 0;
    await wires.receiver(2).receiveSnapshot(offered, withHeader(header, new Counter().snapshot()));
    await clock.settle();
    expect(wires.sent.filter(({ type }) => type === "MsgAppResp").map(({ index }) => index)).toEqual([
      second.cluster.status().commit,
    ]);
    const named = { snapshot: { metadata, reset: false } };
    await expect(second.storage.write(named), "its content is gone").rejects.toThrow("not spooled");
  });

  test("one that overtakes a local one being written is put in force, and the local one gives way", async () => {
    const { clock, wires, second, executor } = await trio().then((all) => ({ ...all, executor: all.second.executor }));
    let finish = (): void => {};
    const metadata = { index: 1_000, term: 7, confState };
    const offered = message({ type: "MsgSnap", from: 1, to: 2, term: 7, snapshot: { metadata, data: EMPTY_BYTES } });
    const other = new Counter();
    other.count = 42;
    await wires.receiver(2).receiveSnapshot(offered, withHeader(header, other.snapshot()));
    // The snapshot is received and stepped, but its restore has not begun: now the local snapshot begins.
    executor.snapshot = async function* () {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      yield new Uint8Array([48]);
    };
    const local = second.cluster.snapshot().catch((error: unknown) => error);
    await clock.settle();
    finish();
    await clock.settle();
    expect(await local).toMatchObject({ code: "OVERLOADED" });
    expect(second.cluster.failure).toBeUndefined();
    expect(second.cluster.status()).toMatchObject({ applied: 1_000, snapshotIndex: 1_000 });
    expect(executor.count).toBe(42);
  });
});

describe("a member's address that the transport cannot use", () => {
  const unusable = () => {
    throw new TransportError("TRANSPORT_ADDRESS_INVALID", "no address");
  };

  test("is refused before it is replicated, also at the very start", async () => {
    const { clock, wires, first } = await trio();
    Object.assign(wires.transportOf(1), { checkAddress: unusable });
    const change = { type: "AddLearnerNode", nodeId: 4, address: "nowhere" } as const;
    await expect(first.cluster.changeMembership([change])).rejects.toMatchObject({ code: "TRANSPORT_ADDRESS_INVALID" });
    await clock.settle();
    expect(first.cluster.status().confState.learners).toEqual([]);
    const transport = { ...new ShortCircuit().transport(1), checkAddress: unusable };
    await expect(startNode(network(), 1, [1], { transport })).rejects.toMatchObject({
      code: "TRANSPORT_ADDRESS_INVALID",
    });
  });

  test("stops no node once it is in the log", async () => {
    const { clock, wires, nodes, first } = await trio();
    for (const id of [1, 2, 3]) wires.transportOf(id).setPeer = unusable;
    const changed = first.cluster.changeMembership([{ type: "AddLearnerNode", nodeId: 4, address: "nowhere" }]);
    await clock.settle();
    expect((await changed).learners).toEqual([4]);
    expect(nodes.map(({ cluster }) => cluster.failure)).toEqual([undefined, undefined, undefined]);
  });
});

describe("bounds", () => {
  test("timeouts are numbers from 0; one of 0 lasts a tick", async () => {
    const { cluster, clock } = await single();
    for (const timeoutMs of [Number.NaN, -1]) {
      await expect(cluster.propose("x", { timeoutMs })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
      await expect(cluster.readIndex({ timeoutMs })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    }
    const proposed = cluster.propose("x", { timeoutMs: 0 });
    await clock.settle();
    expect(await proposed).toBe(1);
    await cluster.stop();
  });

  test("what a client sends is bounded as what the executor encodes", async () => {
    const { cluster, wires } = await single({ limits: { maxCommandBytes: 3 } });
    const receiver = wires.receiver(1);
    await expect(receiver.receiveCommand(new Uint8Array(4))).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    await expect(receiver.receiveCommand(EMPTY_BYTES)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(cluster.propose("abcd")).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  });

  test("reads that wait are bounded", async () => {
    const { clock, wires, first } = await trio({ limits: { maxPendingReads: 2 } });
    wires.receivers.delete(2);
    wires.receivers.delete(3);
    const waiting = [first.cluster.readIndex(), first.cluster.readIndex()].map(expectStopped);
    await clock.settle();
    await expect(first.cluster.readIndex()).rejects.toMatchObject({ code: "OVERLOADED" });
    await first.cluster.stop();
    await Promise.all(waiting);
  });

  test.each([
    ["timing", "tickMs", 0],
    ["timing", "electionTicks", Number.NaN],
    ["limits", "maxPendingReads", 0],
    ["limits", "snapshotEveryEntries", -5],
    ["limits", "defaultTimeoutMs", Number.NaN],
  ])("%s.%s = %d is refused, by name", async (group, field, value) => {
    const options = { [group]: { [field]: value } };
    await expect(startNode(network(), 1, [1], options)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      details: { field },
    });
  });
});

test("D3: a broken invariant stops the node, and nothing leaves it any more", async () => {
  const { clock, wires, first, second, third } = await trio();
  await Promise.all([first.cluster.propose("x"), clock.settle()]);
  wires.sent.length = 0;
  first.storage.term = () => {
    throw new InvariantViolation("the disk lies");
  };
  first.storage.entries = first.storage.term as never;
  const { term } = first.cluster.status();
  wires
    .receiver(1)
    .receive(2, [
      message({ type: "MsgAppResp", from: 2, to: 1, term, index: 1, reject: true, rejectHint: 1, logTerm: 1 }),
    ]);
  const proposed = first.cluster.propose("y").catch((error: unknown) => error);
  await clock.settle();
  for (let at = 0; at < 20; at++) clock.tick();
  await clock.settle();
  if (first.cluster.failure === undefined) throw new Error("the node goes on");
  expect(await proposed).toMatchObject({ code: "NODE_FAILED" });
  expect(wires.sent.filter(({ from }) => from === 1)).toEqual([]);
  await Promise.all([second.cluster.stop(), third.cluster.stop()]);
  expect(clock.timers).toBe(0);
});

test("D3: after a failed write nothing more is applied, though it is committed; who waited for it is told", async () => {
  const { cluster, clock, storage, executor } = await single();
  await Promise.all([cluster.propose("opens the session"), clock.settle()]);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const apply = executor.apply.bind(executor);
  executor.apply = async (batch) => {
    await held;
    return await apply(batch);
  };
  const calls: Promise<unknown>[] = [];
  for (const command of ["being applied", "waits to be applied"]) {
    calls.push(cluster.propose(command).catch((error: unknown) => error));
    await clock.settle();
  }
  storage.write = () => Promise.reject(new Error("EIO"));
  calls.push(cluster.propose("not written").catch((error: unknown) => error));
  calls.push(cluster.snapshot().catch((error: unknown) => error));
  await clock.settle();
  release();
  await clock.settle();
  expect(executor.count).toBe(2);
  for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ code: "NODE_FAILED" });
});

describe("a process that stands still", () => {
  const HEARTBEATS = { timing: { tickMs: 50, heartbeatTicks: 2, electionTicks: 10 } };
  const heartbeats = (wires: ShortCircuit) => wires.sent.filter(({ type }) => type === "MsgHeartbeat").length;

  test("again and again, for longer than a heartbeat's interval, sends heartbeats each time it runs", async () => {
    const { clock, wires } = await trio(HEARTBEATS);
    clock.tick();
    clock.tick();
    for (let stop = 0; stop < 5; stop++) {
      wires.sent.length = 0;
      clock.standStill(200);
      clock.tick();
      await clock.settle();
      expect(heartbeats(wires)).toBe(2);
    }
  });

  test("does not stand for election, nor lose its members, for the time in which it could not hear", async () => {
    const { clock, wires, nodes, first } = await trio(HEARTBEATS);
    const events: string[] = [];
    for (const { cluster } of nodes) cluster.on(({ type }) => events.push(type));
    for (let stop = 0; stop < 20; stop++) {
      clock.standStill(60_000);
      clock.tick();
      await clock.settle();
    }
    expect(events).toEqual([]);
    expect(first.cluster.isLeader).toBe(true);
    expect(heartbeats(wires)).toBeGreaterThan(0);
  });
});
