import { expect } from "vitest";
import { BOOKINGS, type journey } from "../programs/journey.ts";
import { feature, stepsOf, until, WAIT_MS } from "./feature.ts";

export const compensations = feature({
  title: "a saga that is cancelled undoes each booking once, in reverse order, though its owner dies after the first",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof journey>("journey", undefined, { runId: "journey" });
    await until("everything to be booked", async () => (await stepsOf(run)).length === BOOKINGS.length);
    await run.cancel({ reason: "it rains" });
    await until("the car to be given back", async () => (await stepsOf(run)).length > BOOKINGS.length);
    return { epoch: (await run.describe()).epoch };
  },
  end: async ({ workflows }, { epoch }) => {
    const ended = await workflows.wait("journey", { timeoutMs: WAIT_MS });
    expect(ended).toMatchObject({ status: "cancelled", reason: "it rains" });
    const undone = (await stepsOf(workflows.run("journey"))).slice(BOOKINGS.length);
    expect(undone.map(({ path }) => path)).toEqual(BOOKINGS.toReversed().map((name) => `saga/undo/${name}#0`));
    // The first by the owner that died, the others by the next.
    expect(undone.map((record) => record.epoch === epoch)).toEqual([true, false, false]);
  },
});
