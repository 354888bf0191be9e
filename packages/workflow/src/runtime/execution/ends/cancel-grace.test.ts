import type { Clock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { CancelGrace, LEAST_MS, MOST_SHIELDS } from "./cancel-grace.ts";

/** Time that passes when it is told to, within the call. */
class SteppedClock implements Pick<Clock, "after" | "monotonicMs"> {
  #nowMs = 0;
  readonly #timers = new Map<() => void, number>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    this.#timers.set(fn, this.#nowMs + delayMs);
    return () => void this.#timers.delete(fn);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const [fn, atMs] of this.#timers) {
      if (atMs > this.#nowMs) continue;
      this.#timers.delete(fn);
      fn();
    }
  }
}

function setUp(graceMs = 10_000) {
  const clock = new SteppedClock();
  let over = 0;
  const grace = new CancelGrace({
    clock,
    graceMs,
    onOver: () => {
      over += 1;
    },
  });
  return { clock, grace, over: () => over };
}

describe("the grace of a cancelled body", () => {
  test("is over after its time, once, and not before a cancellation", () => {
    const { clock, grace, over } = setUp();
    clock.advance(60_000);
    grace.begin();
    clock.advance(9_999);
    expect(over()).toBe(0);
    clock.advance(60_000);
    expect(over()).toBe(1);
  });

  test("does not count time in shields, those included that were open at the cancellation (CG1)", () => {
    const { clock, grace, over } = setUp();
    const first = grace.shield();
    grace.begin();
    clock.advance(60_000);
    const second = grace.shield();
    first();
    clock.advance(60_000);
    second();
    clock.advance(4_000);
    const third = grace.shield();
    clock.advance(60_000);
    third();
    clock.advance(5_999);
    expect(over()).toBe(0);
    clock.advance(1);
    expect(over()).toBe(1);
  });

  test("leaves the body some time after a shield that began in its last moment (CG1)", () => {
    const { clock, grace, over } = setUp();
    grace.begin();
    clock.advance(9_999);
    grace.shield()();
    clock.advance(LEAST_MS - 1);
    expect(over()).toBe(0);
    clock.advance(1);
    expect(over()).toBe(1);
  });

  test("is over in spite of shields when a body opens them without end (CG2)", () => {
    const { clock, grace, over } = setUp();
    grace.begin();
    for (let at = 0; at < MOST_SHIELDS + 1_000 && over() === 0; at++) {
      const end = grace.shield();
      clock.advance(1_000);
      end();
    }
    expect(over()).toBe(1);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(MOST_SHIELDS * 1_000);
  });

  test("is not over any more once the execution is", () => {
    const { clock, grace, over } = setUp();
    const end = grace.shield();
    grace.begin();
    grace.stop();
    end();
    clock.advance(60_000);
    expect(over()).toBe(0);
  });
});
