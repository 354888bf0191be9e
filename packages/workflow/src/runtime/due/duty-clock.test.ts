import { describe, expect, test } from "vitest";
import { DutyClock, SETTLE_MS } from "./duty-clock.ts";

const HOUR_MS = 3_600_000;

/** A wall clock that jumps when the test says so. */
function clocks() {
  const at = { monotonicMs: 500, offsetMs: 1_700_000_000_000 };
  const clock = {
    wallMs: () => at.monotonicMs + at.offsetMs,
    monotonicMs: () => at.monotonicMs,
    after: () => () => {},
    every: () => () => {},
    soon: () => {},
  };
  return { at, clock, time: new DutyClock(clock) };
}

describe("the leader's time", () => {
  test.each([HOUR_MS, -HOUR_MS])("does not follow a jump by %i ms that is taken back (DC1)", (jumpMs) => {
    const { at, clock, time } = clocks();
    at.offsetMs += jumpMs;
    for (let second = 0; second < SETTLE_MS / 1000; second++) {
      expect(time.now().timeOfDayMs).toBe(clock.wallMs() - jumpMs);
      at.monotonicMs += 1000;
    }
    at.offsetMs -= jumpMs;
    expect(time.now()).toEqual({ timeOfDayMs: clock.wallMs(), delaysMs: clock.wallMs() });
    // The next one has to stand as long, too.
    at.offsetMs += jumpMs;
    expect(time.now().timeOfDayMs).toBe(clock.wallMs() - jumpMs);
  });

  test.each([HOUR_MS, -HOUR_MS])("follows a jump by %i ms that stands, but for delays (DC1, DC2)", (jumpMs) => {
    const { at, clock, time } = clocks();
    at.offsetMs += jumpMs;
    time.now();
    at.monotonicMs += SETTLE_MS;
    expect(time.now()).toEqual({ timeOfDayMs: clock.wallMs(), delaysMs: clock.wallMs() - jumpMs });
    time.begin();
    expect(time.now()).toEqual({ timeOfDayMs: clock.wallMs(), delaysMs: clock.wallMs() });
  });

  test("follows a clock that is slowly set right (DC2)", () => {
    const { at, clock, time } = clocks();
    for (let step = 0; step < 100; step++) {
      at.monotonicMs += 1000;
      at.offsetMs += 400;
      expect(time.now()).toEqual({ timeOfDayMs: clock.wallMs(), delaysMs: clock.wallMs() });
    }
  });
});
