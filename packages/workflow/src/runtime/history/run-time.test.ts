import type { Clock } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { RunTime } from "./run-time.ts";

function clockAt(wall: number, monotonic: number) {
  const clock = { wall, monotonic };
  const unused = (): never => {
    throw new Error("not needed");
  };
  const port: Clock = {
    wallMs: () => clock.wall,
    monotonicMs: () => clock.monotonic,
    after: unused,
    every: unused,
    soon: unused,
  };
  return { clock, time: new RunTime(port) };
}

test("is the wall clock's while nothing is wrong", () => {
  const { clock, time } = clockAt(1_000, 5);
  expect(time.nowMs()).toBe(1_000);
  clock.wall = 1_500;
  clock.monotonic = 505;
  expect(time.nowMs()).toBe(1_500);
});

test("goes on when the wall clock is set back (T2, T3)", () => {
  const { clock, time } = clockAt(1_000, 5);
  expect(time.nowMs()).toBe(1_000);
  clock.wall = 200;
  clock.monotonic = 15;
  expect(time.nowMs()).toBe(1_010);
});

test("is not behind what is recorded, and goes on from there (T1, T2)", () => {
  const { clock, time } = clockAt(1_000, 0);
  time.observe(9_000);
  clock.wall = 1_100;
  clock.monotonic = 100.5;
  expect(time.nowMs()).toBe(9_100);
  time.observe(4_000);
  expect(time.nowMs()).toBe(9_100);
});

test("follows a wall clock that leaps ahead", () => {
  const { clock, time } = clockAt(1_000, 0);
  expect(time.nowMs()).toBe(1_000);
  clock.wall = 9_000;
  expect(time.nowMs()).toBe(9_000);
});
