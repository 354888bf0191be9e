import { expect, test } from "vitest";
import { RaftError } from "../../errors.ts";
import { Conditions } from "./conditions.ts";

const late = () => new RaftError("DEADLINE_EXCEEDED", "too late");

test("what is met already resolves at once, without a check", async () => {
  await new Conditions().until(() => true, 0, late);
});

test("resolves at the first check at which it is met, even past the deadline", async () => {
  const conditions = new Conditions();
  let isMet = false;
  const waiting = conditions.until(() => isMet, 100, late);
  conditions.check(99);
  isMet = true;
  conditions.check(101);
  await waiting;
});

test("rejects once its deadline has come, and is not asked again", async () => {
  const conditions = new Conditions();
  let asked = 0;
  const waiting = conditions.until(
    () => {
      asked++;
      return false;
    },
    100,
    late,
  );
  conditions.check(100);
  await expect(waiting).rejects.toThrow("too late");
  conditions.check(101);
  expect(asked).toBe(2);
});

test("one that is settled does not disturb the others", async () => {
  const conditions = new Conditions();
  let isMet = false;
  const first = conditions.until(() => false, 10, late);
  const second = conditions.until(() => isMet, 100, late);
  conditions.check(10);
  await expect(first).rejects.toThrow("too late");
  isMet = true;
  conditions.check(11);
  await second;
});

test("the end fails who waits and who comes later, met or not", async () => {
  const conditions = new Conditions();
  const waiting = conditions.until(() => false, 100, late);
  conditions.close(new RaftError("NODE_STOPPED", "stopped"));
  await expect(waiting).rejects.toMatchObject({ code: "NODE_STOPPED" });
  await expect(conditions.until(() => true, 100, late)).rejects.toMatchObject({ code: "NODE_STOPPED" });
});
