import { describe, expect, test } from "vitest";
import type { Call, Operation } from "../client/history.ts";
import { Random } from "../world/random.ts";
import { checkRegister } from "./checker.ts";
import { afterCall, INITIAL } from "./register.ts";

const READ: Operation = { kind: "read" };
const write = (value: number): Operation => ({ kind: "write", value });
const cas = (expected: number, value: number): Operation => ({ kind: "cas", expected, value });

let nextId = 1;
/** `outcome`: the value read, or whether it swapped. Without a return the call is open. */
function call(operation: Operation, calledAt: number, returnedAt?: number, outcome: number | boolean = 0): Call {
  return {
    id: nextId++,
    key: "k",
    operation,
    calledAt,
    returnedAt,
    value: typeof outcome === "number" ? outcome : 0,
    swapped: outcome === true,
    refused: false,
  };
}

const verdict = (...calls: Call[]) => checkRegister(calls, 100_000);

describe("one after another", () => {
  test("a read sees the last write", () => {
    expect(verdict(call(write(1), 0, 1), call(READ, 2, 3, 1))).toBe("linearizable");
    expect(verdict(call(write(1), 0, 1), call(write(2), 2, 3), call(READ, 4, 5, 1))).toBe("not-linearizable");
  });

  test("a register begins at 0", () => {
    expect(verdict(call(READ, 0, 1, 0))).toBe("linearizable");
    expect(verdict(call(READ, 0, 1, 7))).toBe("not-linearizable");
  });

  test("a compare-and-set swaps exactly when it meets what it expects", () => {
    expect(verdict(call(write(1), 0, 1), call(cas(1, 2), 2, 3, true), call(READ, 4, 5, 2))).toBe("linearizable");
    expect(verdict(call(write(1), 0, 1), call(cas(1, 2), 2, 3, false))).toBe("not-linearizable");
    expect(verdict(call(write(1), 0, 1), call(cas(9, 2), 2, 3, true))).toBe("not-linearizable");
  });
});

describe("at the same time", () => {
  test("a read may see a write or not", () => {
    expect(verdict(call(write(1), 0, 3), call(READ, 1, 2, 0))).toBe("linearizable");
    expect(verdict(call(write(1), 0, 3), call(READ, 1, 2, 1))).toBe("linearizable");
  });

  test("two reads that follow each other cannot see a write and then no longer", () => {
    expect(verdict(call(write(1), 0, 9), call(READ, 1, 2, 1), call(READ, 3, 4, 0))).toBe("not-linearizable");
  });

  test("two compare-and-sets cannot both swap the same value", () => {
    expect(verdict(call(cas(0, 1), 0, 3, true), call(cas(0, 2), 1, 2, true))).toBe("not-linearizable");
  });
});

describe("a call that never returned", () => {
  test("may take effect at any later moment", () => {
    expect(verdict(call(write(1), 0), call(READ, 1, 2, 0), call(READ, 3, 4, 1))).toBe("linearizable");
  });

  test("or never", () => {
    expect(verdict(call(write(1), 0), call(READ, 1, 2, 0), call(READ, 3, 4, 0))).toBe("linearizable");
  });

  test("takes effect once", () => {
    const history = [call(write(1), 0), call(READ, 1, 2, 1), call(write(2), 3, 4), call(READ, 5, 6, 1)];
    expect(verdict(...history)).toBe("not-linearizable");
  });

  test("does not take effect before it was called", () => {
    expect(verdict(call(READ, 0, 1, 1), call(write(1), 2))).toBe("not-linearizable");
  });
});

test("a search that is given up is unknown, not passed", () => {
  const calls = Array.from({ length: 12 }, (_, at) => call(write(at + 1), at, 100 + at));
  expect(checkRegister([...calls, call(READ, 200, 201, 99)], 50)).toBe("unknown");
});

/** Whether any order of all calls, and of any of the open ones, explains the history: what the checker decides, by brute force. */
function hasLinearOrder(calls: readonly Call[], value: number): boolean {
  const closed = calls.filter(({ returnedAt }) => returnedAt !== undefined);
  if (closed.length === 0) return true;
  const firstReturn = Math.min(...closed.map(({ returnedAt }) => returnedAt ?? 0));
  return calls.some((one) => {
    if (one.calledAt > firstReturn) return false;
    const next = afterCall(value, one);
    if (next === undefined) return false;
    return hasLinearOrder(
      calls.filter((other) => other !== one),
      next,
    );
  });
}

test("agrees with trying every order, on random histories", () => {
  const random = new Random(42);
  const seen = { linearizable: 0, "not-linearizable": 0, unknown: 0 };
  for (let round = 0; round < 3_000; round++) {
    const times = random.shuffled(Array.from({ length: 12 }, (_, at) => at));
    const calls = Array.from({ length: 6 }, (_, at) => {
      const [a = 0, b = 0] = times.slice(2 * at, 2 * at + 2);
      const operation = random.oneOf<Operation>(READ, write(random.below(3)), cas(random.below(3), random.below(3)));
      const outcome = operation.kind === "cas" ? random.chance(0.5) : random.below(3);
      return call(operation, Math.min(a, b), random.chance(0.2) ? undefined : Math.max(a, b), outcome);
    });
    const expected = hasLinearOrder(
      calls.filter(({ operation, returnedAt }) => returnedAt !== undefined || operation.kind !== "read"),
      INITIAL,
    );
    const found = verdict(...calls);
    seen[found]++;
    expect(found, JSON.stringify(calls)).toBe(expected ? "linearizable" : "not-linearizable");
  }
  expect(Math.min(seen.linearizable, seen["not-linearizable"]), "both verdicts occur").toBeGreaterThan(300);
});
