/** A saga: what was booked is given back, in reverse order. */
import { saga, workflow } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

/** In the order in which they are booked. */
export const BOOKINGS = ["flight", "hotel", "car"] as const;

/** Books, and waits to be paid. When it is cancelled its first owner gives back the car, and gets no further. */
export const journey = workflow("journey", { version: 1 }, (ctx) =>
  saga(ctx, async (steps) => {
    for (const name of BOOKINGS) {
      await steps.step(name, () => `${name}-1`, {
        undo: async () => {
          if (name !== "car") await holdFirstOwner(ctx);
        },
      });
    }
    await steps.ctx.waitFor("paid");
  }),
);
