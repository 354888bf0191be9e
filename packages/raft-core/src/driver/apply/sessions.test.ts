import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_SESSIONS, Sessions } from "./sessions.ts";

describe("sessions (thesis §6.3)", () => {
  test("SE1: a serial is admitted once, whatever the order and the floors of its retries", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ serial: fc.integer({ min: 1, max: 12 }), floor: fc.integer({ min: 1, max: 12 }) })),
        (proposals) => {
          const sessions = new Sessions();
          sessions.register(1);
          const admitted: number[] = [];
          proposals.forEach(({ serial, floor }, i) => {
            if (sessions.admit(1, serial, floor, i + 2) === "admitted") admitted.push(serial);
          });
          expect(new Set(admitted).size).toBe(admitted.length);
        },
      ),
    );
  });

  test("a serial below the floor is settled: a late copy of it is a duplicate", () => {
    const sessions = new Sessions();
    sessions.register(7);
    expect(sessions.admit(7, 5, 5, 8)).toBe("admitted");
    expect(sessions.admit(7, 3, 1, 9)).toBe("duplicate");
    expect(sessions.lookup(7, 3)).toBe("admitted");
    expect(sessions.lookup(7, 6)).toBe("unseen");
  });

  test("a floor beyond reason is taken without counting up to it", () => {
    const sessions = new Sessions();
    sessions.register(1);
    sessions.admit(1, 1, 1, 2);
    expect(sessions.admit(1, 2, Number.MAX_SAFE_INTEGER, 3)).toBe("admitted");
    expect(sessions.lookup(1, 1_000_000)).toBe("admitted");
    expect(sessions.toRecords()).toEqual([[1, Number.MAX_SAFE_INTEGER, 3, []]]);
  });

  test("SE2: an unknown session admits nothing", () => {
    expect(new Sessions().admit(9, 1, 1, 10)).toBe("expired");
  });

  test("the least recently used session goes first when there are too many", () => {
    const sessions = new Sessions();
    for (let index = 1; index <= MAX_SESSIONS; index++) sessions.register(index);
    sessions.admit(1, 1, 1, MAX_SESSIONS + 1);
    sessions.register(MAX_SESSIONS + 2);
    expect(sessions.size).toBe(MAX_SESSIONS);
    expect(sessions.lookup(1, 2)).toBe("unseen");
    expect(sessions.lookup(2, 1)).toBe("expired");
  });

  test("SE3: a table restored from its records decides as the original", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))), (proposals) => {
        const original = new Sessions();
        original.register(1);
        proposals.forEach(([serial, floor], i) => {
          original.admit(1, serial, floor, i + 2);
        });
        const restored = new Sessions();
        restored.restore(JSON.parse(JSON.stringify(original.toRecords())));
        for (let serial = 1; serial <= 10; serial++) {
          expect(restored.lookup(1, serial)).toBe(original.lookup(1, serial));
        }
      }),
    );
  });
});
