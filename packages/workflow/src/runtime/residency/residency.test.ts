import { describe, expect, test } from "vitest";
import { HandClock } from "../../testing/hand-clock.ts";
import { LOOKS_PER_TURN, MAX_LOOKS, Residency, type Resident } from "./residency.ts";

/** A body that may leave at the second look, or when the test lets it. */
class Body implements Resident {
  readonly name: string;
  readonly gone: string[];
  looks = 0;
  /** Looks that it stays for at least; forever, unless `may` is called. */
  stays: Promise<void> | undefined = Promise.resolve();
  constructor(name: string, gone: string[]) {
    this.name = name;
    this.gone = gone;
  }
  staysUntil(): Promise<void> | undefined {
    this.looks += 1;
    const until = this.stays;
    if (this.looks === 1) this.stays = undefined;
    return until;
  }
  evict(): void {
    this.gone.push(this.name);
  }
}

function bodies(count: number, gone: string[]): Body[] {
  return Array.from({ length: count }, (_, at) => new Body(`b${at}`, gone));
}

/** A clock whose turns the test gives one by one. */
class TurnClock extends HandClock {
  #soon: (() => void)[] = [];
  override soon(fn: () => void): void {
    this.#soon.push(fn);
  }
  async turn(): Promise<void> {
    for (const fn of this.#soon.splice(0)) fn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  get isIdle(): boolean {
    return this.#soon.length === 0;
  }
}

async function untilIdle(clock: TurnClock): Promise<number> {
  let turns = 0;
  await new Promise((resolve) => setImmediate(resolve));
  for (; !clock.isIdle; turns++) await clock.turn();
  return turns;
}

describe("the bodies of a node", () => {
  test("that have rested longest leave, until there are as many as may be", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 3);
    const all = bodies(6, gone);
    for (const body of all) {
      residency.began();
      residency.rests(body, true);
    }
    // The first one has gone on, and rests again.
    residency.rests(all[0] as Body, false);
    residency.rests(all[0] as Body, true);
    await untilIdle(clock);
    expect(gone).toEqual(["b1", "b2", "b3"]);
    expect([residency.count, residency.evictions]).toEqual([3, 3]);
  });

  test("that work do not leave, however many there are", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 2);
    const all = bodies(5, gone);
    for (let at = 0; at < all.length; at++) residency.began();
    residency.rests(all[4] as Body, true);
    await untilIdle(clock);
    expect([gone, residency.count]).toEqual([["b4"], 4]);
  });

  test("are looked at over several turns of the event loop (RE2)", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 1);
    const all = bodies(LOOKS_PER_TURN * 3, gone);
    const [first, ...others] = all as [Body, ...Body[]];
    for (let at = 0; at < all.length; at++) residency.began();
    residency.rests(first, true);
    await untilIdle(clock);
    for (const body of others) residency.rests(body, true);
    for (let turn = 0; turn < 3; turn++) {
      const before = all.reduce((sum, { looks }) => sum + looks, 0);
      await clock.turn();
      expect(all.reduce((sum, { looks }) => sum + looks, 0) - before).toBeLessThanOrEqual(LOOKS_PER_TURN);
    }
    await untilIdle(clock);
    expect(gone).toHaveLength(all.length - 1);
  });

  test("leave as quickly as others begin, however many begin in a turn (RE2)", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 10);
    const perTurn = LOOKS_PER_TURN * 3;
    const all = bodies(perTurn * 20, gone);
    let most = 0;
    while (all.length > gone.length + 10) {
      const begun = gone.length + residency.count;
      for (const body of all.slice(begun, begun + perTurn)) {
        residency.began();
        residency.rests(body, true);
      }
      const looks = (): number => all.reduce((sum, body) => sum + body.looks, 0);
      const before = looks();
      await clock.turn();
      expect(looks() - before).toBeLessThanOrEqual(MAX_LOOKS);
      most = Math.max(most, residency.count);
    }
    expect(most).toBeLessThanOrEqual(10 + 2 * perTurn);
  });

  test("that may not leave yet are looked at again when that may have changed, and not before (RE3)", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 0);
    const body = new Body("slow", gone);
    const { promise, resolve } = Promise.withResolvers<void>();
    body.stays = promise;
    residency.began();
    residency.rests(body, true);
    await untilIdle(clock);
    expect([body.looks, gone]).toEqual([1, []]);
    resolve();
    await untilIdle(clock);
    expect([body.looks, gone]).toEqual([2, ["slow"]]);
  });

  test("that go on between two looks stay (RE1), and so do those that end", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 0);
    const [working, ended] = bodies(2, gone) as [Body, Body];
    for (const body of [working, ended]) {
      residency.began();
      residency.rests(body, true);
    }
    await clock.turn();
    residency.rests(working, false);
    residency.ended(ended);
    await untilIdle(clock);
    expect([gone, residency.count, residency.evictions]).toEqual([[], 1, 0]);
  });

  test("leave when somebody wants that, as soon as they rest, or tell that they are over", async () => {
    const [clock, gone] = [new TurnClock(), [] as string[]];
    const residency = new Residency(clock, 100);
    const [one, other] = bodies(2, gone) as [Body, Body];
    residency.began();
    residency.began();
    const wanted = [residency.want(one), residency.want(other)];
    await untilIdle(clock);
    expect(gone).toEqual([]);
    residency.rests(one, true);
    residency.ended(other);
    await untilIdle(clock);
    expect([gone, await Promise.all(wanted)]).toEqual([["b0"], [true, false]]);
  });
});
