import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import { message } from "../../message.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import { silentLogger } from "../../ports/platform.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE, type Entry, type LogIndex, type SnapshotMetadata } from "../../types.ts";
import { ReplicatedState } from "../apply/replicated-state.ts";
import { DEFAULT_LIMITS } from "../options.ts";
import { splitHeader } from "./snapshot-header.ts";
import { Snapshotter } from "./snapshotter.ts";

const confState = { ...EMPTY_CONF_STATE, voters: [1, 2] };

/** An executor whose state is durable by itself. A snapshot's content is open from the capture until it is read or its iterator returns. */
class DurableExecutor implements Partial<AnyExecutor> {
  applied: LogIndex = 0;
  durable: LogIndex = 0;
  captures = 0;
  open = 0;
  restoredFrom: LogIndex | undefined;

  durableIndex(): LogIndex {
    return this.durable;
  }

  async persist(): Promise<LogIndex> {
    this.durable = this.applied;
    return this.durable;
  }

  snapshot(): AsyncIterable<Uint8Array> {
    this.captures += 1;
    this.open += 1;
    let left = 2;
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      this.open = 0;
      return { done: true, value: undefined };
    };
    const content = new TextEncoder().encode(`state at ${this.applied};`);
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => (left-- > 0 ? { done: false, value: content } : await end()),
        return: end,
      }),
    };
  }

  async restore(_content: AsyncIterable<Uint8Array>, index: LogIndex): Promise<void> {
    this.restoredFrom = index;
    this.applied = index;
    this.durable = index;
  }
}

function start(executor = new DurableExecutor(), storage?: MemoryStorage, limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  const entries: Entry[] = Array.from({ length: 40 }, (_, at) => {
    return { term: 1, index: at + 1, type: "EntryNormal", data: EMPTY_BYTES };
  });
  const log = storage ?? new MemoryStorage({ confState, entries });
  const state = new ReplicatedState();
  state.confState = confState;
  const merged = { ...DEFAULT_LIMITS, ...limits };
  const snapshotter = new Snapshotter(log, executor as unknown as AnyExecutor, state, merged, silentLogger);
  const install = async (metadata: SnapshotMetadata, compactTo: LogIndex) => {
    await log.write({ snapshot: { metadata, reset: false }, compactTo });
    return true;
  };
  /** A state in which all entries up to `index` are applied, the last command at `commandIndex`. */
  const apply = (index: LogIndex, commandIndex = index) => {
    Object.assign(state, { appliedIndex: index, appliedTerm: 1, commandIndex });
    executor.applied = commandIndex;
  };
  return { log, executor, state, snapshotter, install, apply };
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of content) text += new TextDecoder().decode(chunk);
  return text;
}

const asked = message({
  type: "MsgSnap",
  from: 1,
  to: 2,
  term: 1,
  snapshot: { metadata: { index: 5, term: 1, confState }, data: EMPTY_BYTES },
});

function channel(sendSnapshot: GroupChannel["sendSnapshot"]): GroupChannel {
  return { send: () => {}, sendSnapshot, close: () => {} };
}

describe("the snapshot of an executor that is durable by itself", () => {
  test("has no state; the log is cut once the executor has made its own durable (N2)", async () => {
    const { log, executor, snapshotter, install, apply } = start(undefined, undefined, { keepEntries: 4 });
    apply(20, 18);
    const { promise, resolve } = Promise.withResolvers<void>();
    executor.persist = async () => {
      await promise;
      executor.durable = 18;
      return 18;
    };
    const taken = snapshotter.take(install);
    await new Promise<void>((done) => setImmediate(done));
    expect(log.firstIndex()).toBe(1);
    resolve();
    const metadata = await taken;
    expect(metadata.index).toBe(20);
    expect(log.firstIndex()).toBe(17);
    expect(executor.captures).toBe(0);
    const { header, rest } = await splitHeader(log.openSnapshot(metadata)[Symbol.asyncIterator]());
    expect(header.stateIndex).toBe(18);
    expect(await textOf(rest)).toBe("");
  });

  test("is refused when the executor made less durable than it has applied: the log would be cut too far", async () => {
    const { log, executor, snapshotter, install, apply } = start();
    apply(20);
    executor.persist = async () => 19;
    await expect(snapshotter.take(install)).rejects.toThrow("durable up to 19, though it has applied 20 (N2)");
    expect(log.firstIndex()).toBe(1);
  });

  test("brings the driver's part back after a restart, and leaves the state alone", async () => {
    const { log, executor, snapshotter, install, apply } = start();
    apply(20, 18);
    await snapshotter.take(install);
    const restarted = new DurableExecutor();
    restarted.durable = executor.durable;
    const again = start(restarted, log);
    await again.snapshotter.restore({ index: 20, term: 1, confState });
    expect([again.state.appliedIndex, again.state.commandIndex]).toEqual([20, 18]);
    expect(restarted.restoredFrom).toBeUndefined();
  });

  test("is refused when the state is behind it: the log does not have what is missing", async () => {
    const { log, snapshotter, install, apply } = start();
    apply(20, 18);
    await snapshotter.take(install);
    const behind = new DurableExecutor();
    behind.durable = 17;
    await expect(start(behind, log).snapshotter.restore({ index: 20, term: 1, confState })).rejects.toMatchObject({
      code: "STATE_MISMATCH",
      details: { durable: 17, needed: 18 },
    });
  });

  test("is, when it has state, one that came from a leader, or of an older version: restored unless the state has it", async () => {
    const { log, apply } = start();
    apply(0);
    const metadata = { index: 12, term: 1, confState };
    const sink = await log.createSnapshot(metadata);
    const memory = start(new DurableExecutor());
    memory.apply(12);
    for await (const chunk of memory.snapshotter.capture(asked).content) await sink.write(chunk);
    await sink.finish();
    await log.write({ snapshot: { metadata, reset: true } });
    const behind = start(new DurableExecutor(), log);
    await behind.snapshotter.restore(metadata);
    expect(behind.executor.restoredFrom).toBe(12);
    const ahead = new DurableExecutor();
    ahead.durable = 15;
    await start(ahead, log).snapshotter.restore(metadata);
    expect(ahead.restoredFrom).toBeUndefined();
  });
});

describe("a peer that needs a snapshot of such an executor", () => {
  test("is sent one of the state as it is now, with the index of now", async () => {
    const { snapshotter, install, apply, executor } = start();
    apply(5);
    await snapshotter.take(install);
    apply(30, 29);
    expect(snapshotter.stored(asked)).toBeUndefined();
    const offer = snapshotter.capture(asked);
    apply(31);
    expect(offer.message.snapshot?.metadata).toEqual({ index: 30, term: 1, confState });
    let sent = "";
    const outcome = await snapshotter.send(
      channel(async (_, content) => {
        sent = await textOf(content);
      }),
      offer,
    );
    expect(outcome).toBe("finish");
    expect(sent).toContain("state at 29;state at 29;");
    expect(executor.open).toBe(0);
  });

  test("keeps nothing open when the transport refuses before it reads", async () => {
    const { snapshotter, apply, executor } = start();
    apply(30);
    const offer = snapshotter.capture(asked);
    expect(executor.open).toBe(1);
    const refusing = channel(() => Promise.reject(new Error("no way there")));
    expect(await snapshotter.send(refusing, offer)).toBe("failure");
    expect(executor.open).toBe(0);
  });

  test("finds the entries behind it still in the log, up to a bound (N5)", async () => {
    const limits = { keepEntries: 2, keepEntriesWhileSending: 15 };
    const { snapshotter, install, apply, log } = start(undefined, undefined, limits);
    apply(10);
    const { promise, resolve } = Promise.withResolvers<void>();
    const sending = snapshotter.send(
      channel(() => promise),
      snapshotter.capture(asked),
    );
    apply(20);
    await snapshotter.take(install);
    expect(log.firstIndex()).toBe(11);
    apply(30);
    await snapshotter.take(install);
    expect(log.firstIndex()).toBe(16);
    resolve();
    await sending;
    apply(31);
    await snapshotter.take(install);
    expect(log.firstIndex()).toBe(30);
  });
});
