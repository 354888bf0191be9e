import type { Clock } from "@raftoral/raft-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("work begins in the order in which it is asked for, so many pieces a turn, and none is forgotten (TU1, TU2)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(12), { maxLength: 8 }),
      async (perTurn, askedPerTurn) => {
        const queue: (() => void)[] = [];
        const clock = { soon: (fn: () => void) => void queue.push(fn) } as unknown as Clock;
        const turns = new Turns(clock, perTurn);
        const begun: number[] = [];
        let asked = 0;
        const turn = async (): Promise<void> => {
          for (const fn of queue.splice(0)) fn();
          await new Promise<void>((resolve) => setImmediate(resolve));
        };
        for (const pieces of askedPerTurn) {
          const before = begun.length;
          await turn();
          for (let piece = 0; piece < pieces; piece++) {
            const at = asked++;
            const wait = turns.next();
            if (wait === undefined) begun.push(at);
            else void wait.then(() => begun.push(at));
          }
          await new Promise<void>((resolve) => setImmediate(resolve));
          expect(begun.length - before).toBeLessThanOrEqual(perTurn);
        }
        for (let rest = 0; rest < 200 && queue.length > 0; rest++) await turn();
        expect(begun).toEqual(Array.from({ length: asked }, (_, at) => at));
        expect(queue).toEqual([]);
      },
    ),
  );
});
