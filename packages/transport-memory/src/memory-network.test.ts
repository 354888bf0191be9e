import { type Clock, seededRng } from "@raftoral/raft-core";
import { numbered, RecordingReceiver } from "@raftoral/raft-core/testing";
import { describe, expect, test } from "vitest";
import type { LinkFaults } from "./faults.ts";
import { MemoryNetwork } from "./memory-network.ts";

/** Time that moves only when told to, as a simulator's does. */
class VirtualClock implements Clock {
  #now = 0;
  #sequence = 0;
  #timers: { at: number; sequence: number; fn: () => void }[] = [];
  wallMs = () => this.#now;
  monotonicMs = () => this.#now;
  after(delayMs: number, fn: () => void): () => void {
    const timer = { at: this.#now + delayMs, sequence: this.#sequence++, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  every(): () => void {
    throw new Error("not used by the network");
  }
  soon(fn: () => void): void {
    this.after(0, fn);
  }
  run(forMs: number): void {
    const end = this.#now + forMs;
    for (;;) {
      const [next] = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.sequence - b.sequence);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = next.at;
      next.fn();
    }
    this.#now = end;
  }
}

function setUp(seed = 1, faults?: Partial<LinkFaults>) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, rng: seededRng(seed), maxQueuedMessages: 1000 });
  for (const nodeId of [1, 2, 3]) network.add(nodeId);
  if (faults !== undefined) network.setFaults(faults);
  network.setRunning(true);
  const receivers = [1, 2, 3].map(() => new RecordingReceiver());
  const channels = receivers.map((receiver, i) => network.peer(i + 1).open(1, receiver));
  const send = (from: number, to: number, number: number) => channels[from - 1]?.send([numbered(from, to, number)]);
  const numbers = (at: number, from: number) => receivers[at - 1]?.numbers(from) ?? [];
  return { clock, network, send, numbers, receivers };
}

function numbersSent(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

describe("MemoryNetwork", () => {
  test("delivers nothing before the end of the turn (N1)", () => {
    const { clock, send, numbers } = setUp();
    send(1, 2, 1);
    expect(numbers(2, 1)).toEqual([]);
    clock.run(0);
    expect(numbers(2, 1)).toEqual([1]);
  });

  test("delays within the bounds and keeps the order (memory-link.ts L1)", () => {
    const { clock, send, numbers } = setUp(3, { minDelayMs: 10, maxDelayMs: 50 });
    for (const number of numbersSent(50)) send(1, 2, number);
    clock.run(9);
    expect(numbers(2, 1)).toEqual([]);
    clock.run(41);
    expect(numbers(2, 1)).toEqual(numbersSent(50));
  });

  test("drops, duplicates and reorders at about the given rates, the same for the same seed", () => {
    const run = (seed: number) => {
      const { clock, send, numbers, network } = setUp(seed, { dropRate: 0.2, duplicateRate: 0.3, reorderRate: 0.1 });
      for (const number of numbersSent(500)) send(1, 2, number);
      clock.run(1000);
      return { arrived: numbers(2, 1), counts: network.counts(1, 2) };
    };
    const { arrived, counts } = run(5);
    expect(counts.dropped).toBeGreaterThan(60);
    expect(counts.dropped).toBeLessThan(140);
    expect(counts.duplicated).toBeGreaterThan(80);
    expect(counts.reordered).toBeGreaterThan(20);
    expect(arrived.length).toBe(500 - counts.dropped + counts.duplicated);
    expect(arrived).not.toEqual([...arrived].sort((a, b) => a - b));
    expect(run(5).arrived).toEqual(arrived);
    expect(run(6).arrived).not.toEqual(arrived);
  });

  test("cuts one direction, both, or a node from all, silently, and heals (N2)", () => {
    const { clock, network, send, numbers, receivers } = setUp();
    let number = 0;
    const exchange = () => {
      number += 1;
      for (const [from, to] of [
        [1, 2],
        [2, 1],
        [1, 3],
        [3, 1],
      ] as const)
        send(from, to, number);
      clock.run(0);
      return [numbers(2, 1), numbers(1, 2), numbers(3, 1), numbers(1, 3)].map((all) => all.includes(number));
    };
    network.cut([1], [2]);
    expect(exchange()).toEqual([false, true, true, true]);
    network.partition([1], [2]);
    expect(exchange()).toEqual([false, false, true, true]);
    network.heal();
    network.isolate(1);
    expect(exchange()).toEqual([false, false, false, false]);
    network.heal(1);
    expect(exchange()).toEqual([true, true, true, true]);
    expect(receivers.flatMap((receiver) => receiver.unreachables)).toEqual([]);
  });

  test("loses what is under way when the link is cut or the receiver goes down (memory-link.ts L3)", () => {
    const { clock, network, send, numbers } = setUp(1, { minDelayMs: 10 });
    send(1, 2, 1);
    send(1, 3, 1);
    clock.run(5);
    network.cut([1], [2]);
    network.takeDown(3);
    clock.run(20);
    expect([numbers(2, 1), numbers(3, 1)]).toEqual([[], []]);
  });

  test("gives one link faults of its own", () => {
    const { clock, network, send, numbers } = setUp();
    network.setFaults({ dropRate: 1 }, { from: 1, to: 2 });
    for (const number of numbersSent(10)) {
      send(1, 2, number);
      send(1, 3, number);
    }
    clock.run(0);
    expect([numbers(2, 1), numbers(3, 1)]).toEqual([[], numbersSent(10)]);
    network.setFaults({});
    send(1, 2, 11);
    clock.run(0);
    expect(numbers(2, 1)).toEqual([11]);
  });

  test("loses the messages that are chosen, and no other, until that is taken back (N5)", () => {
    const { clock, network, send, numbers } = setUp();
    const goOn = network.lose(({ from, to }) => from === 1 && to === 2);
    for (const number of numbersSent(3)) for (const to of [2, 3]) send(1, to, number);
    send(3, 2, 1);
    clock.run(0);
    expect([numbers(2, 1), numbers(3, 1), numbers(2, 3)]).toEqual([[], numbersSent(3), [1]]);
    expect(network.counts(1, 2)).toMatchObject({ sent: 3, dropped: 3, delivered: 0 });
    goOn();
    send(1, 2, 4);
    clock.run(0);
    expect(numbers(2, 1)).toEqual([4]);
  });

  test("refuses faults that make no sense", () => {
    const { network } = setUp();
    for (const faults of [{ dropRate: 1.5 }, { duplicateRate: Number.NaN }, { minDelayMs: 5, maxDelayMs: 2 }]) {
      expect(() => network.setFaults(faults)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    }
  });
});
