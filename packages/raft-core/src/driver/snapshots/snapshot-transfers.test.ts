import { expect, test } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import { SnapshotTransfers } from "./snapshot-transfers.ts";

test("a transfer shows how far it is and how fast, and is gone when it ends, resumed parts counted once", async () => {
  let nowMs = 1_000;
  const clock = { monotonicMs: () => nowMs, wallMs: () => 70_000 + nowMs } as Clock;
  const transfers = new SnapshotTransfers(clock);
  const bytes = new Uint8Array(400);
  const from = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < 400; at += 100) yield bytes.subarray(at, at + 100);
  };
  const content = { fixed: { totalBytes: 400, crc32: 0, from }, [Symbol.asyncIterator]: () => from(0) };
  await transfers.during({ direction: "send", peer: 3, index: 50 }, async (counted) => {
    const stream = counted(content);
    const first = stream[Symbol.asyncIterator]();
    await first.next();
    await first.next();
    nowMs += 500;
    const status = { direction: "send", peer: 3, delegate: undefined, index: 50, bytesTotal: 400, startedAtMs: 71_000 };
    expect(transfers.status()).toEqual([{ ...status, bytesDone: 200, bytesPerSecond: 400 }]);
    // The transfer is interrupted, and resumed from an earlier position.
    const again = stream.fixed?.from(100)[Symbol.asyncIterator]();
    await again?.next();
    expect(transfers.status()).toEqual([{ ...status, bytesDone: 200, bytesPerSecond: 400 }]);
  });
  expect(transfers.status()).toEqual([]);
});

test("a transfer that fails is gone, too", async () => {
  const transfers = new SnapshotTransfers({ monotonicMs: () => 0, wallMs: () => 0 } as Clock);
  const failed = transfers.during({ direction: "receive", peer: 1, index: 5 }, () => Promise.reject(new Error("cut")));
  await expect(failed).rejects.toThrow("cut");
  expect(transfers.status()).toEqual([]);
});
