import { randomBytes } from "node:crypto";
import { type BlobName, EMPTY_CONF_STATE } from "@raftoral/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { BlobWorld } from "../testing/blob-world.ts";
import { hashOfParts } from "./blob-bytes.ts";
import { decodeAnswer, encodeRequest, PART_BYTES } from "./blob-protocol.ts";
import { DEFAULT_BLOB_LIMITS } from "./blobs.ts";

const worlds: BlobWorld[] = [];
function world(...given: ConstructorParameters<typeof BlobWorld>): BlobWorld {
  const made = new BlobWorld(...given);
  worlds.push(made);
  return made;
}
afterEach(() => {
  for (const made of worlds.splice(0)) made.close();
});

const bytes = randomBytes(3 * PART_BYTES + 5);
const NAME: BlobName = { hash: hashOfParts([bytes]), length: bytes.length };

describe("keeping a value", () => {
  test("puts it on a majority before it resolves, and on the others soon after", async () => {
    const w = world([1, 2, 3]);
    expect(await w.node(1).blobs.keep(bytes, "it")).toEqual(NAME);
    expect((await w.holders(NAME)).length).toBeGreaterThanOrEqual(2);
    await expect.poll(() => w.holders(NAME)).toEqual([1, 2, 3]);
    for (const { blobs } of w.members.values())
      expect(Buffer.from(await blobs.read(NAME, "it")).equals(bytes)).toBe(true);
  });

  test("needs a majority, and not all", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(1).blobs.keep(bytes, "it");
    expect(await w.holders(NAME)).toEqual([1, 2]);
  });

  test("needs both majorities of a joint configuration", async () => {
    const w = world([1, 2, 3, 4, 5]);
    w.confState = { ...EMPTY_CONF_STATE, voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
    for (const node of [4, 5]) w.down.add(node);
    const keeping = w.node(1).blobs.keep(bytes, "it");
    keeping.catch(() => {});
    await expect.poll(() => w.holders(NAME)).toEqual([1, 2, 3]);
    let isKept = false;
    void keeping.then(() => {
      isKept = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isKept).toBe(false);
    w.down.delete(4);
    await w.clock.advance(5_000);
    await keeping;
    expect(await w.holders(NAME)).toContain(4);
  });

  test("fails without a majority, says who has it, and works later", async () => {
    const w = world([1, 2, 3]);
    for (const node of [2, 3]) w.down.add(node);
    const keeping = w.node(1).blobs.keep(bytes, "the result of run r");
    const failed = expect(keeping).rejects.toMatchObject({
      code: "BLOB_NOT_KEPT",
      retryable: true,
      details: { nodes: [1], of: "the result of run r" },
    });
    await expect.poll(() => w.holders(NAME)).toEqual([1]);
    await w.clock.advance(DEFAULT_BLOB_LIMITS.keepTimeoutMs);
    await failed;
    w.down.clear();
    await w.node(1).blobs.keep(bytes, "it");
    expect((await w.holders(NAME)).length).toBeGreaterThanOrEqual(2);
  });

  test("goes on where a transfer was cut", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(2).store.append(NAME, 0, bytes.subarray(0, 2 * PART_BYTES));
    await w.node(1).blobs.keep(bytes, "it");
    // An offer, and the two parts that were missing.
    expect(w.node(1).blobs.counts.sentBytes).toBe(bytes.length - 2 * PART_BYTES);
  });

  test("drops what a peer had wrong, and brings it all", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(2).store.append(NAME, 0, new Uint8Array(2 * PART_BYTES));
    await w.node(1).blobs.keep(bytes, "it");
    expect(await w.holders(NAME)).toEqual([1, 2]);
  });

  test("refuses what is too large", async () => {
    const w = world([1], { maxBytes: 100 });
    await expect(w.node(1).blobs.keep(new Uint8Array(101), "the input")).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: expect.stringContaining("101 bytes"),
    });
  });

  test("is done once for callers with the same value", async () => {
    const w = world([1, 2, 3]);
    await Promise.all(Array.from({ length: 5 }, () => w.node(1).blobs.keep(bytes, "it")));
    expect(w.node(1).blobs.counts).toMatchObject({ kept: 5 });
    expect(w.node(1).blobs.counts.sentBytes).toBeLessThanOrEqual(2 * bytes.length);
  });
});

describe("reading a value", () => {
  test("that is not here brings it from a member, whichever has it", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(1).blobs.keep(bytes, "it");
    w.down.clear();
    await w.node(2).store.delete(NAME.hash);
    expect(Buffer.from(await w.node(3).blobs.read(NAME, "it")).equals(bytes)).toBe(true);
    expect(await w.holders(NAME)).toEqual([1, 3]);
  });

  test("that no member has fails within its bound", async () => {
    const w = world([1, 2]);
    const reading = w.node(1).blobs.read(NAME, "the input of run r");
    const failed = expect(reading).rejects.toMatchObject({
      code: "BLOB_UNAVAILABLE",
      retryable: true,
      details: { blob: NAME.hash, bytes: NAME.length },
    });
    await w.clock.advance(DEFAULT_BLOB_LIMITS.readTimeoutMs);
    await failed;
  });

  test("does not take other bytes from a member that lies", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(1).blobs.keep(bytes, "it");
    w.down.clear();
    // Node 2 changes what it answers; node 1 has the right bytes.
    w.onAnswer = (from, _to, answer) =>
      from === 2 ? Uint8Array.from(answer, (byte, at) => (at > 100 ? byte ^ 1 : byte)) : answer;
    expect(Buffer.from(await w.node(3).blobs.read(NAME, "it")).equals(bytes)).toBe(true);
  });

  test("whose bytes the disk has changed deletes them, and brings it again", async () => {
    const w = world([1, 2, 3]);
    await w.node(1).blobs.keep(bytes, "it");
    const { store } = w.node(1);
    const read = store.read.bind(store);
    let isDamaged = true;
    store.read = async (name, offset, maxBytes) => {
      const part = await read(name, offset, maxBytes);
      return isDamaged ? part?.map((byte) => byte ^ 1) : part;
    };
    const { delete: deleted } = store;
    store.delete = async (hash) => {
      isDamaged = false;
      await deleted.call(store, hash);
    };
    expect(Buffer.from(await w.node(1).blobs.read(NAME, "it")).equals(bytes)).toBe(true);
    expect(isDamaged).toBe(false);
  });
});

describe("what the state names", () => {
  test("is fetched by a node that applies it without having it", async () => {
    const w = world([1, 2, 3]);
    w.down.add(3);
    await w.node(1).blobs.keep(bytes, "it");
    w.name(NAME);
    expect(await w.holders(NAME)).toEqual([1, 2]);
    await expect.poll(() => w.node(3).blobs.missing).toBe(1);
    w.down.clear();
    await w.clock.advance(60_000);
    await expect.poll(() => w.holders(NAME)).toEqual([1, 2, 3]);
    await expect.poll(() => w.node(3).blobs.missing).toBe(0);
  });

  test("is found by a node that starts, or restores a snapshot", async () => {
    const w = world([1, 2]);
    await w.node(1).blobs.keep(bytes, "it");
    const fresh = w.add(3);
    fresh.named.set(NAME.hash, NAME.length);
    fresh.blobs.restored();
    await expect.poll(() => w.holders(NAME)).toEqual([1, 2, 3]);
    expect(await fresh.blobs.complete(1_000)).toBe(true);
  });

  test("is not fetched any more once nothing names it", async () => {
    const w = world([1, 2]);
    w.name(NAME, [1]);
    await expect.poll(() => w.node(1).blobs.missing).toBe(1);
    w.node(1).named.clear();
    await w.clock.advance(60_000);
    await expect.poll(() => w.node(1).blobs.missing).toBe(0);
  });

  test("stays, however often a node looks", async () => {
    const w = world([1]);
    await w.node(1).blobs.keep(bytes, "it");
    w.name(NAME);
    for (let look = 0; look < 10; look++) await w.node(1).blobs.look();
    expect(await w.holders(NAME)).toEqual([1]);
  });
});

describe("what nothing names", () => {
  test("goes at the fourth look in a row, and its parts too", async () => {
    const w = world([1]);
    const { blobs, store } = w.node(1);
    await blobs.keep(bytes, "it");
    const other = { hash: "0".repeat(64), length: 100 };
    await store.append(other, 0, new Uint8Array(10));
    for (let look = 1; look <= 3; look++) await blobs.look();
    expect(await w.holders(NAME)).toEqual([1]);
    await blobs.look();
    expect(store.usage()).toEqual({ blobs: 0, bytes: 0 });
  });

  test("goes by itself after the grace", async () => {
    const w = world([1], { graceMs: 40_000 });
    await w.node(1).blobs.keep(bytes, "it");
    await w.clock.advance(39_000);
    expect(await w.holders(NAME)).toEqual([1]);
    await w.clock.advance(2_000);
    await expect.poll(() => w.holders(NAME)).toEqual([]);
  });

  test("begins to count again when it is kept, offered or fetched", async () => {
    const w = world([1, 2]);
    const { blobs } = w.node(1);
    await blobs.keep(bytes, "it");
    for (const touch of [
      () => blobs.keep(bytes, "it"),
      () => blobs.answer(encodeRequest({ kind: "offer", blob: NAME })),
      () => blobs.answer(encodeRequest({ kind: "fetch", blob: NAME, offset: 0 })),
    ]) {
      for (let look = 1; look <= 3; look++) await blobs.look();
      await touch();
    }
    for (let look = 1; look <= 3; look++) await blobs.look();
    expect(await w.holders(NAME)).toContain(1);
    await blobs.look();
    expect(await w.holders(NAME)).not.toContain(1);
  });

  test("does not go while there is no quorum, and begins to count again after", async () => {
    const w = world([1]);
    const { blobs } = w.node(1);
    await blobs.keep(bytes, "it");
    for (let look = 1; look <= 3; look++) await blobs.look();
    w.hasQuorum = false;
    await expect(blobs.look()).rejects.toThrow("no quorum");
    w.hasQuorum = true;
    for (let look = 1; look <= 3; look++) await blobs.look();
    expect(await w.holders(NAME)).toEqual([1]);
  });

  test("does not go while it is held", async () => {
    const w = world([1]);
    const { blobs } = w.node(1);
    await blobs.keep(bytes, "it");
    const release = blobs.hold();
    for (let look = 1; look <= 6; look++) await blobs.look();
    expect(await w.holders(NAME)).toEqual([1]);
    release();
    await blobs.look();
    expect(await w.holders(NAME)).toEqual([]);
  });
});

describe("a request that makes no sense", () => {
  const node = () => world([1]).node(1);
  const valid = { kind: "part", blob: NAME, offset: 0, data: new Uint8Array(10) } as const;
  test.each<[string, Uint8Array]>([
    ["of no bytes", new Uint8Array(0)],
    ["that is noise", randomBytes(100)],
    ["with a hash that is none", encodeRequest({ ...valid, blob: { hash: "abcd", length: 100 } })],
    ["about nothing", encodeRequest({ ...valid, blob: { ...NAME, length: 0 } })],
    ["about too much", encodeRequest({ ...valid, blob: { ...NAME, length: 2 ** 40 } })],
    ["beyond its blob's end", encodeRequest({ ...valid, offset: NAME.length })],
    ["with too much in one part", encodeRequest({ ...valid, data: new Uint8Array(PART_BYTES + 1) })],
  ])("is refused: one %s", async (_, request) => {
    const { blobs, store } = node();
    await expect(blobs.answer(request)).rejects.toThrow();
    expect(store.usage()).toEqual({ blobs: 0, bytes: 0 });
  });

  test("does nothing when its part is of another place, or of other bytes", async () => {
    const { blobs, store } = node();
    const answer = async (offset: number, data: Uint8Array) =>
      decodeAnswer(await blobs.answer(encodeRequest({ kind: "part", blob: NAME, offset, data })), NAME);
    expect(await answer(100, bytes.subarray(100, 200))).toMatchObject({ offset: 0, isWhole: false });
    expect(await answer(0, new Uint8Array(PART_BYTES))).toMatchObject({ offset: PART_BYTES });
    for (let at = PART_BYTES; at < bytes.length; at += PART_BYTES)
      await answer(at, bytes.subarray(at, at + PART_BYTES));
    expect(await store.offset(NAME)).toBe(0);
  });
});

test("ten thousand blobs are looked at in slices, and stay", async () => {
  const w = world([1]);
  const { blobs, store } = w.node(1);
  const names = Array.from({ length: 10_000 }, (_, i) => {
    const part = Uint8Array.of(i & 0xff, i >> 8);
    return { name: { hash: hashOfParts([part]), length: 2 }, part };
  });
  for (const { name, part } of names) await store.append(name, 0, part);
  for (const { name } of names.slice(0, 5_000)) w.name(name);
  for (let look = 1; look <= 4; look++) await blobs.look();
  expect(store.usage().blobs).toBe(5_000);
  expect(blobs.missing).toBe(0);
});
