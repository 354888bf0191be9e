/** Workflows that are made of others: a fleet of ships, each a child, over several generations. */
import { signal, workflow } from "raftoral";

/** Ships of a fleet, and trips that each fleet makes. */
export const SHIPS = 12;
export const TRIPS = 3;
/** In the second trip ships from this one on wait for wind. */
export const BECALMED = 6;
const CALM_TRIP = 1;

export const wind = signal("wind");

/** A child: some work, on whatever node. */
export const voyage = workflow(
  "voyage",
  { version: 1 },
  async (ctx, { trip, ship }: { trip: number; ship: number }) => {
    const loaded = await ctx.step("load", () => ship);
    if (trip === CALM_TRIP && ship >= BECALMED) await ctx.waitFor(wind);
    await ctx.sleep(50);
    return await ctx.step("sail", () => ({ ship: loaded, node: ctx.nodeId }));
  },
);

interface Voyages {
  readonly trip: number;
  readonly arrived: readonly number[];
}

/** A parent: waits for its ships in parallel, notes the order of their arrival, and continues as new for the next trip. */
export const fleet = workflow("fleet", { version: 1 }, async (ctx, { trip, arrived }: Voyages): Promise<Voyages> => {
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: SHIPS }, (_, ship) =>
      ctx.scope("ship", async (own) => {
        await own.run(voyage, { trip, ship });
        order.push(ship);
      }),
    ),
  );
  // A new owner must have seen the ships arrive in the same order.
  const noted = await ctx.step("note", () => order);
  if (noted.join() !== order.join())
    throw new Error(`the ships arrived as ${noted.join()}, and as ${order.join()} now`);
  const next = { trip: trip + 1, arrived: [...arrived, order.length] };
  return next.trip === TRIPS ? next : await ctx.continueAsNew(next);
});
