import { expect, test } from "vitest";
import { ManualClock } from "../../testing/internal/groups/manual-group.ts";
import { tickerOf } from "./ticker.ts";

test("K1: everyone is called once a tick, in the order of joining, and who sums up is called last", () => {
  const clock = new ManualClock();
  const ticker = tickerOf(clock, 50);
  const calls: string[] = [];
  ticker.afterTick(() => calls.push("sum"));
  for (const name of ["a", "b"]) ticker.onTick(() => calls.push(name));
  clock.tick();
  clock.tick();
  expect(calls).toEqual(["a", "b", "sum", "a", "b", "sum"]);
});

test("K1: who leaves during a tick is not called any more, who joins is called from the next one on", () => {
  const clock = new ManualClock();
  const ticker = tickerOf(clock, 50);
  const calls: string[] = [];
  ticker.onTick(() => {
    calls.push("a");
    leave();
    if (calls.length === 1) ticker.onTick(() => calls.push("new"));
  });
  const leave = ticker.onTick(() => calls.push("leaver"));
  ticker.onTick(() => calls.push("b"));
  clock.tick();
  clock.tick();
  expect(calls).toEqual(["a", "b", "a", "b", "new"]);
});

test("K2: there is one timer for all of a clock and a length of tick, and none once all have left", () => {
  const clock = new ManualClock();
  const leave = [1, 2, 3].map(() => tickerOf(clock, 50).onTick(() => {}));
  leave.push(tickerOf(clock, 50).afterTick(() => {}));
  expect(clock.timers).toBe(1);
  const other = tickerOf(clock, 20).onTick(() => {});
  expect(clock.timers).toBe(2);
  other();
  for (const each of leave) {
    expect(clock.timers).toBe(1);
    each();
    each();
  }
  expect(clock.timers).toBe(0);
  tickerOf(clock, 50).onTick(() => {});
  expect(clock.timers).toBe(1);
});

test("K3: a tick comes with those that were missed before it, once", () => {
  const clock = new ManualClock();
  const missed: number[] = [];
  clock.standStill(10_000);
  tickerOf(clock, 50).onTick((ticks) => missed.push(ticks));
  clock.tick();
  clock.standStill(49);
  clock.tick();
  clock.standStill(51);
  clock.tick();
  clock.standStill(500);
  clock.tick();
  clock.tick();
  expect(missed).toEqual([0, 0, 1, 10, 0]);
});
