import { describe, expect, test } from "vitest";
import { RaftError } from "../../errors.ts";
import { Reads } from "./reads.ts";

const start = (maxPending = 100) => new Reads(7, maxPending);

describe("reads", () => {
  test("of one turn share a round; they resolve when the index they were given is applied", async () => {
    const reads = start();
    const both = [reads.request(0, 1_000), reads.request(0, 1_000)];
    const context = reads.begin(0);
    expect(reads.canBegin).toBe(false);
    const later = reads.request(0, 1_000);
    reads.confirm(context, 10, 9);
    reads.applied(9);
    expect(reads.size).toBe(3);
    reads.applied(12);
    expect(await Promise.all(both)).toEqual([12, 12]);
    expect(reads.size).toBe(1);
    reads.confirm(reads.begin(0), 12, 12);
    expect(await later).toBe(12);
  });

  test("confirmed out of order resolve in the order of their indexes", async () => {
    const reads = start();
    const order: string[] = [];
    void reads.request(0, 1_000).then(() => order.push("first"));
    const first = reads.begin(0);
    void reads.request(0, 1_000).then(() => order.push("second"));
    const second = reads.begin(0);
    reads.confirm(second, 20, 0);
    reads.confirm(first, 10, 0);
    reads.applied(10);
    await Promise.resolve();
    expect(order).toEqual(["first"]);
    reads.applied(20);
    await Promise.resolve();
    expect(order).toEqual(["first", "second"]);
  });

  test("R1: no two rounds have one context, in this life or in another", () => {
    const contexts = new Set<string>();
    for (const nonce of [7, 8, 7 + 2 ** 40]) {
      const reads = new Reads(nonce, 10);
      for (let round = 0; round < 300; round++) contexts.add(String(reads.begin(0)));
    }
    expect(contexts.size).toBe(900);
  });

  test("R1: an answer that comes twice, or to a round that was given up, confirms nothing", async () => {
    const reads = start();
    const read = reads.request(0, 1_000);
    const lost = reads.begin(0);
    reads.retryOlderThan(20, 19);
    expect(reads.canBegin).toBe(false);
    reads.retryOlderThan(20, 20);
    expect(reads.canBegin).toBe(true);
    const again = reads.begin(20);
    reads.confirm(lost, 5, 100);
    expect(reads.size).toBe(1);
    reads.confirm(again, 6, 100);
    reads.confirm(again, 6, 100);
    expect(await read).toBe(100);
  });

  test("a change of leader asks again at once for what the old one was asked, not for what it has answered", async () => {
    const reads = start();
    const confirmed = reads.request(0, 1_000);
    reads.confirm(reads.begin(0), 50, 1);
    const open = reads.request(0, 1_000);
    reads.begin(0);
    reads.restart();
    expect(reads.canBegin).toBe(true);
    reads.confirm(reads.begin(1), 60, 1);
    reads.applied(50);
    expect(await confirmed).toBe(50);
    reads.applied(60);
    expect(await open).toBe(60);
  });

  test("expire wherever they wait: queued, asked, or confirmed but not applied", async () => {
    const reads = start();
    const confirmed = reads.request(0, 100);
    reads.confirm(reads.begin(0), 50, 1);
    const asked = reads.request(0, 100);
    const asksLonger = reads.request(0, 200);
    const context = reads.begin(0);
    const queued = reads.request(0, 100);
    reads.expire(99, true);
    expect(reads.size).toBe(4);
    reads.expire(100, true);
    await expect(confirmed).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await expect(asked).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await expect(queued).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", retryable: true });
    expect(reads.size).toBe(1);
    reads.confirm(context, 50, 50);
    expect(await asksLonger).toBe(50);
  });

  test("without a leader expire saying so", async () => {
    const reads = start();
    const read = reads.request(0, 0);
    reads.expire(0, false);
    await expect(read).rejects.toMatchObject({ code: "NO_LEADER" });
  });

  test("are bounded over all the places where they wait", async () => {
    const reads = start(3);
    void reads.request(0, 1_000);
    reads.confirm(reads.begin(0), 50, 1);
    void reads.request(0, 1_000);
    reads.begin(0);
    const last = reads.request(0, 10);
    await expect(reads.request(0, 1_000)).rejects.toMatchObject({ code: "OVERLOADED", retryable: true });
    reads.expire(10, true);
    await expect(last).rejects.toThrow();
    void reads.request(0, 1_000);
    expect(reads.size).toBe(3);
  });

  test("ask in a bounded number of rounds; those that wait join the next one as soon as there is room", async () => {
    const reads = start();
    const contexts: Uint8Array[] = [];
    const settled = Array.from({ length: 16 }, () => {
      const read = reads.request(0, 1_000);
      contexts.push(reads.begin(0));
      return read;
    });
    const both = [reads.request(0, 1_000), reads.request(0, 1_000)];
    expect(reads.canBegin).toBe(false);
    reads.confirm(contexts[3] as Uint8Array, 5, 5);
    expect(await settled[3]).toBe(5);
    expect(reads.canBegin).toBe(true);
    reads.confirm(reads.begin(0), 6, 6);
    expect(await Promise.all(both)).toEqual([6, 6]);
  });

  test("R2: the end fails who waits anywhere and who comes later", async () => {
    const reads = start();
    const confirmed = reads.request(0, 1_000);
    reads.confirm(reads.begin(0), 50, 1);
    const asked = reads.request(0, 1_000);
    reads.begin(0);
    const queued = reads.request(0, 1_000);
    reads.close(new RaftError("NODE_STOPPED", "stopped"));
    for (const read of [confirmed, asked, queued, reads.request(0, 1_000)]) {
      await expect(read).rejects.toMatchObject({ code: "NODE_STOPPED" });
    }
    expect(reads.size).toBe(0);
  });
});
