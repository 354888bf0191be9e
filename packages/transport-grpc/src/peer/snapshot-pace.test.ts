import type { Clock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { SnapshotPace } from "./snapshot-pace.ts";

/** A clock on which waiting takes no time: it jumps. */
function jumpingClock() {
  const clock = { nowMs: 0, waits: 0 };
  const port = {
    monotonicMs: () => clock.nowMs,
    after: (delayMs: number, fn: () => void) => {
      clock.waits += 1;
      clock.nowMs += delayMs;
      fn();
      return () => {};
    },
  } as Clock;
  return { clock, port };
}

describe("the pace of snapshots", () => {
  test("lets at most the rate through, and a burst of 50 ms", async () => {
    const { clock, port } = jumpingClock();
    const pace = new SnapshotPace(port, 1_000_000);
    for (let taken = 0; taken < 10_000_000; taken += 100_000) await pace.take(100_000);
    expect(clock.nowMs).toBeGreaterThanOrEqual(10_000 - 50);
    expect(clock.nowMs).toBeLessThan(10_001);
  });

  test("does not save up what was not used", async () => {
    const { clock, port } = jumpingClock();
    const pace = new SnapshotPace(port, 1_000_000);
    clock.nowMs = 60_000;
    for (let taken = 0; taken < 1_000_000; taken += 100_000) await pace.take(100_000);
    expect(clock.nowMs).toBeGreaterThanOrEqual(60_950);
  });

  test("waits for nothing without a limit", async () => {
    const { clock, port } = jumpingClock();
    const pace = new SnapshotPace(port, 0);
    for (let i = 0; i < 100; i++) await pace.take(1_000_000_000);
    expect(clock.waits).toBe(0);
  });
});
