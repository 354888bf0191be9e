import { platformClock, RaftError } from "@raftoral/raft-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Attempt, askInTurns, type RoundOptions } from "./round.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const failed = (text: string): Attempt<string> => ({ kind: "failed", failure: new RaftError("NO_LEADER", text) });
const final = (text: string): Attempt<string> => ({ kind: "final", failure: new RaftError("NODE_UNKNOWN", text) });

/** Nodes that answer after some time, by address; those that are not there stay silent until their time is over. */
function round(
  answers: Record<string, { afterMs: number; attempt: Attempt<string> }>,
  options: Partial<RoundOptions<string>> = {},
) {
  const startMs = performance.now();
  const asked: [address: string, atMs: number, timeoutMs: number][] = [];
  const aborted: string[] = [];
  const passedOver: string[] = [];
  const outcome = askInTurns<string>({
    clock: platformClock,
    stop: undefined,
    addresses: ["a", "b", "c"],
    leftMs: 900,
    graceMs: 0,
    attemptMs: 10_000,
    sideBySide: true,
    passedOver: (address) => passedOver.push(address),
    ask: (address, timeoutMs, signal) => {
      asked.push([address, performance.now() - startMs, timeoutMs]);
      signal.addEventListener("abort", () => aborted.push(address));
      const { afterMs, attempt } = answers[address] ?? { afterMs: timeoutMs, attempt: failed(`${address} is silent`) };
      return new Promise((resolve) => setTimeout(() => resolve(attempt), afterMs));
    },
    ...options,
  });
  return { outcome, asked, aborted, passedOver };
}

const answer = (afterMs: number, value: string) => ({ afterMs, attempt: { kind: "answered", value } as const });

describe("asking nodes in turns", () => {
  test("R3: the caller's abort ends the round at once, and what is under way with it", async () => {
    const stop = new AbortController();
    const { outcome, asked, aborted } = round({ a: answer(100, "A") }, { stop: stop.signal });
    stop.abort();
    expect(await outcome).toEqual({ kind: "aborted" });
    await vi.runAllTimersAsync();
    expect([asked.map(([address]) => address), aborted]).toEqual([["a"], ["a"]]);
    const late = round({}, { stop: stop.signal });
    expect([await late.outcome, late.asked]).toEqual([{ kind: "aborted" }, []]);
  });

  test("the first answer is taken, and no other node is asked", async () => {
    const { outcome, asked } = round({ a: answer(100, "A") });
    await vi.runAllTimersAsync();
    expect(await outcome).toEqual({ kind: "answered", value: "A", address: "a" });
    expect(asked).toEqual([["a", 0, 900]]);
  });

  test("R1: silent nodes cost only their share of the time", async () => {
    const { outcome, asked, aborted, passedOver } = round({ c: answer(50, "C") });
    await vi.runAllTimersAsync();
    expect(await outcome).toEqual({ kind: "answered", value: "C", address: "c" });
    expect(asked).toEqual([
      ["a", 0, 900],
      ["b", 300, 600],
      ["c", 600, 300],
    ]);
    expect(passedOver).toEqual(["a", "b"]);
    expect(aborted).toEqual(["a", "b", "c"]);
  });

  test("a slow node may still be the first to answer", async () => {
    const { outcome, asked } = round({ a: answer(700, "A") });
    await vi.runAllTimersAsync();
    expect(await outcome).toEqual({ kind: "answered", value: "A", address: "a" });
    expect(asked).toHaveLength(3);
  });

  test("after a failure the next one is asked at once, with a larger share", async () => {
    const { outcome, asked } = round({ a: { afterMs: 10, attempt: failed("no") }, c: answer(5, "C") });
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ value: "C" });
    expect(asked.map(([address, atMs]) => [address, atMs])).toEqual([
      ["a", 0],
      ["b", 10],
      ["c", 455],
    ]);
  });

  test("R3: a failure that no other node would spare the caller ends it", async () => {
    const { outcome, asked } = round({
      a: { afterMs: 10, attempt: failed("no") },
      b: { afterMs: 5, attempt: final("none") },
    });
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ kind: "final", failure: { message: "none" } });
    expect(asked.map(([address]) => address)).toEqual(["a", "b"]);
  });

  test("R2: what must not be asked twice goes to the next node only after a failure", async () => {
    const { outcome, asked } = round({ b: answer(5, "B") }, { sideBySide: false, attemptMs: 500 });
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ value: "B" });
    expect(asked.map(([address, atMs]) => [address, atMs])).toEqual([
      ["a", 0],
      ["b", 500],
    ]);
  });

  test("without an end, each node has its own time", async () => {
    const options = { leftMs: Number.POSITIVE_INFINITY, attemptMs: 100 };
    const { outcome, asked } = round({ c: answer(5, "C") }, options);
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ value: "C" });
    expect(asked).toEqual([
      ["a", 0, 100],
      ["b", 100, 100],
      ["c", 200, 100],
    ]);
  });

  test("the grace is for answers on their way, and makes no turn longer", async () => {
    const { outcome, asked } = round({ c: answer(5, "C") }, { graceMs: 5_000 });
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ value: "C" });
    expect(asked).toEqual([
      ["a", 0, 5_900],
      ["b", 300, 5_600],
      ["c", 600, 5_300],
    ]);
  });

  test("when no node answers, all failures are there in their order", async () => {
    const { outcome } = round({ b: { afterMs: 0, attempt: failed("no") } });
    await vi.runAllTimersAsync();
    const { kind, ...rest } = await outcome;
    expect(kind).toBe("failed");
    expect("failures" in rest && rest.failures.map((failure) => failure.message)).toEqual([
      "no",
      "a is silent",
      "c is silent",
    ]);
  });
});
