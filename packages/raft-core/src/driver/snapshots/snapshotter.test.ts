import { describe, expect, test } from "vitest";
import { RaftError } from "../../errors.ts";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import { type Message, message } from "../../message.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import { silentLogger } from "../../ports/platform.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE, type Entry, type LogIndex } from "../../types.ts";
import { ReplicatedState } from "../apply/replicated-state.ts";
import { DEFAULT_LIMITS } from "../options.ts";
import { encodeSnapshotHeader, withHeader } from "./snapshot-header.ts";
import { type SnapshotOffer, Snapshotter } from "./snapshotter.ts";

const LAST = 20;
const confState = { ...EMPTY_CONF_STATE, voters: [1] };

function entries(): Entry[] {
  return Array.from({ length: LAST }, (_, at) => ({ term: 1, index: at + 1, type: "EntryNormal", data: EMPTY_BYTES }));
}

/** An executor whose state is a text; `chunks` returns the chunks of its snapshots. */
class TextExecutor implements Partial<AnyExecutor> {
  text = "";
  chunks: (text: string) => AsyncIterable<Uint8Array> = async function* (text) {
    yield new TextEncoder().encode(text);
  };
  snapshot(): AsyncIterable<Uint8Array> {
    return this.chunks(this.text);
  }
  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of content) text += new TextDecoder().decode(chunk);
    this.text = text;
  }
}

function start(appliedIndex: LogIndex, limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  const storage = new MemoryStorage({ confState, entries: entries() });
  const executor = new TextExecutor();
  const state = new ReplicatedState();
  state.confState = confState;
  const merged = { ...DEFAULT_LIMITS, ...limits };
  const snapshotter = new Snapshotter(storage, executor as unknown as AnyExecutor, state, merged, silentLogger);
  state.appliedIndex = appliedIndex;
  state.appliedTerm = 1;
  const install = async (metadata: { index: number; term: number }, compactTo: LogIndex) => {
    await storage.write({ snapshot: { metadata: { ...metadata, confState }, reset: false }, compactTo });
    return true;
  };
  return { storage, executor, state, snapshotter, install };
}

function offer(index: LogIndex) {
  const metadata = { index, term: 2, confState };
  return message({ type: "MsgSnap", from: 2, to: 1, snapshot: { metadata, data: EMPTY_BYTES } });
}

function stored(snapshotter: Snapshotter, asked: Message): SnapshotOffer {
  const offered = snapshotter.stored(asked);
  if (offered === undefined) throw new Error("the stored snapshot has no state");
  return offered;
}

const header = { sessions: [], members: { addresses: [], highestNodeId: 3 } };

/** Content with one chunk that never ends. */
async function* stalling(): AsyncIterable<Uint8Array> {
  yield encodeSnapshotHeader(header);
  await new Promise(() => {});
}

describe("taking a snapshot", () => {
  test("N1: it is of the moment of the call, however long it takes to write", async () => {
    const { executor, state, snapshotter, install } = start(10);
    executor.text = "then";
    const taken = snapshotter.take(install);
    executor.text = "now";
    state.appliedIndex = 15;
    expect(await taken).toMatchObject({ index: 10, term: 1 });
    // As after a restart with an empty state.
    state.appliedIndex = 0;
    await snapshotter.restore({ index: 10, term: 1, confState });
    expect(executor.text).toBe("then");
    expect(state.appliedIndex).toBe(10);
  });

  test("N2: the log is cut behind what is durable, and keeps what slow followers may need", async () => {
    const { snapshotter, install, storage } = start(10, { keepEntries: 4 });
    await snapshotter.take(install);
    expect(storage.firstIndex()).toBe(7);
    expect(storage.lastIndex()).toBe(LAST);
  });

  test("is due once enough was applied since the last one, and not while one is written", async () => {
    const { state, snapshotter, install } = start(10, { snapshotEveryEntries: 5 });
    expect(snapshotter.isDue).toBe(true);
    const taken = snapshotter.take(install);
    expect(snapshotter.isDue).toBe(false);
    await taken;
    expect(snapshotter.isDue).toBe(false);
    state.appliedIndex = 15;
    expect(snapshotter.isDue).toBe(true);
  });

  test("of nothing is nothing: a node that has just joined writes none", async () => {
    const { snapshotter, storage } = start(0);
    const metadata = await snapshotter.take(() => Promise.reject(new Error("installed")));
    expect(metadata.index).toBe(0);
    expect(storage.firstIndex()).toBe(1);
  });

  test("N3: one at a time, whether taken or received", async () => {
    const { snapshotter, install } = start(10);
    const taken = snapshotter.take(install);
    await expect(snapshotter.take(install)).rejects.toMatchObject({ code: "OVERLOADED" });
    await expect(snapshotter.receive(offer(30), stalling())).rejects.toMatchObject({ code: "OVERLOADED" });
    await taken;
    await snapshotter.take(install);
  });

  test("content that fails leaves nothing behind and does not keep the next one out", async () => {
    const { executor, snapshotter, install, storage } = start(10);
    executor.chunks = async function* () {
      yield new Uint8Array(1);
      throw new Error("cannot be read");
    };
    await expect(snapshotter.take(install)).rejects.toThrow("cannot be read");
    await expect(
      storage.write({ snapshot: { metadata: { index: 10, term: 1, confState }, reset: false } }),
      "nothing is spooled",
    ).rejects.toThrow("not spooled");
  });

  test("one that is not wanted any more is forgotten, and says so", async () => {
    const { snapshotter, storage } = start(10);
    await expect(snapshotter.take(async () => false)).rejects.toMatchObject({ code: "OVERLOADED" });
    await expect(
      storage.write({ snapshot: { metadata: { index: 10, term: 1, confState }, reset: false } }),
    ).rejects.toThrow("not spooled");
  });
});

describe("receiving a snapshot", () => {
  test("one that another has replaced before it could be put in force is passed over, the other is not", async () => {
    const { executor, state, snapshotter, storage } = start(10);
    for (const index of [30, 40]) {
      await snapshotter.receive(offer(index), withHeader(header, executor.chunks(`as of ${index}`)));
      await storage.write({ snapshot: { metadata: { index, term: 2, confState }, reset: true } });
    }
    await snapshotter.restore({ index: 30, term: 2, confState });
    expect(state.appliedIndex).toBe(10);
    await snapshotter.restore({ index: 40, term: 2, confState });
    expect(executor.text).toBe("as of 40");
    expect(state.appliedIndex).toBe(40);
  });

  test("stores it; put in force, it replaces state and executor", async () => {
    const { executor, state, snapshotter, storage } = start(10);
    const content = withHeader(
      header,
      (async function* () {
        yield new TextEncoder().encode("theirs");
      })(),
    );
    await snapshotter.receive(offer(30), content);
    const metadata = { index: 30, term: 2, confState };
    await storage.write({ snapshot: { metadata, reset: true } });
    await snapshotter.restore(metadata);
    expect(executor.text).toBe("theirs");
    expect(state).toMatchObject({ appliedIndex: 30, appliedTerm: 2 });
    expect(state.members.highestNodeId).toBe(3);
  });

  test("what the core does not want can be forgotten", async () => {
    const { snapshotter, storage } = start(10);
    const forget = await snapshotter.receive(offer(30), withHeader(header, (async function* () {})()));
    await forget();
    await expect(
      storage.write({ snapshot: { metadata: { index: 30, term: 2, confState }, reset: true } }),
    ).rejects.toThrow("not spooled");
  });

  test("content that this node could not restore is refused, and leaves nothing behind", async () => {
    const { snapshotter, storage } = start(10);
    const noise = async function* () {
      yield new Uint8Array(10);
    };
    await expect(snapshotter.receive(offer(30), noise())).rejects.toMatchObject({ code: "CODEC_INVALID" });
    await expect(
      storage.write({ snapshot: { metadata: { index: 30, term: 2, confState }, reset: true } }),
    ).rejects.toThrow("not spooled");
  });

  test("N4: a stopping node does not wait for content that never comes", async () => {
    const { snapshotter } = start(10);
    const received = snapshotter.receive(offer(30), stalling());
    await new Promise((resolve) => setImmediate(resolve));
    snapshotter.abort(new RaftError("NODE_STOPPED", "stopped"));
    await expect(received).rejects.toMatchObject({ code: "NODE_STOPPED" });
    await snapshotter.idle();
  });
});

describe("sending a snapshot", () => {
  const channel = (sendSnapshot: GroupChannel["sendSnapshot"]): GroupChannel => ({
    send: () => {},
    sendSnapshot,
    close: () => {},
  });

  test("streams the stored content and tells the outcome, never by throwing", async () => {
    const { executor, snapshotter, install } = start(10);
    executor.text = "state";
    const { index } = await snapshotter.take(install);
    const asked = message({
      type: "MsgSnap",
      to: 2,
      snapshot: { metadata: { index, term: 1, confState }, data: EMPTY_BYTES },
    });
    let bytes = 0;
    const reading = channel(async (_, content) => {
      for await (const chunk of content) bytes += chunk.length;
    });
    expect(await snapshotter.send(reading, stored(snapshotter, asked))).toBe("finish");
    expect(bytes).toBeGreaterThan("state".length);
    expect(
      await snapshotter.send(
        channel(() => Promise.reject(new Error("refused"))),
        stored(snapshotter, asked),
      ),
    ).toBe("failure");
  });

  test("lets go of the content also when the transport refuses before it reads, for the storage keeps it until then", async () => {
    const { snapshotter, install, storage } = start(10);
    const { index } = await snapshotter.take(install);
    let released = 0;
    storage.openSnapshot = () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true, value: undefined }),
        return: async () => {
          released++;
          return { done: true, value: undefined };
        },
      }),
    });
    const asked = message({
      type: "MsgSnap",
      to: 2,
      snapshot: { metadata: { index, term: 1, confState }, data: EMPTY_BYTES },
    });
    const refusing = channel(() => Promise.reject(new Error("no way there")));
    expect(await snapshotter.send(refusing, stored(snapshotter, asked))).toBe("failure");
    expect(released).toBe(1);
  });
});
