import type { Http2Session } from "node:http2";
import { type Clock, platformClock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { Keepalive } from "./keepalive.ts";

/** A session whose pings the test answers, and a clock whose interval it strikes. */
function setUp(misses: number) {
  const socket = { bytesRead: 100 };
  const pings: ((error: Error | null, ms: number) => void)[] = [];
  const session = {
    destroyed: false,
    socket,
    ping: (answer: (error: Error | null, ms: number) => void) => pings.push(answer),
  };
  let strike = (): void => {};
  const clock: Clock = {
    ...platformClock,
    every: (_ms, fn) => {
      strike = fn;
      return () => {
        strike = () => {};
      };
    },
  };
  const deaths: string[] = [];
  const roundTrips: number[] = [];
  const keepalive = new Keepalive({
    session: session as unknown as Http2Session,
    clock,
    intervalMs: 1000,
    misses,
    roundTrip: (ms) => roundTrips.push(ms),
    dead: (reason) => deaths.push(reason),
  });
  return { keepalive, socket, session, pings, deaths, roundTrips, beat: () => strike() };
}

describe("Keepalive", () => {
  test("gives up after so many pings without an answer, once, and stops pinging", () => {
    const { beat, pings, deaths } = setUp(3);
    for (let i = 0; i < 10; i++) beat();
    expect(pings).toHaveLength(3);
    expect(deaths).toEqual(["no answer to 3 pings"]);
  });

  test("goes on for as long as any ping is answered, and tells how long that took", () => {
    const { beat, pings, deaths, roundTrips } = setUp(3);
    for (let i = 0; i < 20; i++) {
      beat();
      if (i % 3 === 2) pings.at(-1)?.(null, i);
    }
    expect(deaths).toEqual([]);
    expect(roundTrips).toEqual([2, 5, 8, 11, 14, 17]);
  });

  test("takes bytes that come in for a sign of life: on a slow link the answer is behind them (K2)", () => {
    const { beat, socket, deaths } = setUp(3);
    for (let i = 0; i < 20; i++) {
      if (i % 3 === 2) socket.bytesRead += 1;
      beat();
    }
    expect(deaths).toEqual([]);
    for (let i = 0; i < 4; i++) beat();
    expect(deaths).toHaveLength(1);
  });

  test("takes an error for no answer, and says nothing once it was stopped", () => {
    const { beat, pings, deaths, roundTrips, keepalive } = setUp(3);
    for (let i = 0; i < 3; i++) {
      beat();
      pings.at(-1)?.(new Error("cancelled"), 0);
    }
    keepalive.stop();
    pings.at(-1)?.(null, 1);
    beat();
    expect([deaths, roundTrips]).toEqual([[], []]);
    const other = setUp(3);
    for (let i = 0; i < 4; i++) {
      other.beat();
      other.pings.at(-1)?.(new Error("cancelled"), 0);
    }
    expect(other.deaths).toHaveLength(1);
  });

  test("outlives a session that was destroyed meanwhile, without a ping", () => {
    const { beat, session, pings, deaths } = setUp(2);
    session.destroyed = true;
    for (let i = 0; i < 5; i++) beat();
    expect(pings).toEqual([]);
    expect(deaths).toHaveLength(1);
  });
});
