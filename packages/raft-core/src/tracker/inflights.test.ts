import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import { Inflights } from "./inflights.ts";

describe("Inflights", () => {
  test("is full at its count, and free again from the front", () => {
    const inflights = new Inflights(3);
    for (const index of [5, 6, 9]) inflights.add(index, 100);
    expect(inflights.full()).toBe(true);
    inflights.freeLE(4);
    expect(inflights.count).toBe(3);
    inflights.freeLE(8);
    expect(inflights.count).toBe(1);
    expect(inflights.bytes).toBe(100);
    expect(inflights.full()).toBe(false);
    inflights.freeLE(9);
    expect(inflights.count).toBe(0);
    expect(inflights.bytes).toBe(0);
  });

  test("is full once its bytes are reached, by the message that reaches them (I2)", () => {
    const inflights = new Inflights(100, 250);
    inflights.add(1, 249);
    expect(inflights.full()).toBe(false);
    inflights.add(2, 1000);
    expect(inflights.full()).toBe(true);
    expect(() => inflights.add(3, 0)).toThrow(InvariantViolation);
    inflights.freeLE(2);
    expect(inflights.full()).toBe(false);
  });

  test("without a limit of bytes takes any number of them", () => {
    const inflights = new Inflights(2);
    inflights.add(1, Number.MAX_SAFE_INTEGER);
    expect(inflights.full()).toBe(false);
  });

  test("forgets everything when reset", () => {
    const inflights = new Inflights(2);
    inflights.add(1, 10);
    inflights.add(2, 10);
    inflights.reset();
    expect(inflights.count).toBe(0);
    inflights.add(1, 7);
    expect(inflights.bytes).toBe(7);
  });

  test("copies share nothing", () => {
    const inflights = new Inflights(4);
    inflights.add(1, 10);
    const copy = inflights.clone();
    copy.add(2, 5);
    inflights.freeLE(1);
    expect([inflights.count, copy.count, copy.bytes]).toEqual([0, 2, 15]);
  });

  test("behaves as a list does, whatever is added and freed", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ add: fc.integer({ min: 1, max: 3 }), bytes: fc.integer({ min: 0, max: 50 }) }),
        fc.record({ free: fc.integer({ min: 0, max: 12 }) }),
      ),
      { maxLength: 200 },
    );
    const property = fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 300 }),
      steps,
      (max, maxBytes, all) => {
        const inflights = new Inflights(max, maxBytes);
        let list: { index: number; bytes: number }[] = [];
        let last = 0;
        for (const step of all) {
          if ("add" in step) {
            if (inflights.full()) continue;
            last += step.add;
            inflights.add(last, step.bytes);
            list.push({ index: last, bytes: step.bytes });
          } else {
            const upTo = (list[0]?.index ?? last) + step.free - 1;
            inflights.freeLE(upTo);
            list = list.filter(({ index }) => index > upTo);
          }
          const bytes = list.reduce((sum, one) => sum + one.bytes, 0);
          expect(inflights.count).toBe(list.length);
          expect(inflights.bytes).toBe(bytes);
          expect(inflights.full()).toBe(list.length === max || (maxBytes !== 0 && bytes >= maxBytes));
        }
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});
