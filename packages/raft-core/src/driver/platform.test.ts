import { expect, test } from "vitest";
import { platformClock } from "./platform.ts";

test("what is queued at the end of a turn runs in order, and what that queues runs before the next turn", async () => {
  const order: string[] = [];
  const nextTurn = new Promise<void>((resolve) => {
    platformClock.soon(() => {
      order.push("first");
      setImmediate(() => {
        order.push("next turn");
        resolve();
      });
      platformClock.soon(() => order.push("queued by the first"));
    });
  });
  platformClock.soon(() => order.push("second"));
  await nextTurn;
  expect(order).toEqual(["first", "second", "queued by the first", "next turn"]);
});

test("one who queues itself again and again does not keep the event loop to itself", async () => {
  let rounds = 0;
  let isOver = false;
  const again = (): void => {
    rounds++;
    if (!isOver) platformClock.soon(again);
  };
  platformClock.soon(again);
  await new Promise((resolve) => setTimeout(resolve, 1));
  isOver = true;
  expect(rounds).toBeGreaterThan(1);
});
