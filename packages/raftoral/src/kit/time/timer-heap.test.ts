import fc from "fast-check";
import { expect, test } from "vitest";
import { type Timer, TimerHeap } from "./timer-heap.ts";

const step = fc.oneof(
  fc.record({ do: fc.constant("push" as const), atMs: fc.nat(50) }),
  fc.record({ do: fc.constant("pop" as const) }),
  fc.record({ do: fc.constant("cancel" as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant("postpone" as const), atMs: fc.nat(50) }),
);

test("timers come in order of time and of setting, however many are cancelled or postponed", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const heap = new TimerHeap<Timer>();
      let model: Timer[] = [];
      let order = 0;
      for (const one of steps) {
        if (one.do === "push") {
          const timer = { atMs: one.atMs, order: order++, fire: () => {}, isCancelled: false };
          heap.push(timer);
          model.push(timer);
        } else if (one.do === "cancel") {
          const timer = model[one.which % Math.max(1, model.length)];
          if (timer !== undefined) timer.isCancelled = true;
        } else if (one.do === "postpone") {
          heap.postpone(one.atMs);
        }
        model = model.filter((timer) => !timer.isCancelled).sort((a, b) => a.atMs - b.atMs || a.order - b.order);
        if (one.do === "pop") expect(heap.pop()).toBe(model.shift());
        else expect(heap.peek()).toBe(model[0]);
      }
    }),
  );
});
