import { describe, expect, test } from "vitest";
import { HandClock } from "../../testing/hand-clock.ts";
import { RunTime } from "../history/run-time.ts";
import { ALARMS_PER_TURN, SharedAlarms } from "./shared-alarms.ts";

function setUp() {
  const clock = new HandClock();
  const alarms = new SharedAlarms(clock);
  const fired: string[] = [];
  const startMs = clock.wallMs();
  const set = (name: string, afterMs: number) =>
    alarms.at(new RunTime(clock), startMs + afterMs, () => fired.push(name));
  return { clock, alarms, fired, set };
}

describe("shared alarms", () => {
  test("go off at their times, whatever the order is in which they were set", async () => {
    const { clock, alarms, fired, set } = setUp();
    set("late", 300);
    set("early", 100);
    set("over", -5);
    set("far", 40 * 86_400_000);
    expect(fired).toEqual([]);
    await clock.advance(100);
    expect(fired).toEqual(["over", "early"]);
    set("between", 200);
    await clock.advance(1_000);
    expect(fired).toEqual(["over", "early", "between", "late"]);
    expect(alarms.size).toBe(1);
    await clock.advance(40 * 86_400_000);
    expect(fired.at(-1)).toBe("far");
  });

  test("that were cancelled do not go off, and do not stay when there are many (SA3)", async () => {
    const { clock, alarms, fired, set } = setUp();
    set("kept", 200);
    for (let at = 0; at < 5_000; at++) alarms.cancel(set(`dropped ${at}`, 100));
    expect(alarms.size).toBe(1);
    expect(alarms.held).toBeLessThan(2_500);
    const twice = set("twice", 100);
    alarms.cancel(twice);
    alarms.cancel(twice);
    await clock.advance(200);
    expect([fired, alarms.size, alarms.held]).toEqual([["kept"], 0, 0]);
  });

  test("go off over several turns of the event loop, however many are due (SA2)", async () => {
    const { clock, alarms, fired, set } = setUp();
    for (let at = 0; at < ALARMS_PER_TURN * 3; at++) set(`${at}`, 100);
    const perTurn: number[] = [];
    const count = (): void => {
      const before = fired.length;
      setImmediate(() => {
        if (fired.length > before) perTurn.push(fired.length - before);
        if (fired.length < ALARMS_PER_TURN * 3) count();
      });
    };
    count();
    await clock.advance(100);
    expect(fired).toHaveLength(ALARMS_PER_TURN * 3);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(ALARMS_PER_TURN);
    expect(alarms.size).toBe(0);
  });

  test("whose run's time is behind go off when it has come", async () => {
    const { clock, alarms, fired } = setUp();
    const time = new RunTime(clock);
    const nowMs = time.nowMs();
    clock.setBack(50_000);
    alarms.at(time, nowMs + 1_000, () => fired.push("by the run's time"));
    alarms.at(new RunTime(clock), nowMs + 1_000, () => fired.push("by the wall clock"));
    await clock.advance(1_000);
    expect(fired).toEqual(["by the run's time"]);
    await clock.advance(50_000);
    expect(fired).toEqual(["by the run's time", "by the wall clock"]);
  });
});
