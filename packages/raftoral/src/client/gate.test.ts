import { platformClock } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

const PATIENT = { timeoutMs: 10_000 };

test("as many as the limit are inside; the others follow in order as places become free", async () => {
  const gate = new Gate(2, platformClock);
  const entered: number[] = [];
  const calls = [1, 2, 3, 4].map((n) => gate.enter(PATIENT).then(() => entered.push(n)));
  await Promise.all(calls.slice(0, 2));
  expect([entered, gate.load, gate.waiting]).toEqual([[1, 2], 1, 2]);
  gate.leave();
  await calls[2];
  expect(entered).toEqual([1, 2, 3]);
  gate.leave();
  await calls[3];
  gate.leave();
  gate.leave();
  expect([entered, gate.load]).toEqual([[1, 2, 3, 4], 0]);
});

test("a call that waits too long is turned away and takes no place later", async () => {
  const gate = new Gate(1, platformClock);
  await gate.enter(PATIENT);
  expect(await gate.enter({ timeoutMs: 1 })).toBe(false);
  gate.leave();
  expect([gate.load, gate.waiting]).toEqual([0, 0]);
});

test("a call that is aborted while it waits is turned away and takes no place later", async () => {
  const gate = new Gate(1, platformClock);
  await gate.enter(PATIENT);
  const stop = new AbortController();
  const waiting = gate.enter({ timeoutMs: Number.POSITIVE_INFINITY, signal: stop.signal });
  stop.abort();
  expect(await waiting).toBe(false);
  expect(await gate.enter({ ...PATIENT, signal: stop.signal })).toBe(false);
  gate.leave();
  expect([gate.load, gate.waiting]).toEqual([0, 0]);
});

test("an opened gate holds no call back", async () => {
  const gate = new Gate(1, platformClock);
  await gate.enter(PATIENT);
  const waiting = [gate.enter(PATIENT), gate.enter(PATIENT)];
  gate.open();
  expect(await Promise.all(waiting)).toEqual([true, true]);
  for (let i = 0; i < 3; i++) gate.leave();
  expect(gate.load).toBe(0);
});
