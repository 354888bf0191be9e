import { describe, expect, test } from "vitest";
import { Slots } from "./slots.ts";

describe("slots", () => {
  test("are given out up to the capacity, then in order of arrival", () => {
    const slots = new Slots(2);
    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
    const order: number[] = [];
    for (let taker = 0; taker < 3000; taker++) slots.enqueue(() => order.push(taker));
    expect(slots.waiting).toBe(3000);
    for (let released = 0; released < 3000; released++) slots.release();
    expect(order).toEqual(Array.from({ length: 3000 }, (_, taker) => taker));
    expect([slots.taken, slots.waiting]).toEqual([2, 0]);
    slots.release();
    slots.release();
    expect(slots.taken).toBe(0);
    expect(slots.tryTake()).toBe(true);
  });

  test("pass over those that have stopped waiting, thousands of them too", () => {
    const slots = new Slots(1);
    slots.tryTake();
    const order: number[] = [];
    const stops = Array.from({ length: 10_000 }, (_, taker) => slots.enqueue(() => order.push(taker)));
    for (const [taker, stop] of stops.entries()) if (taker % 100 !== 7) expect(stop()).toBe(true);
    expect(slots.waiting).toBe(100);
    for (let released = 0; released < 100; released++) slots.release();
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at * 100 + 7));
    expect(stops[7]?.()).toBe(false);
    slots.release();
    expect([slots.taken, slots.waiting]).toEqual([0, 0]);
  });

  test("taken beyond the capacity are gone before another is given (SL1)", () => {
    const slots = new Slots(1);
    slots.tryTake();
    slots.takeBeyond();
    let isGiven = false;
    slots.enqueue(() => {
      isGiven = true;
    });
    slots.release();
    expect([slots.taken, isGiven]).toEqual([1, false]);
    slots.release();
    expect([slots.taken, isGiven]).toEqual([1, true]);
  });
});
