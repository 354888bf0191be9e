/**
 * Workflows whose recorded histories are kept beside this file. Runs of users have histories like these, and every later engine must replay them.
 *
 * GO1. A workflow here is never changed: its histories would say nothing any more. What is new comes as another workflow.
 * GO2. Together they make every kind of call.
 */
import { type StandardSchemaV1, saga, signal, update, workflow } from "@raftoral/workflow";

/** Answers the waits of {@link everything}. */
export const approval = signal<{ readonly by: string }>("approval");
/** Ends the wait of {@link cancelledLater}. */
export const never = signal("never");

/** Steps that fail and succeed, variables, sleeps, waits, times, scopes, a map, a race, a condition and a patch. */
export const everything = workflow(
  "everything",
  { version: 1 },
  async (ctx, order: { readonly items: readonly string[] }) => {
    const state = await ctx.variable("state", "begun");
    const began = await ctx.now();
    const reserved = await ctx.map(order.items, (own, item) => own.step("reserve", () => `reserved ${item}`), {
      concurrency: 2,
    });
    const refused = await ctx
      .step(
        "charge",
        () => {
          throw new Error("card refused");
        },
        { retry: { attempts: 2, initialDelay: 1 } },
      )
      .catch((error: unknown) => (error as Error).name);
    await state.update((before) => `${before}, reserved`);
    const [slept, late] = await Promise.all([
      ctx.sleep("1h").then(() => "slept"),
      ctx.scope("reminder", (own) => own.waitFor("reminder", { timeout: "30m" })),
    ]);
    const { winner } = await ctx.race({
      approved: (own) => own.waitFor(approval),
      expired: (own) => own.sleep("2d"),
    });
    const isSettled = await ctx.condition(() => state.value.includes("reserved"), { timeout: "1m" });
    const way = ctx.patched("two-parcels") ? "two parcels" : "one parcel";
    await ctx.sleep("1m");
    const draw = [ctx.random() < 1, ctx.uuid().length];
    const took = (await ctx.now()) >= began;
    return { reserved, refused, slept, late: late.timedOut, winner, isSettled, way, draw, took, state: state.value };
  },
);

/** A saga that is cancelled, and undoes what it did. */
export const cancelledLater = workflow("cancelled-later", { version: 1 }, (ctx) =>
  saga(ctx, async (steps) => {
    await steps.step("book", () => "ticket-1", { undo: (ticket) => `refunded ${ticket}` });
    await steps.ctx.sleep("1h");
    await steps.ctx.waitFor(never);
  }),
);

/** A run that has failed. */
export const failing = workflow("failing", { version: 1 }, async (ctx) => {
  await ctx.step("prepare", () => ({ ready: true }));
  throw new RangeError("out of stock");
});

/** A parent with a child. */
export const child = workflow("child", { version: 1 }, (ctx, part: number) => ctx.step("work", () => part * 2));
export const parent = workflow("parent", { version: 1 }, async (ctx) => {
  const first = await ctx.run(child, 1);
  return first + (await ctx.step("own", () => 40));
});

interface Search {
  readonly pattern: RegExp;
  readonly since: Date;
  readonly weights: Uint16Array;
}

/** Makes what JSON does not carry, so that a record has a fingerprint of it. */
const search: StandardSchemaV1<{ readonly for: string; readonly since: string }, Search> = {
  "~standard": {
    version: 1,
    vendor: "golden",
    validate: (value) => {
      const given = value as { readonly for: string; readonly since: string };
      return {
        value: { pattern: new RegExp(given.for, "u"), since: new Date(given.since), weights: Uint16Array.of(1, 2) },
      };
    },
  },
};
/** Narrows the search of {@link searching}. */
export const narrower = signal("narrower", search);

/** Gets from its schemas what is recorded as a fingerprint. */
export const searching = workflow("searching", { version: 1, input: search }, async (ctx, first) => {
  const found = await ctx.step("find", () => ["tea pot", "tea cup"]);
  const second = await ctx.waitFor(narrower);
  const left = found.filter((text) => first.pattern.test(text) && second.pattern.test(text));
  return { left, since: second.since.getTime(), weights: [...second.weights] };
});

/** Adds an item to a list, once there is room. */
export const add = update<number, string>("add");
/** Makes room. */
export const room = signal<number>("room");

/** A body that messages go on with: updates that wait for each other and fail, signals with a handler, and a sleep between them. */
export const kept = workflow("kept", { version: 1 }, async (ctx) => {
  const items: string[] = [];
  let places = 1;
  ctx.on(room, async (own, more) => {
    places += await own.step("make room", () => more);
  });
  ctx.onUpdate(add, async (own, item) => {
    await own.condition(() => items.length < places);
    if (item === "stone") throw new RangeError("too heavy");
    return items.push(await own.step("add", () => item));
  });
  await ctx.sleep("1h");
  const last = await ctx.waitFor("close");
  return { items, places, last: last ?? null };
});

/** All of them. */
export const GOLDEN = [everything, cancelledLater, failing, child, parent, searching, kept];
