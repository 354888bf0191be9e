import { expect } from "vitest";
import { OLD_CODE, type parcel, sent } from "../programs/parcel.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

export const heldRun = feature({
  title:
    "a run that no living node has fitting code for is held, and goes on by itself when a node registers such code",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof parcel>("parcel", undefined, { runId: "parcel" });
    await until("the parcel to be packed", async () => (await run.describe()).recordCount === 1);
  },
  end: async ({ workflows, killed, restart }) => {
    expect(killed).toBe(OLD_CODE);
    const run = workflows.run<typeof parcel>("parcel");
    const held = await until("the run to be held", async () => {
      const described = await run.describe();
      return described.status === "stuck" && described;
    });
    expect(held).toMatchObject({ stuckReason: "code-mismatch", owner: 0, recordCount: 1 });
    await restart();
    await run.signal(sent, "sent");
    expect(await run.result({ timeoutMs: WAIT_MS })).toBe(`sent on node ${OLD_CODE}`);
  },
});
