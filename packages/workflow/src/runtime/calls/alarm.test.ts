import type { Clock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { RunTime } from "../history/run-time.ts";
import { alarmAt, delayed } from "./alarm.ts";

/** A clock whose timers fire when told to. */
class ManualClock implements Clock {
  now = 0;
  /** What the wall clock is off by. */
  offsetMs = 0;
  readonly timers: { delayMs: number; fn: () => void }[] = [];
  wallMs(): number {
    return this.now + this.offsetMs;
  }
  monotonicMs(): number {
    return this.now;
  }
  after(delayMs: number, fn: () => void): () => void {
    const timer = { delayMs, fn };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), 1);
  }
  every(): () => void {
    throw new Error("not needed");
  }
  soon(): void {
    throw new Error("not needed");
  }
  fire(): void {
    const timer = this.timers.shift();
    this.now += timer?.delayMs ?? 0;
    timer?.fn();
  }
}

describe("an alarm", () => {
  test("further away than a platform timer reaches is set in parts", () => {
    const clock = new ManualClock();
    let rang = false;
    const at = 3 * 2 ** 31;
    alarmAt(clock, new RunTime(clock), at, () => {
      rang = true;
    });
    for (let parts = 0; parts < 3; parts++) {
      expect(rang).toBe(false);
      expect(clock.timers[0]?.delayMs).toBeLessThan(2 ** 31);
      clock.fire();
    }
    clock.fire();
    expect([rang, clock.now]).toEqual([true, at]);
  });

  test("rings after as long as it was set for, though the wall clock is set back, and not at all when cancelled", () => {
    const clock = new ManualClock();
    let rings = 0;
    const time = new RunTime(clock);
    alarmAt(clock, time, 100, () => rings++);
    clock.offsetMs = -50;
    clock.fire();
    expect([rings, clock.now]).toEqual([1, 100]);
    const cancel = alarmAt(clock, time, 200, () => rings++);
    cancel();
    expect([rings, clock.timers]).toEqual([1, []]);
  });

  test("that rings early is set again for the rest", () => {
    const clock = new ManualClock();
    let rings = 0;
    alarmAt(clock, new RunTime(clock), 100, () => rings++);
    const [timer] = clock.timers.splice(0);
    clock.now = 99;
    timer?.fn();
    expect([rings, clock.timers[0]?.delayMs]).toEqual([0, 1]);
  });
});

describe("a delay", () => {
  test("longer than a platform timer's is waited for in parts, and can be cancelled in each", () => {
    const clock = new ManualClock();
    let calls = 0;
    delayed(clock, 2 ** 31 + 5, () => calls++);
    clock.fire();
    expect([calls, clock.timers.map(({ delayMs }) => delayMs)]).toEqual([0, [6]]);
    clock.fire();
    expect(calls).toBe(1);
    const cancel = delayed(clock, 2 ** 31 + 5, () => calls++);
    clock.fire();
    cancel();
    expect([calls, clock.timers]).toEqual([1, []]);
  });
});
