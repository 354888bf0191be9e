import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CallOrigin, compareRoots } from "../../model/runs/call-chain.ts";
import { LateCalls, MAX_LATE_CALLS } from "./late-calls.ts";

const origins: fc.Arbitrary<CallOrigin> = fc
  .record({ runId: fc.constantFrom("a", "b", "c"), atMs: fc.integer({ min: 0, max: 5 }) })
  .map((root) => ({ chain: [], root }));

/** One that has accepted as many calls as it takes without a look at their roots. */
function busy(): LateCalls {
  const late = new LateCalls();
  for (let at = 0; at < MAX_LATE_CALLS; at++) late.accepted();
  return late;
}

describe("a body that has returned", () => {
  test("accepts every call of a body while a handler is under way, and none afterwards", () => {
    fc.assert(
      fc.property(origins, fc.array(origins, { maxLength: 5 }), (call, underWay) => {
        expect(new LateCalls().takes(call, underWay)).toBe(underWay.length > 0);
      }),
    );
  });

  test("lets a call wait, past the bound, only if its root is younger than those of all handlers under way", () => {
    fc.assert(
      fc.property(origins, fc.array(origins, { maxLength: 5 }), (call, underWay) => {
        const isYounger = underWay.every(({ root }) => compareRoots(call.root, root) > 0);
        expect(busy().takes(call, underWay)).toBe(!isYounger);
      }),
    );
  });

  test("accepts every call while the message of a handler is not recorded yet", () => {
    fc.assert(
      fc.property(origins, (call) => {
        expect(busy().takes(call, [undefined])).toBe(true);
      }),
    );
  });
});

test("bodies that have returned and let calls wait never wait for each other in a circle", () => {
  const bodies = fc.array(fc.array(origins, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });
  const way = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(origins, bodies, way, (first, handlers, hops) => {
      // A call that waits at a body waits for all handlers there. One of them is followed: it calls the next body, with its own root.
      const late = busy();
      let call = first;
      for (const [body, handler] of hops) {
        const there = handlers[body % handlers.length] ?? [];
        if (late.takes(call, there)) return;
        const next = there[handler % there.length] ?? first;
        expect(compareRoots(next.root, call.root)).toBeLessThan(0);
        call = next;
      }
    }),
  );
});
