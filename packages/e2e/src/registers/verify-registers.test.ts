import { type Call, History, type Operation } from "@raftoral/simulation/linearizability";
import { describe, expect, test } from "vitest";
import type { Register } from "./register-command.ts";
import { verifyRegisters } from "./verify-registers.ts";

const READ: Operation = { kind: "read" };
const write = (value: number): Operation => ({ kind: "write", value });

/** A history of calls one after the other on register `k`; an outcome of undefined is not known. */
function historyOf(...calls: readonly [operation: Operation, value: number | "refused" | undefined][]): History {
  const history = new History(() => 0);
  for (const [operation, outcome] of calls) {
    const call: Call = history.begin("k", operation);
    if (outcome === "refused") call.refused = true;
    else if (outcome !== undefined) history.end(call, outcome, false);
  }
  return history;
}

const register = (value: number, ...ids: readonly number[]): readonly Register[] => [{ key: "k", value, ids }];

/** The same on three nodes, unless more are given. */
function verify(history: History, first: readonly Register[], ...others: readonly (readonly Register[])[]) {
  const copies = others.length === 0 ? [first, first, first] : [first, ...others];
  return verifyRegisters(history, new Map(copies.map((copy, i) => [i + 1, copy])));
}

test("what clients were told, and what they were not, is counted", () => {
  const history = historyOf(
    [write(1), 1],
    [write(2), undefined],
    [write(3), undefined],
    [write(4), "refused"],
    [READ, 2],
  );
  expect(verify(history, register(2, 1, 2))).toEqual({
    registers: 1,
    unfinished: [],
    acknowledged: 2,
    refused: 1,
    unknown: 2,
    unknownApplied: 1,
  });
});

describe("it is refused that", () => {
  test.each<[what: string, history: History, copies: readonly (readonly Register[])[], message: RegExp]>([
    [
      "an acknowledged command is lost",
      historyOf([write(1), 1], [write(2), 2]),
      [register(1, 1)],
      /#2 write of k was acknowledged, and is not/,
    ],
    ["a command is applied twice", historyOf([write(1), 1]), [register(1, 1, 1)], /#1 was applied twice/],
    [
      "a refused command is applied",
      historyOf([write(1), "refused"]),
      [register(1, 1)],
      /#1 was refused, and was applied/,
    ],
    [
      "there is a command that no client asked for",
      historyOf([write(1), 1]),
      [register(1, 1, 7)],
      /#7 was applied, and no client/,
    ],
    [
      "a node has another value",
      historyOf([write(1), 1]),
      [register(1, 1), register(2, 1)],
      /k differs:\nnode 1:.*\nnode 2/,
    ],
    ["a node lacks a register", historyOf([write(1), 1]), [register(1, 1), []], /k differs/],
    ["a node has a register more", historyOf([write(1), 1]), [[], register(1, 1)], /k differs/],
    [
      "a read is stale",
      historyOf([write(1), 1], [write(2), 2], [READ, 1]),
      [register(2, 1, 2)],
      /not linearizable:\n#1 \[0, 1\) write 1: 1/,
    ],
  ])("%s", (_what, history, copies, message) => {
    const [first = [], ...others] = copies;
    expect(() => verify(history, first, ...others)).toThrow(message);
  });
});
