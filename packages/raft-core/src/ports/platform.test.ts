import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backgroundClock, platformClock } from "./platform.ts";

test("what is queued at the end of a turn runs in order, and what that queues runs before the next turn", async () => {
  const order: string[] = [];
  const nextTurn = new Promise<void>((resolve) => {
    platformClock.soon(() => {
      order.push("first");
      setImmediate(() => {
        order.push("next turn");
        resolve();
      });
      platformClock.soon(() => order.push("queued by the first"));
    });
  });
  platformClock.soon(() => order.push("second"));
  await nextTurn;
  expect(order).toEqual(["first", "second", "queued by the first", "next turn"]);
});

test("one who queues itself again and again does not keep the event loop to itself", async () => {
  let rounds = 0;
  let isOver = false;
  const again = (): void => {
    rounds++;
    if (!isOver) platformClock.soon(again);
  };
  platformClock.soon(again);
  await new Promise((resolve) => setTimeout(resolve, 1));
  isOver = true;
  expect(rounds).toBeGreaterThan(1);
});

describe.each([
  ["platformClock", platformClock],
  ["backgroundClock", backgroundClock],
])("timers of %s", (_name, clock) => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test.each([0, 1, 50, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 7, 3 * 2 ** 31])(
    "fire once after %d ms, and not before",
    (delayMs) => {
      let calls = 0;
      clock.after(delayMs, () => calls++);
      vi.advanceTimersByTime(Math.max(0, delayMs - 1));
      expect(calls).toBe(delayMs === 0 ? 1 : 0);
      vi.advanceTimersByTime(2);
      expect(calls).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test.each([Number.NaN, -5, Number.NEGATIVE_INFINITY])("are over at once for a delay of %d", (delayMs) => {
    let calls = 0;
    clock.after(delayMs, () => calls++);
    expect(calls).toBe(0);
    vi.advanceTimersByTime(0);
    expect(calls).toBe(1);
  });

  test("never fire after Infinity", () => {
    let calls = 0;
    const cancel = clock.after(Number.POSITIVE_INFINITY, () => calls++);
    vi.advanceTimersByTime(2 ** 40);
    expect(calls).toBe(0);
    cancel();
  });

  test("do not fire once cancelled, also in a later part of a long wait", () => {
    let calls = 0;
    const cancel = clock.after(2 ** 32, () => calls++);
    vi.advanceTimersByTime(2 ** 31 + 5);
    cancel();
    vi.advanceTimersByTime(2 ** 33);
    expect(calls).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([10, 2 ** 31, 2 ** 32])("repeat every %d ms until cancelled, also from within", (periodMs) => {
    let calls = 0;
    const cancel = clock.every(periodMs, () => {
      calls += 1;
      if (calls === 3) cancel();
    });
    vi.advanceTimersByTime(periodMs * 2 + 1);
    expect(calls).toBe(2);
    vi.advanceTimersByTime(periodMs * 5);
    expect(calls).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});
