import type { Clock } from "@raftoral/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Slots } from "../execution/slots.ts";
import { Activity } from "./activity.ts";

/** A clock whose turns are taken when told to. */
class Turns {
  #queue: (() => void)[] = [];
  readonly clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    after: () => () => {},
    every: () => () => {},
    soon: (fn) => void this.#queue.push(fn),
  };

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      for (const fn of this.#queue.splice(0)) fn();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

/** One body, and what the test knows of it. */
interface Body {
  readonly activity: Activity;
  /** Ways to settle what is open. */
  readonly works: (() => void)[];
  readonly parks: (() => void)[];
  /** Calls that have not settled. */
  open: number;
  isEnded: boolean;
  isHurried: boolean;
  /** Calls that went on after the end. */
  late: number;
}

type Action = readonly [kind: "begin" | "work" | "park" | "work-done" | "park-done" | "hurry" | "end", body: number];

const CAPACITY = 1;
const actions = fc.array(
  fc.tuple(
    fc.constantFrom("begin", "work", "work", "park", "park", "work-done", "park-done", "park-done", "hurry", "end"),
    fc.nat(4),
  ) as fc.Arbitrary<Action>,
  { maxLength: 40 },
);

describe("slots of bodies that work, wait, are cancelled and end", () => {
  test("are held by those that work, and each is given back once (H1, H2, H3)", async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (course) => {
        const turns = new Turns();
        const slots = new Slots(CAPACITY);
        const bodies: Body[] = [];
        const held = (): number => bodies.filter(({ activity }) => activity.hasSlot).length;
        for (const [kind, at] of course) {
          if (kind === "begin") {
            if (slots.tryTake()) bodies.push(bodyOn(slots, turns.clock));
            continue;
          }
          const body = bodies[at % Math.max(1, bodies.length)];
          if (body === undefined) continue;
          act(body, kind);
          await turns.settle();
          expect(slots.taken).toBe(held());
          check(bodies, slots);
        }
        for (const body of bodies.toReversed()) act(body, "end");
        await turns.settle();
        expect([slots.taken, slots.waiting, held()]).toEqual([0, 0, 0]);
        expect(bodies.map(({ late }) => late)).toEqual(bodies.map(() => 0));
      }),
      { numRuns: 200 },
    );
  });

  test("are not given to a body that ended while it waited for one (H2)", async () => {
    const turns = new Turns();
    const slots = new Slots(1);
    slots.tryTake();
    const sleeper = bodyOn(slots, turns.clock);
    act(sleeper, "park");
    await turns.settle();
    slots.tryTake();
    const other = bodyOn(slots, turns.clock);
    act(sleeper, "park-done");
    await turns.settle();
    expect(slots.waiting).toBe(1);
    act(sleeper, "end");
    expect(slots.waiting).toBe(0);
    act(other, "end");
    expect([slots.taken, sleeper.activity.hasSlot]).toEqual([0, false]);
  });

  test("are not waited for once hurried, also by what waits for one already (H3)", async () => {
    const turns = new Turns();
    const slots = new Slots(1);
    slots.tryTake();
    const sleeper = bodyOn(slots, turns.clock);
    act(sleeper, "park");
    await turns.settle();
    expect(slots.tryTake()).toBe(true);
    const other = bodyOn(slots, turns.clock);
    act(sleeper, "park-done");
    await turns.settle();
    expect([slots.taken, slots.waiting, sleeper.activity.hasSlot]).toEqual([1, 1, false]);
    act(sleeper, "hurry");
    await turns.settle();
    expect([slots.taken, slots.waiting, sleeper.activity.hasSlot]).toEqual([2, 0, true]);
    act(sleeper, "end");
    act(other, "end");
    expect([slots.taken, slots.waiting]).toEqual([0, 0]);
  });
});

function bodyOn(slots: Slots, clock: Clock): Body {
  const body: Body = {
    activity: new Activity(slots, clock, { open: () => body.open }),
    works: [],
    parks: [],
    open: 0,
    isEnded: false,
    isHurried: false,
    late: 0,
  };
  return body;
}

function act(body: Body, kind: Action[0]): void {
  const { activity, works, parks } = body;
  const call = (run: () => Promise<void>): void => {
    if (body.isEnded) return;
    body.open += 1;
    void run().then(() => {
      body.open -= 1;
      activity.settled();
      if (body.isEnded) body.late += 1;
    });
  };
  switch (kind) {
    case "work":
      call(() => activity.work({ gate: () => undefined }, () => new Promise<void>((resolve) => works.push(resolve))));
      return;
    case "park":
      call(() => activity.park(() => new Promise<void>((resolve) => parks.push(resolve))));
      return;
    case "work-done":
      works.shift()?.();
      return;
    case "park-done":
      parks.shift()?.();
      return;
    case "hurry":
      body.isHurried = true;
      activity.hurry();
      return;
    case "end":
      body.isEnded = true;
      activity.end();
      return;
    case "begin":
      return;
  }
}

function check(bodies: readonly Body[], slots: Slots): void {
  const beyond = bodies.filter(({ isHurried, activity }) => isHurried && activity.hasSlot).length;
  expect(slots.taken).toBeLessThanOrEqual(CAPACITY + beyond);
  if (slots.waiting > 0) expect(slots.taken).toBeGreaterThanOrEqual(CAPACITY);
  for (const { activity, works, parks, isEnded } of bodies) {
    if (isEnded) expect(activity.hasSlot).toBe(false);
    // Whatever runs has one; whatever only waits has none.
    else if (works.length > 0) expect(activity.hasSlot).toBe(true);
    else if (parks.length > 0) expect(activity.hasSlot).toBe(false);
  }
}
