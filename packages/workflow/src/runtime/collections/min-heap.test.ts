import fc from "fast-check";
import { expect, test } from "vitest";
import { MinHeap } from "./min-heap.ts";

test("gives the least first, and of equal ones the one that came first", () => {
  const action = fc.oneof(
    fc.constant("pop" as const),
    fc.constant("retain" as const),
    fc.integer({ min: 0, max: 9 }),
    fc.constant(Infinity),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const heap = new MinHeap<number>();
      const model: { rank: number; value: number }[] = [];
      for (const [value, act] of actions.entries()) {
        if (act === "pop") {
          heap.pop();
          model.shift();
        } else if (act === "retain") {
          heap.retain((kept) => kept % 3 !== 0);
          for (const { value: kept } of [...model])
            if (kept % 3 === 0)
              model.splice(
                model.findIndex((one) => one.value === kept),
                1,
              );
        } else {
          heap.push(act, value);
          model.push({ rank: act, value });
          model.sort((a, b) => (a.rank === b.rank ? a.value - b.value : a.rank - b.rank));
        }
        expect(heap.first).toEqual(model[0] === undefined ? undefined : expect.objectContaining(model[0]));
        expect(heap.size).toBe(model.length);
      }
    }),
  );
});
