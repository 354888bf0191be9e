import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RunTime } from "../../history/run-time.ts";
import { alarmAt, delayed } from "../alarm.ts";
import { delayAfter, policyOf } from "./retry-policy.ts";

const LONGEST_MS = 100 * 366 * 86_400_000;

describe("the delay before an attempt", () => {
  test("is a whole number from 0 to the policy's longest one, whatever the policy and however many attempts", () => {
    fc.assert(
      fc.property(
        fc.record({
          attempts: fc.integer({ min: 1, max: 1_000_000 }),
          initialDelay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: LONGEST_MS })),
          maxDelay: fc.integer({ min: 0, max: LONGEST_MS }),
          factor: fc.double({ min: 1, max: 1000, noNaN: true }),
          jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (retry, attempt, random) => {
          const policy = policyOf({ retry });
          const delayMs = delayAfter(attempt, new Error(), policy, () => random);
          expect(Number.isInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(policy.maxDelayMs);
        },
      ),
    );
  });

  test("stays nothing without an initial delay, after thousands of attempts too", () => {
    const policy = policyOf({ retry: { attempts: 5000, initialDelay: 0 } });
    for (const attempt of [1, 1024, 1025, 4999]) expect(delayAfter(attempt, new Error(), policy, () => 0.5)).toBe(0);
  });

  test.each([
    { factor: Number.NaN },
    { factor: Number.POSITIVE_INFINITY },
    { factor: 0.5 },
    { jitter: Number.NaN },
    { jitter: -1 },
    { jitter: 2 },
    { attempts: 0 },
    { attempts: Number.NaN },
    { attempts: 1.5 },
    { attempts: Number.POSITIVE_INFINITY },
    { initialDelay: -1 },
    { initialDelay: Number.NaN },
    { maxDelay: Number.POSITIVE_INFINITY },
  ])("is refused where it would be no length of time: %o", (retry) => {
    expect(() => policyOf({ retry })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(INPUT|DURATION)_INVALID$/) }),
    );
  });
});

/** A clock that only notes what it is asked for. */
function notingClock() {
  const asked: number[] = [];
  let due: (() => void) | undefined;
  let nowMs = 0;
  return {
    asked,
    fire(afterMs: number) {
      nowMs += afterMs;
      due?.();
    },
    clock: {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      after: (delayMs: number, fn: () => void) => {
        asked.push(delayMs);
        due = fn;
        return () => {};
      },
      every: () => () => {},
      soon: () => {},
    },
  };
}

describe("timers of workflows", () => {
  test.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])("take %s as now, and fire once", (at) => {
    for (const set of ["alarm", "delay"] as const) {
      const { clock, asked, fire } = notingClock();
      let fired = 0;
      const fn = (): void => {
        fired += 1;
      };
      if (set === "alarm") alarmAt(clock, new RunTime(clock), at, fn);
      else delayed(clock, at, fn);
      fire(0);
      expect([asked, fired]).toEqual([[0], 1]);
    }
  });

  test.each([2 ** 31 - 1, 2 ** 31, 2 ** 40])(
    "never ask the platform for more than its longest timer: %d",
    (delayMs) => {
      const { clock, asked, fire } = notingClock();
      let fired = false;
      delayed(clock, delayMs, () => {
        fired = true;
      });
      for (let at = 0; !fired && at < 1000; at++) fire(asked.at(-1) ?? 0);
      expect(fired).toBe(true);
      expect(Math.max(...asked)).toBeLessThan(2 ** 31);
      expect(asked.reduce((sum, one) => sum + one, 0)).toBe(delayMs);
    },
  );
});
