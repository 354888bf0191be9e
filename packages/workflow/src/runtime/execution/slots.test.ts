import { describe, expect, test } from "vitest";
import { Slots } from "./slots.ts";

describe("slots", () => {
  test("are given out up to the capacity, then in order of arrival", async () => {
    const slots = new Slots(2);
    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
    const order: number[] = [];
    const takers = Array.from({ length: 3000 }, (_, taker) => slots.take().then(() => order.push(taker)));
    expect(slots.waiting).toBe(3000);
    for (let released = 0; released < 3000; released++) slots.release();
    await Promise.all(takers);
    expect(order).toEqual(Array.from({ length: 3000 }, (_, taker) => taker));
    expect([slots.taken, slots.waiting]).toEqual([2, 0]);
    slots.release();
    slots.release();
    expect(slots.taken).toBe(0);
    expect(slots.tryTake()).toBe(true);
  });
});
