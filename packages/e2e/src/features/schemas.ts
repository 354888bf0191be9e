import { expect } from "vitest";
import { seal, type ticket } from "../programs/ticket.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

export const schemas = feature({
  title: "the next owner's body gets the input and the payload that their schemas made once",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof ticket>("ticket", { name: "ada" }, { runId: "ticket" });
    await until("the ticket to be printed", async () => (await run.describe()).recordCount === 2);
  },
  end: async ({ workflows }) => {
    const run = workflows.run<typeof ticket>("ticket");
    await expect(run.signal(seal, "someday")).rejects.toMatchObject({ code: "SIGNAL_INVALID" });
    await run.signal(seal, "2026-03-01T00:00:00Z");
    const result = await run.result({ timeoutMs: WAIT_MS });
    expect(result).toMatchObject({ name: "ada", year: 2026, number: result.printed, sealed: result.printed });
    const paths = (await Array.fromAsync(run.history())).map((record) => record.path);
    expect(paths).toEqual(["input/parsed", "print#0", "seal#0", "seal#0/parsed", "seal#1"]);
  },
});
