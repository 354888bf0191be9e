import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

test("as many as the limit are inside; the others follow in order as places become free", async () => {
  const gate = new Gate(2);
  const entered: number[] = [];
  const calls = [1, 2, 3, 4].map((n) => gate.enter(10_000).then(() => entered.push(n)));
  await Promise.all(calls.slice(0, 2));
  expect([entered, gate.load]).toEqual([[1, 2], 1]);
  gate.leave();
  await calls[2];
  expect(entered).toEqual([1, 2, 3]);
  gate.leave();
  await calls[3];
  gate.leave();
  gate.leave();
  expect([entered, gate.load]).toEqual([[1, 2, 3, 4], 0]);
});

test("who waits too long is turned away and takes no place later", async () => {
  const gate = new Gate(1);
  await gate.enter(0);
  expect(await gate.enter(1)).toBe(false);
  gate.leave();
  expect(gate.load).toBe(0);
});

test("an opened gate holds nobody back", async () => {
  const gate = new Gate(1);
  await gate.enter(0);
  const waiting = [gate.enter(10_000), gate.enter(10_000)];
  gate.open();
  expect(await Promise.all(waiting)).toEqual([true, true]);
  for (let i = 0; i < 3; i++) gate.leave();
  expect(gate.load).toBe(0);
});
