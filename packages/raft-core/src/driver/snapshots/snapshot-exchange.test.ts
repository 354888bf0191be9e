import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import { type Message, message } from "../../message.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import { silentLogger } from "../../ports/platform.ts";
import { Inflights } from "../../tracker/inflights.ts";
import { Progress } from "../../tracker/progress.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE, type LogIndex } from "../../types.ts";
import { ReplicatedState } from "../apply/replicated-state.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMING } from "../options.ts";
import { SnapshotExchange, type SnapshotExchangeHost } from "./snapshot-exchange.ts";
import { Snapshotter } from "./snapshotter.ts";

const confState = { ...EMPTY_CONF_STATE, voters: [1, 2, 3] };
const TERM = 7;

/** The snapshot that leader 1 offers node 3. */
function wish(index: LogIndex, more: Partial<Message> = {}): Message {
  const snapshot = { metadata: { index, term: 4, confState }, data: EMPTY_BYTES };
  return message({ type: "MsgSnap", from: 1, to: 3, term: TERM, snapshot, ...more });
}

/** Node `self` with a snapshot at `index`, in a group that node 1 leads in term 7. */
async function start(
  self: number,
  index: LogIndex,
  retake: (storage: MemoryStorage) => Promise<void> = async () => {},
) {
  const storage = new MemoryStorage({ confState });
  const put = async (at: LogIndex, term = 4) => {
    const metadata = { index: at, term, confState };
    const sink = await storage.createSnapshot(metadata);
    await sink.write(new Uint8Array([at]));
    await sink.finish();
    await storage.write({ snapshot: { metadata, reset: true } });
  };
  await put(index);
  const waiting: { readonly delayMs: number; readonly fn: () => void }[] = [];
  const clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    after: (delayMs: number, fn: () => void) => {
      waiting.push({ delayMs, fn });
      return () => {};
    },
  } as Partial<Clock> as Clock;
  const follower = new Progress({
    match: 90,
    next: 91,
    inflights: new Inflights(4),
    isLearner: false,
    recentActive: true,
  });
  follower.state = "StateReplicate";
  const executor = {} as AnyExecutor;
  const raft = {
    term: TERM,
    lead: 1,
    role: self === 1 ? "StateLeader" : "StateFollower",
    tracker: { progress: new Map([[2, follower]]) },
    log: { applied: 100 },
  };
  const reports: [number, string][] = [];
  const host = {
    options: { nodeId: self, groupId: 1, storage, executor, clock, timing: DEFAULT_TIMING, logger: silentLogger },
    raft,
    leadership: { silentTicks: () => 0 },
    snapshotter: new Snapshotter(storage, executor, new ReplicatedState(), DEFAULT_LIMITS, silentLogger),
    takeSnapshot: () => retake(storage),
    exclusively: async (run: () => Promise<void>) => await run(),
    report: (to: number, outcome: string) => reports.push([to, outcome]),
  } as unknown as SnapshotExchangeHost;
  const exchange = new SnapshotExchange(host);
  return { exchange, raft, put, reports, waiting };
}

function channel(more: Partial<GroupChannel> = {}) {
  const sent: { message: Message; bytes: number[] }[] = [];
  const open: GroupChannel = {
    send() {},
    close() {},
    sendSnapshot: async (announced, content) => {
      const bytes: number[] = [];
      for await (const chunk of content) bytes.push(...chunk);
      sent.push({ message: announced, bytes });
    },
    ...more,
  };
  return { open, sent };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("a member that is asked to send for the leader", () => {
  test("DL1: sends its own snapshot, in the leader's name and term", async () => {
    const { exchange } = await start(2, 60);
    const { open, sent } = channel();
    await exchange.sendFor(open, wish(80), 50);
    expect(sent).toEqual([{ message: wish(60), bytes: [60] }]);
  });

  test.each([
    ["of another term", { term: TERM - 1 }],
    ["that it does not follow", { from: 5 }],
  ])("DL2: refuses a leader %s", async (_what, more) => {
    const { exchange } = await start(2, 60);
    const { open, sent } = channel();
    const refused = { code: "SNAPSHOT_UNAVAILABLE", retryable: true };
    await expect(exchange.sendFor(open, wish(80, more), 50)).rejects.toMatchObject(refused);
    expect(sent).toEqual([]);
  });

  test("DL3: sends none that the leader's log does not go on from, and takes a new one if it can", async () => {
    const stuck = await start(2, 60);
    const { open, sent } = channel();
    await expect(stuck.exchange.sendFor(open, wish(80), 61)).rejects.toMatchObject({ code: "SNAPSHOT_UNAVAILABLE" });
    expect(sent).toEqual([]);
    const able = await start(2, 60, async () => await able.put(75));
    await able.exchange.sendFor(open, wish(80), 61);
    expect(sent).toEqual([{ message: wish(75), bytes: [75] }]);
  });

  test("sends none that its receiver is no member of", async () => {
    const { exchange } = await start(2, 60);
    const { open, sent } = channel();
    await expect(exchange.sendFor(open, wish(80, { to: 9 }), 50)).rejects.toMatchObject({
      code: "SNAPSHOT_UNAVAILABLE",
    });
    expect(sent).toEqual([]);
  });

  test("tells when it did not arrive", async () => {
    const { exchange } = await start(2, 60);
    const { open } = channel({ sendSnapshot: () => Promise.reject(new Error("cut")) });
    await expect(exchange.sendFor(open, wish(80), 50)).rejects.toMatchObject({ code: "SNAPSHOT_UNAVAILABLE" });
  });
});

describe("a leader whose core wants a snapshot sent", () => {
  test("asks a member that is up to date, and tells the core when that has sent it", async () => {
    const { exchange, reports } = await start(1, 80);
    const asked: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    const { open, sent } = channel({
      delegateSnapshot: async (...question) => {
        asked.push(question);
        await gate.promise;
      },
    });
    exchange.send(open, wish(80));
    await settled();
    expect(exchange.status()).toMatchObject([{ direction: "delegated", peer: 3, delegate: 2, index: 80 }]);
    expect(reports).toEqual([]);
    gate.resolve();
    await settled();
    expect(asked).toEqual([[2, wish(80), 80]]);
    expect([reports, sent, exchange.status()]).toEqual([[[3, "finish"]], [], []]);
  });

  test("sends itself when the member does not", async () => {
    const { exchange, reports } = await start(1, 80);
    const { open, sent } = channel({ delegateSnapshot: () => Promise.reject(new Error("no")) });
    exchange.send(open, wish(80));
    await settled();
    expect(sent).toEqual([{ message: wish(80), bytes: [80] }]);
    expect(reports).toEqual([[3, "finish"]]);
  });

  test("does not send any more when it was deposed meanwhile, and still reports once (DL4)", async () => {
    const { exchange, raft, reports } = await start(1, 80);
    const { open, sent } = channel({
      delegateSnapshot: async () => {
        raft.role = "StateFollower";
        throw new Error("no");
      },
    });
    exchange.send(open, wish(80));
    await settled();
    expect([sent, reports]).toEqual([[], [[3, "failure"]]]);
  });

  test("tells the core of a first failure at once and of further ones ever later, until one arrives", async () => {
    const { exchange, reports, waiting } = await start(1, 80);
    const failing = channel({ sendSnapshot: () => Promise.reject(new Error("busy")) }).open;
    for (let attempt = 1; attempt <= 8; attempt++) {
      exchange.send(failing, wish(80));
      await settled();
      waiting.at(-1)?.fn();
    }
    expect(waiting.map(({ delayMs }) => delayMs)).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    expect(reports).toHaveLength(8);
    exchange.send(channel().open, wish(80));
    await settled();
    exchange.send(failing, wish(80));
    await settled();
    expect(reports.slice(8)).toEqual([
      [3, "finish"],
      [3, "failure"],
    ]);
  });
});
